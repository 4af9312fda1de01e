/** Partition and row keys (design §6). Numbers are zero-padded so that lexical order is numeric order. */
import { names } from './names.ts';
import type { Row } from './state.ts';

export interface Key {
  readonly partition: string;
  readonly row: string;
}

const pad = (value: number, width: number): string => String(value).padStart(width, '0');

/** Newest first: events are read from the top. 8640000000000000 is the last instant of an ECMAScript Date. */
const inverted = (at: number): string => pad(8_640_000_000_000_000 - at, 16);

/** Highest number of a rollout of one service. */
const rolloutsMax = 999_999;

/** Beside the app's own partition, so that nobody who reads an app reads its logs. */
export const logPartition = (app: string): string => `${names.partitions.logs}:${app}`;

export const keys = {
  app: (app: string): Key => ({ partition: app, row: 'app' }),
  guard: (app: string, service: string): Key => ({ partition: app, row: `service|${service}` }),
  revision: (app: string, service: string, revision: number): Key => ({
    partition: app,
    row: `revision|${service}|${pad(revision, 6)}`,
  }),
  replica: (app: string, service: string, slot: number, incarnation: number): Key => ({
    partition: app,
    row: `replica|${service}|${pad(slot, 4)}|${pad(incarnation, 8)}`,
  }),
  /** Newest first, as events. */
  rollout: (app: string, service: string, number: number): Key => ({
    partition: app,
    row: `rollout|${service}|${pad(rolloutsMax - number, 6)}`,
  }),
  operation: (app: string, id: string): Key => ({ partition: app, row: `op|${id}` }),
  event: (app: string, at: number, txId: string, n: number): Key => ({
    partition: app,
    row: `event|${inverted(at)}|${txId}|${pad(n, 3)}`,
  }),
  log: (app: string, service: string, slot: number): Key => ({
    partition: logPartition(app),
    row: `log|${service}|${pad(slot, 4)}`,
  }),
  due: (app: string): Key => ({ partition: names.partitions.due, row: app }),
  secret: (app: string, name: string, version: string): Key => ({
    partition: app,
    row: `secret|${name}|${version}`,
  }),
  pool: (pool: string): Key => ({ partition: names.partitions.pools, row: `pool|${pool}` }),
  reply: (id: string): Key => ({ partition: names.partitions.replies, row: `reply|${id}` }),
} as const;

/** What the row keys of a kind begin with, or of a kind and a service: `|` stands behind every character that a name may have. */
export const prefixes = {
  operations: 'op|',
  secrets: 'secret|',
  guards: 'service|',
  replicas: (service: string): string => `replica|${service}|`,
  revisions: (service: string): string => `revision|${service}|`,
  rollouts: (service: string): string => `rollout|${service}|`,
  allRollouts: 'rollout|',
  logs: (service: string): string => `log|${service}|`,
} as const;

export function keyOf(row: Row): Key {
  switch (row.kind) {
    case 'app':
      return keys.app(row.app);
    case 'service':
      return keys.guard(row.app, row.service);
    case 'revision':
      return keys.revision(row.app, row.service, row.revision);
    case 'rollout':
      return keys.rollout(row.app, row.service, row.number);
    case 'replica':
      return keys.replica(row.app, row.service, row.slot, row.incarnation);
    case 'op':
      return keys.operation(row.app, row.id);
    case 'event':
      return keys.event(row.app, row.at, row.txId, row.n);
    case 'log':
      return keys.log(row.app, row.service, row.slot);
    case 'due':
      return keys.due(row.app);
    case 'pool':
      return keys.pool(row.pool);
    case 'reply':
      return keys.reply(row.id);
    case 'secret':
      return keys.secret(row.app, row.name, row.version);
  }
}
