/** The request/response side of a connection: `$cbs` and `<queue>/$management`. A request is answered on the link its `reply_to` names. */
import { type AmqpRequest, decodeMessage, encodeMessage, type Link, types } from './amqp.ts';
import { malformed, type Refusal } from './errors.ts';
import type { Outgoing } from './outgoing.ts';

/** HTTP-like codes of the request/response protocol, where they are not 400. */
const STATUS_BY_CONDITION: Readonly<Record<string, number>> = {
  'amqp:unauthorized-access': 401,
  'amqp:not-found': 404,
  'com.microsoft:message-not-found': 404,
  'com.microsoft:entity-already-exists': 409,
  'com.microsoft:message-lock-lost': 410,
  'com.microsoft:session-lock-lost': 410,
  'amqp:internal-error': 500,
  'amqp:not-implemented': 501,
};

/** `$cbs` and `$management` spell the same properties differently. */
export interface ReplyStyle {
  readonly status: string;
  readonly description: string;
  readonly condition: string;
}

export const CBS_STYLE: ReplyStyle = {
  status: 'status-code',
  description: 'status-description',
  condition: 'error-condition',
};
export const MANAGEMENT_STYLE: ReplyStyle = {
  status: 'statusCode',
  description: 'statusDescription',
  condition: 'errorCondition',
};

/** The links over which a client reads replies. */
export class ReplyLinks {
  readonly #outgoingByLink = new Map<Link, Outgoing>();

  add(link: Link, outgoing: Outgoing): void {
    this.#outgoingByLink.set(link, outgoing);
  }

  delete(link: Link): void {
    this.#outgoingByLink.get(link)?.forget(link);
    this.#outgoingByLink.delete(link);
  }

  /** Answers `request`: with `body`, that there is nothing, or with why not. A client that has gone gets nothing. */
  reply(
    request: AmqpRequest,
    style: ReplyStyle,
    answer: { body: unknown } | 'no content' | { refusal: Refusal },
  ): void {
    const [refusal, body] =
      answer === 'no content' ? [] : 'refusal' in answer ? [answer.refusal] : [undefined, answer.body];
    const success = answer === 'no content' ? 204 : 200;
    const status = refusal ? (STATUS_BY_CONDITION[refusal.condition] ?? 400) : success;
    const payload = encodeMessage({
      correlation_id: request.message_id,
      application_properties: {
        [style.status]: types.wrap_int(status),
        [style.description]: refusal?.description ?? 'OK',
        ...(refusal && { [style.condition]: types.wrap_symbol(refusal.condition) }),
      },
      body,
    });
    const link = this.#find(String(request.reply_to));
    if (link) this.#outgoingByLink.get(link)?.send({ link, tag: Buffer.alloc(16), payload });
  }

  /** A reply link is named by its target address (`$management`) or its own name (`$cbs`). */
  #find(replyTo: string): Link | undefined {
    for (const link of this.#outgoingByLink.keys())
      if (link.name === replyTo || link.remote.attach?.target?.address === replyTo) return link;
    return undefined;
  }
}

/** Reads a request, or why it cannot be read. */
export function readRequest(bytes: Buffer): { request: AmqpRequest } | { refusal: Refusal } {
  try {
    return { request: decodeMessage(bytes) };
  } catch (error) {
    return { refusal: malformed(`The request cannot be read: ${String(error)}.`) };
  }
}
