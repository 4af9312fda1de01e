/** Looks at the replicas of a service that are in transition: the group by ARM, readiness over the network, last log lines of what crashed. */
import { hasAddress, isRunning } from '../decide/condition.ts';
import { clearingAt } from '../decide/rollout/faults.ts';
import type { ServiceTemplate } from '../model/app-spec.ts';
import type { GroupObservation } from '../model/group.ts';
import type { RolloutRow } from '../model/rollout-record.ts';
import { type Observation, replicaKey } from '../model/snapshot.ts';
import type { PoolRow, ReplicaRow, ReplicaState } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import type { ProbeOutcome } from '../ports/prober.ts';
import { mapWhile, rotated } from './bounded.ts';
import type { ActivityPorts, ActivitySettings } from './ports.ts';

/** Reads at ARM refill at 25 per second and subscription (aci: quotas); one pass takes at most a few seconds' worth. */
const readsPerPass = 100;
const width = 10;
const logTailLines = 20;
const logTailBytes = 2048;

const inTransition: ReadonlySet<ReplicaState> = new Set<ReplicaState>(['creating', 'starting', 'unready', 'deleting']);

type Ports = Pick<ActivityPorts, 'groups' | 'prober'>;

export async function observe(
  ports: Ports & Pick<ActivityPorts, 'now'>,
  { observeBudgetMs }: Pick<ActivitySettings, 'observeBudgetMs'>,
  replicas: readonly ReplicaRow[],
  templates: ReadonlyMap<number, ServiceTemplate>,
  pools: readonly PoolRow[],
  rollout: Watched | null = null,
): Promise<ReadonlyMap<string, Observation>> {
  const startedAt = ports.now();
  const observed = replicas.filter((replica) => isObserved(replica) || isToBeCleared(replica, rollout, startedAt));
  // With more than fit, every second of time moves the window on.
  const start = observed.length > readsPerPass ? Math.floor(startedAt / 1000) * readsPerPass : 0;
  const due = rotated(observed, start).slice(0, readsPerPass);
  const mayBegin = () => ports.now() < startedAt + observeBudgetMs;
  const seen = await mapWhile(due, width, mayBegin, async (replica) => {
    const pool = pools.find((candidate) => candidate.pool === replica.pool);
    return [replicaKey(replica), await observeReplica(ports, replica, templates.get(replica.revision), pool)] as const;
  });
  return new Map(seen.filter((one) => one !== undefined));
}

/** The rollout under way, and how long its new replicas are watched. */
export interface Watched {
  readonly rollout: RolloutRow;
  readonly monitorMs: number;
}

/** A ready replica is read once more when its watch is over: a restart in place shows nowhere else. */
function isToBeCleared(replica: ReplicaRow, watched: Watched | null, now: number): boolean {
  const at = watched === null ? null : clearingAt(replica, watched.rollout, watched.monitorMs);
  return at !== null && at <= now;
}

/** A create that nobody has started yet has nothing to show. */
const isObserved = (replica: ReplicaRow): boolean =>
  inTransition.has(replica.state) && !(replica.state === 'creating' && replica.attempt?.startedAt === null);

export async function observeReplica(
  { groups, prober }: Ports,
  replica: ReplicaRow,
  template: ServiceTemplate | undefined,
  pool: PoolRow | undefined,
): Promise<Observation> {
  if (pool === undefined) return { kind: 'unknown', message: `Pool ${replica.pool} is not known any more.` };
  const answer = await groups.get(pool, replica.group);
  if (!answer.ok) {
    return answer.error.kind === 'NotFound'
      ? { kind: 'missing' }
      : {
          kind: 'unknown',
          message: `${replica.pool} does not answer: ${answer.error.message}`,
          isOutage: isOutage(answer.error),
        };
  }
  const group = answer.value;
  const judged = replica.state !== 'deleting' && template !== undefined;
  const probe = judged && isRunning(group) ? await probeGroup(prober, group, template) : null;
  const logTail = judged && crashed(group, replica) ? await readTail(groups, pool, replica) : null;
  return { kind: 'group', group, probe, logTail };
}

/** A 5xx, or no answer in time: what a region says of itself that is down. */
export const isOutage = ({ kind }: PortError): boolean => kind === 'Unavailable' || kind === 'Unknown';

async function probeGroup(
  prober: ActivityPorts['prober'],
  group: GroupObservation,
  template: ServiceTemplate,
): Promise<'passed' | 'failed' | null> {
  const outcome = hasAddress(group.ip) ? await probeAddress(prober, group.ip, template) : null;
  return outcome === null ? null : verdictOf(outcome);
}

export const verdictOf = ({ passed }: ProbeOutcome): 'passed' | 'failed' => (passed ? 'passed' : 'failed');

/** null where readiness is not probed over the network. */
export async function probeAddress(
  prober: ActivityPorts['prober'],
  ip: string,
  { readiness }: ServiceTemplate,
): Promise<ProbeOutcome | null> {
  return readiness.kind === 'running' ? null : await prober.probe({ ...readiness, ip });
}

/** Logs are read once per crash, not once per look. */
function crashed({ container }: GroupObservation, replica: ReplicaRow): boolean {
  if (container === null) return false;
  const ended = container.state === 'Terminated' || container.restartCount > 0;
  return ended && (container.restartCount !== replica.restartCount || replica.logTail === null);
}

async function readTail(groups: ActivityPorts['groups'], pool: PoolRow, replica: ReplicaRow): Promise<string | null> {
  const logs = await groups.logs(pool, replica.group, replica.service, { tail: logTailLines });
  return logs.ok && logs.value !== '' ? lastBytes(logs.value) : null;
}

function lastBytes(text: string): string {
  const bytes = Buffer.from(text.trimEnd(), 'utf8');
  if (bytes.length <= logTailBytes) return text.trimEnd();
  // A cut character at the front shows as a replacement mark, which takes at most two bytes more than it had.
  return bytes.subarray(bytes.length - logTailBytes + 8).toString('utf8');
}
