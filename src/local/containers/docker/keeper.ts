/**
 * Keeps one container group on the engine in step with what is wanted of it. Each round reads the group back from the engine, compares, and
 * acts; what it sees is reported and changes what is wanted. It remembers only what is under way, so it can begin anywhere: after a crash of
 * the world, a restart of the daemon, or something that somebody did by hand.
 */
import { createHash } from 'node:crypto';
import type { DnsSpec, GroupSeen, RunSeen, SandboxSeen } from '../../../docker/containers.ts';
import type { GroupEngine } from '../../../docker/engine.ts';
import { engineMessage, statusOf } from '../../../docker/failure.ts';
import type { PrintedLine } from '../../../docker/logs.ts';
import type { GroupSecrets } from '../../aci/model.ts';
import type { Observation } from '../../aci/observe.ts';
import type { WantedContainer, WantedDns, WantedGroup } from '../../aci/wanted.ts';
import { answerProbe } from './probe.ts';
import { SealBroken } from './real-containers.ts';

/** From TERM to KILL. The service publishes none. */
const STOP_GRACE_S = 5;
/** How long the rest of an ended container's output is waited for before the container is removed. */
const LAST_OUTPUT_MS = 5_000;
const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 10_000;

export interface KeeperOptions {
  readonly uid: string;
  readonly engine: GroupEngine;
  /** The group's secrets, which nobody else sees in the clear. @throws SealBroken */
  readonly open: (sealed: string | undefined) => GroupSecrets;
  /** How its containers resolve names, and why that is less than they should. */
  readonly dnsFor: (wanted: WantedDns) => Promise<{ readonly dns?: DnsSpec; readonly problem?: string }>;
  /** Resolves when the observation is committed, and `want` follows it. */
  readonly report: (observation: Observation) => Promise<void>;
  readonly print: (container: string, lines: readonly PrintedLine[]) => Promise<void>;
  /** When the last line that is kept of the container was printed. */
  readonly lastPrintedAt: (container: string) => number | undefined;
  /** Nothing of the group is left, and nothing of it is wanted. */
  readonly finished: () => void;
}

