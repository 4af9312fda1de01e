/** A service as the planner sees it, of which a test states only what matters to it. */
import { groupName } from '../../src/decide/group-spec.ts';
import type { ServiceTemplate } from '../../src/model/app-spec.ts';
import { defaults } from '../../src/model/defaults.ts';
import type { GroupObservation } from '../../src/model/group.ts';
import { type Observation, replicaKey, type ServiceSnapshot } from '../../src/model/snapshot.ts';
import type { ReplicaRow } from '../../src/model/state.ts';
import { aGuard, anApp, aPool, aReplica, aService, aTemplate, at } from './rows.ts';

export const identity = { installation: 'test', appUid: 'uid-1' };

export const aSnapshot = (over: Partial<ServiceSnapshot> = {}): ServiceSnapshot => ({
  ...identity,
  app: anApp('shop', [aService('web')]),
  frozen: false,
  appGeneration: 1,
  guard: aGuard({ workflow: 'deployment:shop.web:1', epoch: 1 }),
  rollout: null,
  templates: new Map<number, ServiceTemplate>([
    [1, aTemplate()],
    [2, aTemplate({ image: 'nginx:1.28' })],
  ]),
  replicas: [],
  observations: new Map(),
  dependencies: new Map(),
  pools: [aPool()],
  attemptIds: Array.from({ length: 65 }, (_, n) => `attempt-${n}`),
  settings: defaults,
  ...over,
});

/** A replica in a state, with all that goes with the state. */
export function inState(state: ReplicaRow['state'], over: Partial<ReplicaRow> = {}): ReplicaRow {
  const early = state === 'planned' || state === 'creating' || state === 'starting';
  return aReplica({
    state,
    stateAt: at,
    group: groupName(identity, { service: 'web', slot: over.slot ?? 0, incarnation: over.incarnation ?? 1 }),
    attempt: state === 'creating' ? { id: 'a-1', startedAt: at, expiresAt: at + 360_000 } : null,
    endpoint: state === 'ready',
    readyAt: early ? null : at,
    ip: early ? null : '10.0.0.4',
    drainUntil: state === 'draining' ? at + 10_000 : null,
    ...over,
  });
}

export const tagsOf = (replica: ReplicaRow): Readonly<Record<string, string>> => ({
  'flotilla-installation': identity.installation,
  'flotilla-installation-epoch': '1',
  'flotilla-app': replica.app,
  'flotilla-app-uid': identity.appUid,
  'flotilla-service': replica.service,
  'flotilla-slot': String(replica.slot),
  'flotilla-incarnation': String(replica.incarnation),
  'flotilla-revision': String(replica.revision),
});

type Container = NonNullable<GroupObservation['container']>;

export const aContainer = (over: Partial<Container> = {}): Container => ({
  state: 'Running',
  startedAt: at,
  exitCode: null,
  detail: null,
  restartCount: 0,
  ...over,
});

export const aGroup = (replica: ReplicaRow, over: Partial<GroupObservation> = {}): GroupObservation => ({
  name: replica.group,
  tags: tagsOf(replica),
  provisioningState: 'Succeeded',
  state: 'Running',
  ip: '10.0.0.4',
  container: aContainer(),
  events: [],
  ...over,
});

export const seen = (
  replica: ReplicaRow,
  over: Partial<GroupObservation> = {},
  probe: 'passed' | 'failed' | null = null,
  logTail: string | null = null,
): Observation => ({ kind: 'group', group: aGroup(replica, over), probe, logTail });

export const observed = (...pairs: readonly (readonly [ReplicaRow, Observation])[]): ReadonlyMap<string, Observation> =>
  new Map(pairs.map(([replica, observation]) => [replicaKey(replica), observation]));
