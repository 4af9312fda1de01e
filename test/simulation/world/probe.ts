/** Probes at their port: what the ARM core's containers would answer right now, over a network that can lose it. */
import type { Endpoint } from '../../../src/local/aci/endpoints.ts';
import type { Prober, ProbeTarget } from '../../../src/ports/prober.ts';
import type { Arm } from './arm.ts';
import type { Caller, Calls } from './calls.ts';

type Outcome = Awaited<ReturnType<Prober['probe']>>;

/** The timeout is the prober's own, so a lost answer is a failed probe. */
export function createProber(
  calls: Calls,
  arm: Arm,
  caller: Caller,
  setTimer: (fn: () => void, ms: number) => unknown,
): Prober {
  return {
    probe: (target) =>
      new Promise((resolve) => {
        const end = (outcome: Outcome) => resolve(outcome);
        const call = calls.exchange<Outcome>(caller, {
          target: 'probe',
          key: `probe ${labelOf(arm, target.ip)}`,
          method: target.kind,
          writes: false,
          apply: () => (isDropped(calls, arm, target.ip) ? unanswered : outcomeOf(arm.core.endpoints(), target)),
          status: (code) => ({ passed: false, reached: true, detail: `HTTP ${code}` }),
          broken: (code) => new Error(code),
          statusOf: ({ passed }) => (passed ? 200 : 0),
        });
        let reached = false;
        setTimer(
          () => end({ passed: false, reached, detail: `no answer within ${target.timeoutMs} ms` }),
          target.timeoutMs,
        );
        call.then(
          (outcome) => {
            // Silent: nothing is said until the timeout, though the connection may stand.
            reached ||= outcome.reached;
            if (outcome.detail !== 'silent') end(outcome);
          },
          (error: Error) => end({ passed: false, reached: false, detail: error.message }),
        );
      }),
  };
}

const labelOf = (arm: Arm, ip: string): string => arm.groups().find((group) => group.ip === ip)?.label ?? 'nobody';

const unanswered: Outcome = { passed: false, reached: false, detail: 'silent' };

/** No address answers that no group has; of a region that loses packets, so many do not. */
function isDropped(calls: Calls, arm: Arm, ip: string): boolean {
  const group = arm.groups().find((one) => one.ip === ip);
  if (group === undefined) return true;
  const share = arm.dropping.get(group.region) ?? 0;
  return share >= 1 || (share > 0 && calls.chance(`probe ${group.label}/dropped`, share));
}

function outcomeOf(endpoints: readonly Endpoint[], target: ProbeTarget): Outcome {
  const endpoint = endpoints.find(({ address, port }) => address === target.ip && port === target.port);
  if (!endpoint) return { passed: false, reached: true, detail: 'ECONNREFUSED' };
  if (target.kind === 'tcp') return { passed: true, reached: true, detail: 'connected' };
  if (endpoint.silent || endpoint.protocol !== 'http') return { passed: false, reached: true, detail: 'silent' };
  return { passed: endpoint.httpStatus < 400, reached: true, detail: `HTTP ${endpoint.httpStatus}` };
}
