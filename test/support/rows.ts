/** Builders of rows: a whole, plausible row of which a test states only what matters to it. */
import type { AppSpec, ServiceSpec, ServiceTemplate } from '../../src/model/app-spec.ts';
import type { GroupSpec } from '../../src/model/group.ts';
import type { RolloutRow } from '../../src/model/rollout-record.ts';
import type {
  AppRow,
  DueRow,
  EventRow,
  GuardRow,
  OperationRow,
  PoolRow,
  ReplicaRow,
  ReplyRow,
  RevisionRow,
} from '../../src/model/state.ts';

export const at = Date.parse('2026-01-02T03:04:05.678Z');

export const aTemplate = (over: Partial<ServiceTemplate> = {}): ServiceTemplate => ({
  image: 'nginx:1.27',
  command: [],
  environment: {},
  cpuCores: 1,
  memoryGiB: 1,
  ports: [{ port: 8080, protocol: 'TCP' }],
  restartPolicy: 'Always',
  readiness: { kind: 'tcp', port: 8080, timeoutMs: 1000 },
  ...over,
});

export const aService = (name: string, over: Partial<ServiceSpec> = {}): ServiceSpec => ({
  name,
  replicas: 1,
  dependsOn: [],
  drainMs: 10_000,
  template: aTemplate(),
  ...over,
});

export const anApp = (name: string, services: readonly ServiceSpec[], pools: readonly string[] = []): AppSpec => ({
  name,
  pools,
  services,
});

export const anAppRow = (over: Partial<AppRow> = {}): AppRow => ({
  kind: 'app',
  app: 'shop',
  uid: 'uid-1',
  state: 'active',
  frozen: false,
  generation: 1,
  observedGeneration: 0,
  nextSeq: 2,
  appliedSeq: 1,
  spec: null,
  updatedAt: at,
  lastTx: 'tx-0',
  ...over,
});

export const aGuard = (over: Partial<GuardRow> = {}): GuardRow => ({
  kind: 'service',
  app: 'shop',
  service: 'web',
  workflow: null,
  epoch: 0,
  claimedAt: null,
  claimedBy: null,
  wakeAt: null,
  passAt: null,
  desired: 1,
  stopped: false,
  scaledTo: null,
  cycle: 0,
  removed: false,
  drainMs: 10_000,
  nextIncarnation: 1,
  revision: 1,
  // No rollout is under way, and none is to begin.
  verifiedRevision: over.revision ?? 1,
  healthyRevision: null,
  startedRevision: null,
  dependenciesMetRevision: null,
  rollouts: 1,
  rollout: null,
  change: null,
  generation: 1,
  observedGeneration: 0,
  reason: null,
  message: null,
  lastTx: 'tx-0',
  ...over,
});

export const aRevision = (over: Partial<RevisionRow> = {}): RevisionRow => ({
  kind: 'revision',
  app: 'shop',
  service: 'web',
  revision: 1,
  hash: 'hash-1',
  template: aTemplate(),
  generation: 1,
  createdAt: at,
  cause: null,
  verifiedAt: null,
  rolledBackAt: null,
  ...over,
});

export const aRollout = (over: Partial<RolloutRow> = {}): RolloutRow => ({
  kind: 'rollout',
  app: 'shop',
  service: 'web',
  number: 1,
  purpose: 'deploy',
  from: 1,
  to: 2,
  strategy: 'rolling',
  cause: 'op-1',
  why: 'web moves to revision 2.',
  generation: 2,
  startedAt: at,
  endedAt: null,
  phase: 'progressing',
  reason: null,
  message: null,
  firstIncarnation: 10,
  counts: { desired: 1, fresh: 0, ready: 0, old: 1 },
  failures: [],
  failed: 0,
  strikes: 0,
  cleared: [],
  step: 0,
  readyAt: null,
  promoted: false,
  clockAt: null,
  held: null,
  parked: false,
  successor: null,
  decisions: [],
  ...over,
});

export const aReplica = (over: Partial<ReplicaRow> = {}): ReplicaRow => ({
  kind: 'replica',
  app: 'shop',
  service: 'web',
  slot: 0,
  incarnation: 1,
  revision: 1,
  cycle: 0,
  state: 'ready',
  stateAt: at,
  reason: null,
  message: null,
  epoch: 1,
  pool: 'east',
  group: 'f-0123-web',
  attempt: { id: 'a-1', startedAt: at, expiresAt: at + 360_000 },
  ip: '10.0.0.4',
  ports: [{ port: 8080, protocol: 'TCP' }],
  endpoint: true,
  createdAt: at,
  readyAt: at,
  drainUntil: null,
  redeleteAt: null,
  observedAt: at,
  restartCount: 0,
  crashes: 0,
  failures: 0,
  missing: 0,
  steadiness: null,
  run: null,
  logTail: null,
  ...over,
});

export const anOperation = (over: Partial<OperationRow> = {}): OperationRow => ({
  kind: 'op',
  app: 'shop',
  id: 'op-1',
  seq: 1,
  command: 'apply',
  state: 'accepted',
  bodyHash: 'body-1',
  body: { name: 'shop' },
  acceptedAt: at,
  sentAt: at,
  attempt: 1,
  finishedAt: null,
  generation: null,
  reason: null,
  problems: [],
  ...over,
});

export const anEvent = (over: Partial<EventRow> = {}): EventRow => ({
  kind: 'event',
  app: 'shop',
  at,
  txId: 'tx-0',
  n: 0,
  type: 'OperationAccepted',
  service: null,
  replica: null,
  reason: null,
  message: 'accepted',
  cause: 'op-1',
  ...over,
});

export const aDue = (over: Partial<DueRow> = {}): DueRow => ({
  kind: 'due',
  app: 'shop',
  dueAt: at,
  since: at,
  ...over,
});

export const aPool = (over: Partial<PoolRow> = {}): PoolRow => ({
  kind: 'pool',
  pool: 'east',
  order: 0,
  type: 'aci',
  subscriptionId: 'sub',
  resourceGroup: 'rg',
  region: 'eastus',
  quota: { groups: 100, cores: 100 },
  labels: {},
  price: null,
  cordoned: false,
  draining: false,
  retired: false,
  reservations: [],
  creates: [],
  orphans: [],
  listedAt: null,
  listedGroups: null,
  pending: null,
  health: null,
  ...over,
});

/** What a container group has only when its service asks for it. */
export const nothingMore: Pick<
  GroupSpec,
  'secureEnvironment' | 'volumes' | 'mounts' | 'initContainers' | 'registryCredentials'
> = { secureEnvironment: {}, volumes: [], mounts: [], initContainers: [], registryCredentials: [] };

export const aReply = (over: Partial<ReplyRow> = {}): ReplyRow => ({
  kind: 'reply',
  id: 'reply-1',
  app: 'shop',
  operationId: 'op-1',
  bodyHash: 'body-1',
  to: 'answers',
  sessionId: 'me',
  correlationId: 'message-1',
  outcome: null,
  since: at,
  nextAt: at,
  attempts: 0,
  ...over,
});
