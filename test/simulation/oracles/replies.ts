/**
 * S4, as its sender sees it: every command that another system sent with the wish to be told of its outcome is told at least once, where it asked for it
 * and nowhere else, and never anything but what its own operation says.
 */
import type { Oracle, OrderRecord, ReplyEvent, View } from '../types.ts';

const ends = new Set(['applied', 'rejected', 'superseded']);

export const replies: Oracle = {
  name: 'replies',
  invariant: 'S4',
  create() {
    const told = new Map<string, number>();
    /** What was said under a message id: a duplicate must be one. */
    const saidById = new Map<string, string>();
    /** An older table knows nothing of what was owed, nor of what was said. */
    let restoredAt = Number.NEGATIVE_INFINITY;
    return {
      onEvent(view, event) {
        if (event.type === 'row' && event.foreign) restoredAt = event.at;
        if (event.type !== 'reply') return;
        const order = view.orders.find(({ messageId }) => messageId === event.reply.correlationId);
        if (order === undefined) return view.fail(`a reply to nobody: ${JSON.stringify(event.reply)}`);
        told.set(order.messageId, (told.get(order.messageId) ?? 0) + 1);
        const wrong =
          addressFault(order, event) ?? (order.sentAt > restoredAt ? outcomeFault(view, order, event) : null);
        if (wrong) view.fail(`${wrong}: ${JSON.stringify(event.reply)}`);
        const { messageId, body } = event.reply;
        const said = JSON.stringify(body);
        if (order.sentAt > restoredAt && (saidById.get(messageId) ?? said) !== said)
          view.fail(`two different replies with the id ${messageId}: ${saidById.get(messageId)} and ${said}`);
        saidById.set(messageId, said);
      },
      onEnd(view) {
        for (const { messageId, listed, app, sentAt } of view.orders)
          if (listed && sentAt > restoredAt && !told.has(messageId))
            view.fail(`the sender of ${messageId} for ${app} was never told what became of it`);
      },
    };
  },
};

function addressFault(order: OrderRecord, { reply }: ReplyEvent): string | null {
  if (!order.listed) return `a reply to ${order.messageId}, which asked for it where none may be sent`;
  if (reply.to !== order.replyTo) return `a reply to ${order.messageId} at another queue`;
  const session = order.replyToSessionId ?? order.messageId;
  return reply.sessionId === session ? null : `a reply to ${order.messageId} in another session than ${session}`;
}

function outcomeFault(view: View, order: OrderRecord, { reply: { body } }: ReplyEvent): string | null {
  const state = String(body['state']);
  if (!ends.has(state)) return `no end of a command`;
  if (order.operationId === null)
    return body['operationId'] === null && state === 'rejected'
      ? null
      : `a command without an operation ended like this`;
  const row = view.row(order.app, `op|${order.operationId}`);
  if (body['operationId'] !== order.operationId) return `the outcome of another operation than ${order.operationId}`;
  if (row?.['state'] !== state) return `operation ${order.operationId} is ${row?.['state'] ?? 'not there'}`;
  if ((row['generation'] ?? null) !== body['generation']) return `operation made generation ${row['generation']}`;
  return (row['reason'] ?? null) === body['reason'] ? null : `operation ended for ${row['reason']}`;
}
