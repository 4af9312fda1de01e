/**
 * Tells the sender of a command what became of it. The debt is written down before the command is accepted, in a partition of its own, and struck off
 * after the reply is sent: a crash anywhere leaves a row that the next delivery or the resync finds. So a reply is sent at least once.
 */
import { decideReply, postponed } from '../decide/commands/reply.ts';
import { defaults } from '../model/defaults.ts';
import { keyOf, keys } from '../model/keys.ts';
import type { CommandOutcome } from '../model/outcome.ts';
import { ok, type Result } from '../model/result.ts';
import type { OperationRow, ReplyRow, Stored } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import type { CommandPorts } from './ports.ts';
import { rejectedPartition } from './record-rejection.ts';

type ReplyPorts = Pick<CommandPorts, 'store' | 'bus' | 'now' | 'ids' | 'log'>;

/** Writes the debt down. One that is there already stays as it is. */
export async function owe({ store, ids }: ReplyPorts, row: ReplyRow): Promise<Result<void, PortError>> {
  const written = await store.commit({ txId: ids.next(), changes: [{ type: 'insert', row }] });
  return written.ok || written.error.kind === 'Conflict' ? ok(undefined) : written;
}

/** Pays the debt `id` if it can be paid now; whatever goes wrong is left to the resync. */
export async function payNow(ports: ReplyPorts, id: string): Promise<void> {
  const row = await ports.store.read<ReplyRow>(keys.reply(id));
  if (row.ok && row.value === null) return;
  const paid = row.ok && row.value ? await pay(ports, row.value) : row;
  if (!paid.ok) ports.log.warn('A reply could not be sent; it will be sent again.', { id, ...paid.error });
}

/** Pays what is due. `mayBegin` says whether there is time for another one. */
export async function payDue(ports: ReplyPorts, mayBegin: () => boolean): Promise<Result<void, PortError>> {
  const owed = await ports.store.readReplies();
  if (!owed.ok) return owed;
  const due = owed.value.filter(({ nextAt }) => nextAt <= ports.now()).toSorted((a, b) => a.nextAt - b.nextAt);
  for (const row of due) {
    if (!mayBegin()) break;
    const paid = await pay(ports, row);
    if (!paid.ok) ports.log.warn('A reply could not be sent; it will be sent again.', { id: row.id, ...paid.error });
  }
  return ok(undefined);
}

async function pay(ports: ReplyPorts, row: Stored<ReplyRow>): Promise<Result<void, PortError>> {
  const operation = await operationOf(ports, row);
  if (!operation.ok) return operation;
  const decision = decideReply(row, operation.value, ports.now(), defaults.reply);
  switch (decision.kind) {
    case 'send':
      return await send(ports, row, decision.outcome);
    case 'wait':
      return await postpone(ports, row);
    case 'drop':
      return await drop(ports, row);
  }
}

async function operationOf(
  { store }: ReplyPorts,
  { app, operationId }: ReplyRow,
): Promise<Result<OperationRow | null, PortError>> {
  if (app === null || operationId === null) return ok(null);
  return await store.read<OperationRow>(keys.operation(app, operationId));
}

async function send(ports: ReplyPorts, row: Stored<ReplyRow>, body: CommandOutcome): Promise<Result<void, PortError>> {
  const { to, correlationId, sessionId } = row;
  const messageId = `${row.id}:${body.state}`;
  const sent = await ports.bus.reply({ to, messageId, correlationId, sessionId, body });
  if (sent.ok) return await strike(ports, row);
  const later = await postpone(ports, row);
  return later.ok ? sent : later;
}

async function postpone({ store, ids, now }: ReplyPorts, row: Stored<ReplyRow>): Promise<Result<void, PortError>> {
  const { etag, ...old } = row;
  const next = postponed(old, now(), defaults.reply);
  const written = await store.commit({ txId: ids.next(), changes: [{ type: 'update', row: next, etag }] });
  // Somebody else has just paid or postponed it.
  return written.ok || written.error.kind === 'Conflict' ? ok(undefined) : written;
}

async function strike({ store, ids }: ReplyPorts, row: ReplyRow): Promise<Result<void, PortError>> {
  const removed = await store.commit({
    txId: ids.next(),
    changes: [{ type: 'delete', key: keyOf(row), etag: '*' }],
  });
  return removed.ok || removed.error.kind === 'Conflict' ? ok(undefined) : removed;
}

/** The event comes first: a reply that is given up in silence would never be missed. */
async function drop(ports: ReplyPorts, row: Stored<ReplyRow>): Promise<Result<void, PortError>> {
  const { app, operationId, correlationId, to, attempts } = row;
  ports.log.error('A reply is given up.', { app, operationId, correlationId, to, attempts });
  const recorded = await ports.store.commit({
    txId: `drop-${row.id}`,
    changes: [
      {
        type: 'insert',
        row: {
          kind: 'event',
          app: app ?? rejectedPartition,
          // A crash before the row is struck off brings the same event again.
          at: row.since + defaults.reply.giveUpMs,
          txId: `drop-${row.id}`,
          n: 0,
          type: 'ReplyDropped',
          service: null,
          replica: null,
          reason: 'ReplyUndeliverable',
          message: `The outcome could not be sent to «${to}» (${attempts} attempts).`,
          cause: operationId ?? correlationId,
        },
      },
    ],
  });
  if (!recorded.ok && recorded.error.kind !== 'Conflict') return recorded;
  return await strike(ports, row);
}
