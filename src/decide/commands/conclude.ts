/**
 * What every concluded command writes: its operation, the app row that moves on to the next one, and the events that say so.
 * All of it fits into one transaction of the table.
 */
import type { Problem } from '../../model/problem.ts';
import type { Reason } from '../../model/reasons.ts';
import type { RolloutRow } from '../../model/rollout-record.ts';
import type {
  AppRow,
  EventRow,
  EventType,
  GuardRow,
  OperationRow,
  ReplicaRow,
  RevisionRow,
  Row,
  Stored,
} from '../../model/state.ts';

/** The rows of one app that a command may change or look at. */
export interface CommandView {
  readonly app: Stored<AppRow>;
  readonly guards: readonly Stored<GuardRow>[];
  readonly revisions: readonly Stored<RevisionRow>[];
  readonly replicas: readonly Stored<ReplicaRow>[];
  /** Those under way. */
  readonly rollouts: readonly Stored<RolloutRow>[];
}

/** The instant and the transaction in which the command takes effect. */
export interface Moment {
  readonly now: number;
  readonly txId: string;
}

/** One row to write; `etag` null = insert. */
export interface Write {
  readonly row: Row;
  readonly etag: string | null;
}

export interface Happening {
  readonly type: EventType;
  readonly service: string | null;
  readonly message: string;
}

export interface Outcome {
  readonly state: 'applied' | 'rejected' | 'superseded';
  /** The app row as the command leaves it; `appliedSeq` and `lastTx` are filled in here. */
  readonly app: AppRow;
  readonly services: readonly Write[];
  readonly happenings: readonly Happening[];
  readonly reason: Reason | null;
  readonly problems: readonly Problem[];
  /** Told in the operation's own event. */
  readonly summary: string;
}

/** Rows that one transaction may write (Table Storage). */
const transactionRowsMax = 100;

const eventOf = {
  applied: 'OperationApplied',
  rejected: 'OperationRejected',
  superseded: 'OperationSuperseded',
} as const satisfies Record<Outcome['state'], EventType>;

/** The app row comes first: it is the transaction's witness. */
export function conclude(
  view: CommandView,
  operation: Stored<OperationRow>,
  outcome: Outcome,
  { now, txId }: Moment,
): readonly Write[] {
  const app: AppRow = {
    ...withoutEtag(outcome.app),
    appliedSeq: Math.max(view.app.appliedSeq, operation.seq),
    lastTx: txId,
  };
  const waits = app.frozen && app.generation > view.app.generation;
  const finished: OperationRow = {
    ...withoutEtag(operation),
    state: outcome.state,
    body: null,
    finishedAt: now,
    generation: outcome.state === 'applied' ? app.generation : null,
    reason: waits ? 'Frozen' : outcome.reason,
    problems: waits ? [...outcome.problems, frozenNotice(app.app)] : outcome.problems,
  };
  const rows: readonly Write[] = [
    { row: app, etag: view.app.etag },
    { row: finished, etag: operation.etag },
    ...outcome.services,
  ];
  const own: Happening = { type: eventOf[outcome.state], service: null, message: outcome.summary };
  const events = fold(outcome.happenings, transactionRowsMax - rows.length - 1);
  return [...rows, ...[own, ...events].map((event, n) => ({ row: toRow(event, n), etag: null }))];

  function toRow(happening: Happening, n: number): EventRow {
    const { reason } = happening === own ? finished : { reason: null };
    return { kind: 'event', app: app.app, at: now, txId, n, ...happening, replica: null, reason, cause: operation.id };
  }
}

const frozenNotice = (app: string): Problem => ({
  severity: 'warning',
  path: '',
  problem: `the app is frozen: what this command asks for is noted, and waits.`,
  remedy: `Let it go on with \`flotilla thaw ${app}\`.`,
});

/** One event per service while there is room; else one per type that names all its services. */
function fold(happenings: readonly Happening[], room: number): readonly Happening[] {
  if (happenings.length <= room) return happenings;
  const byType = new Map<EventType, Happening[]>();
  for (const happening of happenings) byType.set(happening.type, [...(byType.get(happening.type) ?? []), happening]);
  return [...byType].map(([type, all]) => ({
    type,
    service: null,
    message: `${all.length} services: ${all.map(({ service }) => service).join(', ')}.`,
  }));
}

export function withoutEtag<R extends Row>(row: R | Stored<R>): R {
  const { etag: _, ...rest } = row as Stored<R>;
  return rest as unknown as R;
}
