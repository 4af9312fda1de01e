/**
 * Accepts a command: gives it its place in the order of its app and writes it down, in one transaction. From then on it takes effect exactly once,
 * whatever becomes of messages and hosts. Accepting the same command again changes nothing and answers what became of it.
 */
import { createHash } from 'node:crypto';
import { isConfirmed, isProtected } from '../decide/commands/plan-delete.ts';
import type { AppSpec } from '../model/app-spec.ts';
import { keys } from '../model/keys.ts';
import type { Problem } from '../model/problem.ts';
import type { Reason } from '../model/reasons.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { AppRow, CommandName, EventRow, OperationRow, Stored } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import { canonicalJson } from '../spec/json.ts';
import { checkDocument } from './check-document.ts';
import { nextSeqOf, planIdOf } from './plan-id.ts';
import type { CommandPorts } from './ports.ts';
import { noteDue } from './wake.ts';

export interface Command {
  readonly app: string;
  readonly command: CommandName;
  /** The app document for `apply`, a {@link confirmation} or null for `delete`, the services for commands that name some, else null. */
  readonly document: unknown;
  readonly idempotencyKey: string;
  /** Of `apply`: the id of a preview. The command is accepted only while the world is the one that it was made from. */
  readonly plan?: string | null;
  /** Where its sender wants to be told of its outcome, if that is not allowed: recorded with the command. */
  readonly replyRefused?: string | null;
}

/** The body of a delete command. Without a confirmation it is null. */
export const confirmation = (confirm: string | null | undefined): { readonly confirm: string } | null =>
  confirm === null || confirm === undefined ? null : { confirm };

export type Refusal =
  /** The idempotency key was used for another command. */
  | { readonly kind: 'keyReused'; readonly operationId: string }
  | { readonly kind: 'appNotFound' }
  /** Deleting it must be confirmed. */
  | { readonly kind: 'protected' }
  /** The world is not the one any more that the plan was made from. */
  | { readonly kind: 'planOutdated' }
  | { readonly kind: 'invalid'; readonly reason: Reason; readonly problems: readonly Problem[] }
  /** Not accepted, or perhaps accepted: ask again with the same key. */
  | { readonly kind: 'port'; readonly error: PortError };

/** 64 bits of key and app would do for uniqueness; 128 make guessing pointless too. */
export const operationIdOf = ({ app, idempotencyKey }: Pick<Command, 'app' | 'idempotencyKey'>): string =>
  sha256(`${app}\n${idempotencyKey}`).slice(0, 32);

export const bodyHashOf = ({ command, document }: Pick<Command, 'command' | 'document'>): string =>
  sha256(canonicalJson({ command, document }));

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Writers of one app row meet here; each round one of them gets through. */
const triesMax = 20;

/** The operation as it is now: `accepted` when it is new, whatever it became when it is known. Does not send the message: {@link announce}. */
export async function accept(ports: CommandPorts, command: Command): Promise<Result<OperationRow, Refusal>> {
  const known = await findKnown(ports, command);
  if (!known.ok || known.value) return known as Result<OperationRow, Refusal>;
  const place = command.command === 'apply' ? await checkApply(ports, command) : ok(null);
  if (!place.ok) return place;
  const due = await noteDue(ports, command.app);
  if (!due.ok) return err({ kind: 'port', error: due.error });
  for (let n = 1; ; n += 1) {
    const inserted = await insertOperation(ports, command, place.value);
    if (inserted.ok || inserted.error.kind !== 'port' || inserted.error.error.kind !== 'Conflict') return inserted;
    // Perhaps it was the same command, sent twice at once.
    const twin = await findKnown(ports, command);
    if (!twin.ok || twin.value) return twin as Result<OperationRow, Refusal>;
    if (n === triesMax) return err({ kind: 'port', error: { ...inserted.error.error, kind: 'Unavailable' } });
    await ports.sleep(5 * n);
  }
}

/** Sends the hint. Should it get lost, the resync sends it again: not being able to send is no failure of the command. */
export async function announce({ bus, log }: CommandPorts, { app, id, attempt }: OperationRow): Promise<void> {
  const sent = await bus.send({ app, operationId: id, attempt });
  if (!sent.ok)
    log.warn('The message of an operation could not be sent; it will be sent again.', { app, id, ...sent.error });
}

async function findKnown({ store }: CommandPorts, command: Command): Promise<Result<OperationRow | null, Refusal>> {
  const operationId = operationIdOf(command);
  const found = await store.read<OperationRow>(keys.operation(command.app, operationId));
  if (!found.ok) return err({ kind: 'port', error: found.error });
  if (found.value === null) return ok(null);
  return found.value.bodyHash === bodyHashOf(command) ? ok(found.value) : err({ kind: 'keyReused', operationId });
}

