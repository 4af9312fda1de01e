/** Real containers measured: what the engine has counted between two looks, as usage over the time between them. It remembers the last look only. */
import type { UsageSeen } from '../../../docker/usage.ts';
import type { Usage } from '../../aci/model.ts';

export interface Measured {
  readonly uid: string;
  readonly container: string;
  readonly run: number;
  /** From then until now. */
  readonly from: number;
  readonly usage: Usage;
}

export class Meter {
  #before: ReadonlyMap<string, UsageSeen> = new Map();

  /** Traffic is the group's: it is counted with the first of its containers. */
  take(seen: readonly UsageSeen[]): readonly Measured[] {
    const before = this.#before;
    this.#before = new Map(seen.map((one) => [one.id, one]));
    const sandboxes = new Map(seen.filter((one) => one.container === undefined).map((one) => [one.uid, one]));
    return seen.flatMap((one) => {
      if (one.container === undefined) return [];
      const { uid, container, run } = one;
      const since = before.get(one.id);
      const from = since?.at ?? one.createdAt;
      if (one.at <= from) return [];
      const sandbox = sandboxes.get(uid);
      sandboxes.delete(uid);
      const cpuMillicores = round((one.cpuNs - (since?.cpuNs ?? 0)) / 1_000 / (one.at - from));
      const usage = { cpuMillicores, memoryBytes: one.memoryBytes, ...trafficOf(sandbox, before) };
      return [{ uid, container, run, from, usage }];
    });
  }
}

function trafficOf(sandbox: UsageSeen | undefined, before: ReadonlyMap<string, UsageSeen>) {
  const since = sandbox && before.get(sandbox.id);
  if (!sandbox || !since || sandbox.at <= since.at) return { receivedBytesPerS: 0, transmittedBytesPerS: 0 };
  const seconds = (sandbox.at - since.at) / 1_000;
  // A sandbox that was taken out of its network counts from zero again.
  const rate = (now: number, then: number) => round(Math.max(0, now - then) / seconds);
  return {
    receivedBytesPerS: rate(sandbox.receivedBytes, since.receivedBytes),
    transmittedBytesPerS: rate(sandbox.transmittedBytes, since.transmittedBytes),
  };
}

const round = (value: number): number => Math.round(value * 10) / 10;