export class GroupKeeper {
  readonly #options: KeeperOptions;
  #want: WantedGroup | undefined;
  #told = '';
  #dirty = false;
  #working: Promise<void> | undefined;
  #retryMs = RETRY_FIRST_MS;
  #retry: NodeJS.Timeout | undefined;
  readonly #followed = new Map<string, Promise<void>>();
  readonly #pulls = new Set<string>();
  readonly #probes = new Set<string>();
  /** The sandbox whose volumes have what they begin with. */
  #filled = '';
  /** Where its containers are in the network. */
  #address: string | undefined;
  readonly #end = new AbortController();

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** `undefined`: there is no such group any more. */
  want(group: WantedGroup | undefined): void {
    const told = JSON.stringify(group ?? null);
    if (told === this.#told) return;
    this.#told = told;
    this.#want = group;
    this.look();
  }

  /** Something may have changed on the engine. */
  look(): void {
    this.#dirty = true;
    if (this.#end.signal.aborted) return;
    this.#working ??= this.#work();
  }

  get address(): string | undefined {
    return this.#address;
  }

  get working(): Promise<void> | undefined {
    return this.#working;
  }

  /** Stops acting; what runs is left as it is. */
  async close(): Promise<void> {
    this.#end.abort();
    clearTimeout(this.#retry);
    await this.#working;
  }

  async #work(): Promise<void> {
    clearTimeout(this.#retry);
    let stumbled = false;
    while (this.#dirty && !stumbled && !this.#end.signal.aborted) {
      this.#dirty = false;
      try {
        await this.#round(await this.#options.engine.inspect(this.#options.uid));
        this.#retryMs = RETRY_FIRST_MS;
      } catch (error) {
        await this.#stumble(error);
        stumbled = true;
      }
    }
    this.#working = undefined;
  }

  /** What the engine refuses is told; that it is not there is not: its return is another beginning. */
  async #stumble(error: unknown): Promise<void> {
    if (this.#end.signal.aborted) return;
    if (statusOf(error) !== undefined || error instanceof SealBroken) {
      await this.#options.report({ kind: 'trouble', message: `Error: ${engineMessage(error)}` });
    }
    this.#retry = setTimeout(() => this.look(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_LAST_MS);
  }

  async #round(seen: GroupSeen): Promise<void> {
    const want = this.#want;
    if (!want || want.deleting || want.stopped) return this.#removeGroup(want, seen);
    for (const container of want.containers) if (container.need === 'image') this.#pull(want, container);
    const sandbox = await this.#sandbox(want, seen);
    if (sandbox === 'changed') return this.look();
    await Promise.all(want.containers.map((container) => this.#container(want, container, sandbox, seen)));
    const known = new Set(want.containers.map(({ name }) => name));
    await Promise.all(seen.runs.filter(({ container }) => !known.has(container)).map((run) => this.#retire(run)));
  }

  /** Also what the volumes held goes. */
  async #clear(seen: GroupSeen): Promise<void> {
    const { engine } = this.#options;
    await Promise.all(seen.runs.map((run) => this.#retire(run)));
    for (const { id } of seen.sandboxes) await engine.remove(id);
    await engine.removeVolumes(seen.volumes);
  }

  async #removeGroup(want: WantedGroup | undefined, seen: GroupSeen): Promise<void> {
    await this.#clear(seen);
    if (want) await this.#options.report({ kind: 'removed' });
    else this.#options.finished();
  }

  /** A sandbox that does not run took its containers with it: all of them begin anew, at the same address, with empty volumes. */
  async #sandbox(want: WantedGroup, seen: GroupSeen): Promise<SandboxSeen | 'changed' | undefined> {
    const { engine, open } = this.#options;
    const [sandbox] = seen.sandboxes;
    const idle = want.containers.every(({ need }) => need === 'nothing');
    const isWanted = sandbox?.digest === digestOf(want);
    if (idle && !isWanted) {
      // It waits for another host: what it had on this one goes at once.
      await this.#clear(seen);
      return undefined;
    }
    if (!sandbox?.running || !isWanted) {
      await this.#beginAnew(want, seen, isWanted || !sandbox);
      return 'changed';
    }
    if (this.#filled !== sandbox.id) {
      const { volumes, secrets } = want;
      // Only a run can have written into them, and none starts before.
      if (seen.runs.length === 0 && !want.prepared)
        await engine.fillVolumes(sandbox.id, { volumes, files: open(secrets).files });
      this.#filled = sandbox.id;
    }
    this.#address = sandbox.address;
    const belongs = want.cutOff ? 'none' : (want.address ?? 'any');
    const fits = belongs === 'any' ? sandbox.address !== undefined : (sandbox.address ?? 'none') === belongs;
    if (fits) return sandbox;
    await engine.moveSandbox(sandbox.id, belongs);
    return 'changed';
  }

  async #beginAnew(want: WantedGroup, seen: GroupSeen, unasked: boolean): Promise<void> {
    const { engine, open, report, uid } = this.#options;
    const { name: group, address, volumes } = want;
    const lost = want.prepared || want.containers.some((container) => container.seen);
    await this.#clear(seen);
    // What follows from that decides what is wanted next.
    if (lost && unasked) return report({ kind: 'hostLost' });
    const { files } = open(want.secrets);
    const { dns, problem } = want.dns ? await this.#options.dnsFor(want.dns) : {};
    if (problem !== undefined) await report({ kind: 'trouble', message: problem });
    const spec = {
      uid,
      group,
      volumes,
      files,
      digest: digestOf(want),
      ...(dns && { dns }),
      ...(address !== undefined && { address }),
    };
    await engine.startSandbox(spec);
  }

  async #container(
    group: WantedGroup,
    want: WantedContainer,
    sandbox: SandboxSeen | undefined,
    seen: GroupSeen,
  ): Promise<void> {
    const runs = seen.runs.filter(({ container }) => container === want.name);
    const current = want.need === 'run' ? runs.find(({ run }) => run === want.run) : undefined;
    await Promise.all(runs.filter((run) => run !== current).map((run) => this.#retire(run)));
    if (want.need !== 'run' || !sandbox) return;
    if (current && current.state !== 'created') await this.#watch(group, want, current, sandbox);
    else if (current || !want.seen) await this.#start(group, want, sandbox);
    else await this.#report(want, { kind: 'ended', end: removedByHand() });
  }

  #pull({ secrets }: WantedGroup, want: WantedContainer): void {
    const { name, run, image } = want;
    const key = `${name} ${run} ${image}`;
    if (this.#pulls.has(key)) return;
    this.#pulls.add(key);
    const pulled = this.#options.engine
      .ensureImage(image, this.#options.open(secrets).registries)
      .then((cause) =>
        this.#report(want, cause === undefined ? { kind: 'imageReady' } : { kind: 'imageFailed', cause }),
      );
    this.#aside(pulled, () => this.#pulls.delete(key));
  }

  async #start(group: WantedGroup, want: WantedContainer, sandbox: SandboxSeen): Promise<void> {
    const { name: container, run, image, process } = want;
    const secure = this.#options.open(group.secrets).variables[container];
    const cause = await this.#options.engine.startRun(sandbox.id, {
      uid: this.#options.uid,
      group: group.name,
      container,
      run,
      image,
      ...process,
      environment: { ...process.environment, ...secure },
      volumes: group.volumes,
    });
    if (cause !== undefined) await this.#report(want, { kind: 'startFailed', cause });
    else this.#dirty = true;
  }

  async #watch(group: WantedGroup, want: WantedContainer, run: RunSeen, sandbox: SandboxSeen): Promise<void> {
    if (!want.seen) await this.#report(want, { kind: 'started', at: run.startedAt });
    this.#follow(run);
    if (run.state === 'ended') {
      await this.#lastOutput(run);
      await this.#report(want, { kind: 'ended', end: run });
      return;
    }
    const frozen = run.state === 'paused';
    if (frozen !== want.frozen) await this.#options.engine.setPaused(run.id, want.frozen);
    for (const probe of want.probes) {
      const key = `${want.name} ${run.run} ${probe.kind} ${probe.asked}`;
      // Who is cut off from outside is not asked from outside either.
      if (this.#probes.has(key) || (group.cutOff && 'http' in probe.test)) continue;
      this.#probes.add(key);
      const { kind, asked } = probe;
      const answered = answerProbe(this.#options.engine, probe, run, sandbox.address).then((problem) =>
        this.#report(want, { kind: 'probed', probe: kind, asked, ...(problem !== undefined && { problem }) }),
      );
      this.#aside(answered, () => this.#probes.delete(key));
    }
  }

  /** Beside the rounds; when the engine is gone, the next round asks again. */
  #aside(work: Promise<void>, always: () => void): void {
    work
      .finally(always)
      .catch(() => undefined)
      .finally(() => this.look());
  }

  async #retire(run: RunSeen): Promise<void> {
    const { engine } = this.#options;
    if (run.state === 'running' || run.state === 'paused') {
      this.#follow(run);
      await engine.stop(run.id, run.state === 'paused' ? 0 : STOP_GRACE_S);
    }
    if (run.state !== 'created') await this.#lastOutput(run);
    await engine.remove(run.id);
    this.#followed.delete(run.id);
  }

  #follow({ id, container }: RunSeen): void {
    if (this.#followed.has(id)) return;
    const { engine, print, lastPrintedAt } = this.#options;
    const following = engine
      .followLogs(id, lastPrintedAt(container), (lines) => print(container, lines), this.#end.signal)
      .catch(() => void this.#followed.delete(id));
    this.#followed.set(id, following);
  }

  async #lastOutput(run: RunSeen): Promise<void> {
    this.#follow(run);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_OUTPUT_MS);
    });
    await Promise.race([this.#followed.get(run.id), late]);
    clearTimeout(timer);
  }

  #report(want: WantedContainer, seen: DistributiveOmit<ContainerObservationOf, 'container' | 'run'>): Promise<void> {
    return this.#options.report({ container: want.name, run: want.run, ...seen } as Observation);
  }
}

type ContainerObservationOf = Extract<Observation, { container: string }>;
type DistributiveOmit<T, K extends keyof T> = T extends unknown ? Omit<T, K> : never;

/** Whoever removes a running container kills it. */
function removedByHand() {
  const now = Date.now();
  return { startedAt: now, finishedAt: now, exitCode: 137, outOfMemory: false };
}

/** What a sandbox is made of for good: of the contents of secrets it gives nothing away. */
function digestOf({ uid, volumes, host, dns }: WantedGroup): string {
  const text = JSON.stringify([uid, volumes, host, dns ?? null]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