/** The value is the place that the command must get in the order of the app's commands; null = whichever is next. */
async function checkApply(
  ports: CommandPorts,
  { app, document, plan = null }: Command,
): Promise<Result<number | null, Refusal>> {
  const checked = await checkDocument(ports, app, document);
  if (!checked.ok) return err(checked.error);
  return plan === null ? ok(null) : await holdToPlan(ports, app, checked.value.app, plan);
}

/** The value is the app's next place: nobody else's command came in between. */
async function holdToPlan(
  { store, pools }: CommandPorts,
  app: string,
  spec: AppSpec,
  plan: string,
): Promise<Result<number, Refusal>> {
  const [rows, offered] = await Promise.all([store.readApp(app), pools()]);
  if (!rows.ok) return err({ kind: 'port', error: rows.error });
  if (!offered.ok) return err({ kind: 'port', error: offered.error });
  const isSame = planIdOf(spec, rows.value, offered.value) === plan;
  return isSame ? ok(nextSeqOf(rows.value)) : err({ kind: 'planOutdated' });
}

/** @param expectedSeq the place it must get; null = whichever is next */
async function insertOperation(
  ports: CommandPorts,
  command: Command,
  expectedSeq: number | null,
): Promise<Result<OperationRow, Refusal>> {
  const read = await ports.store.read<AppRow>(keys.app(command.app));
  if (!read.ok) return err({ kind: 'port', error: read.error });
  if (command.command !== 'apply' && !mayBeChanged(read.value)) return err({ kind: 'appNotFound' });
  if (
    command.command === 'delete' &&
    read.value &&
    isProtected(read.value) &&
    !isConfirmed(command.app, command.document)
  ) {
    return err({ kind: 'protected' });
  }
  const now = ports.now();
  const txId = ports.ids.next();
  const seq = read.value?.nextSeq ?? 1;
  if (expectedSeq !== null && seq !== expectedSeq) return err({ kind: 'planOutdated' });
  const app = appRow(read.value, command.app, ports, txId, now);
  const operation = operationRow(command, seq, now);
  const event = acceptedEvent(operation, txId, now);
  const refused = command.replyRefused ? [replyRefusedEvent(event, command.replyRefused)] : [];
  const result = await ports.store.commit({
    txId,
    witness: keys.app(command.app),
    changes: [
      read.value ? { type: 'update', row: app, etag: read.value.etag } : { type: 'insert', row: app },
      { type: 'insert', row: operation },
      ...[event, ...refused].map((row) => ({ type: 'insert' as const, row })),
    ],
  });
  return result.ok ? ok(operation) : err({ kind: 'port', error: result.error });
}

/** A tombstone with a command still to be applied may be about to come back. */
const mayBeChanged = (app: AppRow | null): boolean =>
  app !== null && (app.state !== 'deleted' || app.nextSeq - 1 > app.appliedSeq);

function appRow(known: Stored<AppRow> | null, name: string, { ids }: CommandPorts, txId: string, now: number): AppRow {
  if (known) {
    const { etag: _, ...row } = known;
    return { ...row, nextSeq: row.nextSeq + 1, lastTx: txId };
  }
  return {
    kind: 'app',
    app: name,
    uid: ids.next(),
    state: 'active',
    frozen: false,
    generation: 0,
    observedGeneration: 0,
    nextSeq: 2,
    appliedSeq: 0,
    spec: null,
    updatedAt: now,
    lastTx: txId,
  };
}

const operationRow = (command: Command, seq: number, now: number): OperationRow => ({
  kind: 'op',
  app: command.app,
  id: operationIdOf(command),
  seq,
  command: command.command,
  state: 'accepted',
  bodyHash: bodyHashOf(command),
  body: command.document,
  acceptedAt: now,
  sentAt: now,
  attempt: 1,
  finishedAt: null,
  generation: null,
  reason: null,
  problems: [],
});

const acceptedEvent = ({ app, id, seq, command }: OperationRow, txId: string, now: number): EventRow => ({
  kind: 'event',
  app,
  at: now,
  txId,
  n: 0,
  type: 'OperationAccepted',
  service: null,
  replica: null,
  reason: null,
  message: `Command ${seq} accepted: ${command}.`,
  cause: id,
});

/** Beside the event of the command itself: that it is carried out although nobody will be told. */
export const replyRefusedEvent = (event: EventRow, replyTo: string): EventRow => ({
  ...event,
  n: event.n + 1,
  type: 'ReplyRefused',
  reason: 'ReplyNotAllowed',
  message: `No reply is sent to «${replyTo.slice(0, 260)}»: FLOTILLA_REPLY_QUEUES does not list it.`,
});
