/** The table. One implementation on Azure Table Storage; its stand-in speaks the same protocol. */
import type { Key } from '../model/keys.ts';
import type { Result } from '../model/result.ts';
import type { RolloutRow } from '../model/rollout-record.ts';
import type {
  AppRow,
  DueRow,
  EventRow,
  GuardRow,
  LogRow,
  OperationRow,
  PoolRow,
  ReplicaRow,
  ReplyRow,
  RevisionRow,
  Row,
  SecretRow,
  Stored,
} from '../model/state.ts';
import type { PortError } from './errors.ts';

/**
 * One write. `etag` of an update or delete is that of the row as read; `upsert` overwrites whatever is there (only for `~due` and kept logs).
 * A delete by ETag stands alone in its transaction; beside other changes its ETag is `*`, for rows that nobody changes any more.
 */
export type Change =
  | { readonly type: 'insert'; readonly row: Row }
  | { readonly type: 'update'; readonly row: Row; readonly etag: string }
  | { readonly type: 'upsert'; readonly row: Row }
  | { readonly type: 'delete'; readonly key: Key; readonly etag: string };

/**
 * All or nothing, one partition, at most 100 changes.
 *
 * A commit whose answer was lost is looked up, never guessed: when a `witness` is given (a row of this transaction that carries
 * `lastTx === txId`), an error, 409 or 412 is followed by a read of it, and "mine" counts as committed. So a retried commit of the same `txId`
 * answers ok. Without a witness such an error is `Unknown`. An event row of the transaction is a witness too, and one that no later writer overwrites.
 * After a look-up only the witness's ETag is in the answer.
 */
export interface Transaction {
  readonly txId: string;
  readonly changes: readonly Change[];
  readonly witness?: Key;
}

export interface StateStore {
  /** `null` = no such row. */
  read<R extends Row>(key: Key): Promise<Result<Stored<R> | null, PortError>>;
  /**
   * The rows of an app that something may still follow from (ordered by key): what an assessment or `ps` needs. Left out is what is over and piles up
   * until it is purged: events, operations that are no longer `accepted`, rollouts that came to an end, and replicas that are `gone` with 0 `failures`. A gone replica with failures
   * is there, because the back-off of its slot is counted from it. App row and guards are read before all others: a commit with their ETags fails if
   * anything was committed with them while the others were being read.
   */
  readApp(app: string): Promise<Result<AppRows, PortError>>;
  /** The same with what is over, except events: what a purge needs. */
  readWholeApp(app: string): Promise<Result<AppRows, PortError>>;
  /** What a pass needs: the same promise, without replicas and revisions of other services. */
  readService(app: string, service: string): Promise<Result<ServiceRows, PortError>>;
  /** Operations that are still `accepted`. */
  readPending(app: string): Promise<Result<readonly Stored<OperationRow>[], PortError>>;
  /** Newest first; `before` is the cursor of the previous page. */
  readEvents(
    app: string,
    options: { readonly limit: number; readonly before?: string; readonly after?: string },
  ): Promise<Result<EventPage, PortError>>;
  /** Logs kept of container groups that were deleted, ordered by service and slot. */
  readLogs(app: string, query: KeptLogQuery): Promise<Result<readonly Stored<LogRow>[], PortError>>;
  /** Every version of every secret and config of an app, without its sealed value. */
  readSecrets(app: string): Promise<Result<readonly Stored<SecretRow>[], PortError>>;
  /** One page of the same over all partitions: a secret may lie in one whose app was never applied. */
  scanSecrets(
    from: string | null,
  ): Promise<Result<{ readonly secrets: readonly Stored<SecretRow>[]; readonly next: string | null }, PortError>>;
  /** Records of rollouts, also of those that are over; of each service the newest first. */
  readRollouts(app: string, query: RolloutQuery): Promise<Result<readonly Stored<RolloutRow>[], PortError>>;
  readDue(): Promise<Result<readonly Stored<DueRow>[], PortError>>;
  readPools(): Promise<Result<readonly Stored<PoolRow>[], PortError>>;
  /** Replies that are owed, also those whose time has not come. */
  readReplies(): Promise<Result<readonly Stored<ReplyRow>[], PortError>>;
  /** One page of app rows over all partitions; `next` null = the scan is complete. */
  scanApps(
    from: string | null,
  ): Promise<Result<{ readonly apps: readonly Stored<AppRow>[]; readonly next: string | null }, PortError>>;
  /** App rows by name, at most `limit`, from the one after `after` on (null = from the first). Fewer than `limit` = there are no more. */
  readApps(after: string | null, limit: number): Promise<Result<readonly Stored<AppRow>[], PortError>>;
  /** One page of the operations that were rejected without a place in the order of an app (`seq` 0), over all partitions: their app may have no row. */
  scanStrays(
    from: string | null,
  ): Promise<Result<{ readonly operations: readonly Stored<OperationRow>[]; readonly next: string | null }, PortError>>;
  /** ETags by row key. `Conflict` = an insert met a row, or an ETag is stale: nothing was written, read again. */
  commit(transaction: Transaction): Promise<Result<{ readonly etags: ReadonlyMap<string, string> }, PortError>>;
}

export interface RolloutQuery {
  /** null = of all services. */
  readonly service: string | null;
  readonly limit: number;
}

export interface KeptLogQuery {
  /** null = of all services. */
  readonly service: string | null;
  /** Only those of lower slots: the others are of runs. */
  readonly slotsBelow?: number;
  /** Only those taken before, epoch ms. */
  readonly takenBefore?: number;
  readonly limit: number;
}

/** Rows by kind: guards of the whole app, revisions and replicas of one service. */
export interface ServiceRows {
  readonly app: Stored<AppRow> | null;
  readonly guards: readonly Stored<GuardRow>[];
  readonly revisions: readonly Stored<RevisionRow>[];
  readonly replicas: readonly Stored<ReplicaRow>[];
  /** Those under way. */
  readonly rollouts: readonly Stored<RolloutRow>[];
}

/** The rows of one app by kind. */
export interface AppRows extends ServiceRows {
  readonly operations: readonly Stored<OperationRow>[];
}

export interface EventPage {
  readonly events: readonly EventRow[];
  /** Cursor of the newest event of this page (for `after`), and of the oldest (for `before`); null when empty. */
  readonly newest: string | null;
  readonly oldest: string | null;
}
