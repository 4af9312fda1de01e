/**
 * The AMQP face of the broker: accepts connections, checks that links are authorised and leads each to its queue or request node.
 * It keeps no messages; when a link, session or connection ends, whatever was bound to it is told.
 */
import type { Socket } from 'node:net';
import {
  type AmqpConnection,
  type AmqpRequest,
  type AmqpSession,
  accepted,
  createContainer,
  type IncomingDelivery,
  type Link,
  rejected,
} from './amqp.ts';
import { Claims, readClaim, type SharedAccessKey } from './cbs.ts';
import type { Entities, Entity } from './entities.ts';
import { entityNotFound, internalError, notAllowed, notOffered, type Refusal, unauthorized } from './errors.ts';
import { type Binding, bindConsumer, bindProducer, bindSession, MAX_MESSAGE_BYTES, type SessionWish } from './links.ts';
import { manage } from './management.ts';
import type { Outgoing } from './outgoing.ts';
import type { Queue } from './queue.ts';
import { CBS_STYLE, MANAGEMENT_STYLE, ReplyLinks, readRequest } from './request-node.ts';
import { smoothTraffic, takeOver } from './wire.ts';

const CBS = '$cbs';
const MANAGEMENT = '/$management';
const SESSION_FILTER = 'com.microsoft:session-filter';

/** How long an acceptNextSession waits when the client names no time, in ms: the client's default. */
const DEFAULT_WAIT_MS = 60_000;

/** By itself rhea would accept every message before it is stored. */
const CONNECTION_OPTIONS = { port: 0, reconnect: false, receiver_options: { autoaccept: false } };

export interface FrontParts {
  readonly key: SharedAccessKey;
  readonly entityByPath: Entities['byPath'];
  /** Epoch ms. */
  readonly now: () => number;
  readonly newMessageId: () => string;
}

interface LinkEvent {
  readonly sender?: Link;
  readonly receiver?: Link;
  readonly session?: AmqpSession;
  readonly message?: Buffer;
  readonly delivery?: IncomingDelivery;
}

/** @returns A function that serves one accepted socket. */
export function createFront(parts: FrontParts): (socket: Socket) => void {
  const container = createContainer({ id: 'flotilla-service-bus' });
  return (socket) => {
    const connection = container.create_connection(CONNECTION_OPTIONS) as unknown as AmqpConnection;
    const peer = new Peer(parts);
    listen(connection, socket, peer);
    socket.setNoDelay(true);
    smoothTraffic(connection, socket);
    connection.accept(socket);
  };
}

function listen(connection: AmqpConnection, socket: Socket, peer: Peer): void {
  const on = (event: string, handle: (context: LinkEvent) => void) =>
    connection.on(event, (context: LinkEvent) => {
      try {
        handle(context);
      } catch (error) {
        // An exception would make rhea close the connection and every link on it.
        console.error(`service bus: ${event} failed`, error);
        (context.sender ?? context.receiver)?.close(internalError(error));
      }
    });
  on('session_open', ({ session }) => session && peer.begin(session));
  on('session_close', ({ session }) => session && peer.end(session));
  on('sender_open', ({ sender }) => sender && peer.attach(sender));
  on('receiver_open', ({ receiver }) => receiver && peer.attach(receiver));
  on('sender_close', ({ sender }) => sender && peer.detach(sender));
  on('receiver_close', ({ receiver }) => receiver && peer.detach(receiver));
  on('sender_flow', ({ sender }) => sender && peer.flow(sender));
  on(
    'message',
    ({ receiver, message, delivery }) => receiver && message && delivery && peer.message(receiver, message, delivery),
  );
  for (const event of [
    'sender_error',
    'receiver_error',
    'session_error',
    'connection_error',
    'connection_close',
    'disconnected',
  ])
    connection.on(event, () => undefined);
  for (const event of ['error', 'protocol_error'])
    connection.on(event, (error: unknown) => {
      console.error(`service bus: a connection is closed: ${explain(error)}`);
      socket.destroy();
    });
  socket.once('close', () => {
    // rhea notices the end of a socket, but not that it was destroyed; its heartbeat would go on.
    connection._disconnected();
    peer.close();
  });
}

/** What other protocols begin with (in hex, as rhea quotes a wrong header), and what their client should do. */
const LIKELY_MISTAKES: readonly { readonly begins: RegExp; readonly remedy: string }[] = [
  {
    begins: /\b1603/,
    remedy: 'the client speaks TLS; end its connection string with UseDevelopmentEmulator=true (in lower case)',
  },
  {
    begins: /\b(474554|50555420|504f5354|44454c45|48454144)/,
    remedy: 'the client speaks HTTP; queues cannot be managed here, they are declared in the configuration',
  },
];

function explain(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return LIKELY_MISTAKES.find(({ begins }) => begins.test(text))?.remedy ?? text;
}

/** One client connection. */
class Peer {
  readonly #parts: FrontParts;
  readonly #claims = new Claims();
  readonly #replies = new ReplyLinks();
  readonly #outgoingBySession = new Map<AmqpSession, Outgoing>();
  readonly #bindings = new Map<Link, Binding>();

  constructor(parts: FrontParts) {
    this.#parts = parts;
  }

  begin(session: AmqpSession): void {
    const windowOpened = () => {
      for (const [link, binding] of this.#bindings) if (link.session === session) binding.flow?.();
    };
    this.#outgoingBySession.set(session, takeOver(session, windowOpened));
  }

  end(session: AmqpSession): void {
    for (const link of [...this.#bindings.keys()]) if (link.session === session) this.detach(link);
    this.#outgoingBySession.delete(session);
  }

  close(): void {
    for (const link of [...this.#bindings.keys()]) this.detach(link);
    this.#outgoingBySession.clear();
  }

  attach(link: Link): void {
    const { local, remote } = link;
    const outgoing = this.#outgoingBySession.get(link.session);
    if (!remote.attach || !outgoing) return;
    const { source, target, snd_settle_mode: sendMode, rcv_settle_mode: receiveMode } = remote.attach;
    if (sendMode !== undefined && sendMode !== null) local.attach.snd_settle_mode = sendMode;
    if (receiveMode !== undefined && receiveMode !== null) local.attach.rcv_settle_mode = receiveMode;
    local.attach.max_message_size = MAX_MESSAGE_BYTES;
    const address = (link.is_sender() ? source : target)?.address;
    const binding = typeof address === 'string' ? this.#bind(link, outgoing, address) : notOffered('transactions');
    if ('condition' in binding) {
      refuse(link, binding);
      this.#bindings.set(link, refusing(binding));
      return;
    }
    this.#bindings.set(link, binding);
  }

  detach(link: Link): void {
    const binding = this.#bindings.get(link);
    this.#bindings.delete(link);
    binding?.closed();
  }

  flow(link: Link): void {
    this.#bindings.get(link)?.flow?.();
  }

  message(link: Link, bytes: Buffer, delivery: IncomingDelivery): void {
    const binding = this.#bindings.get(link);
    if (binding?.message) binding.message(bytes, delivery);
    else delivery.update(true, rejected(notAllowed('The link takes no messages.')));
  }

  #bind(link: Link, outgoing: Outgoing, address: string): Binding | Refusal {
    if (link.is_sender()) link.set_source({ address });
    else link.set_target({ address });
    if (address === CBS) return this.#bindNode(link, outgoing, (request) => this.#putToken(request));
    const path = address.replace(/^\/+|\/+$/g, '').toLowerCase();
    if (!this.#claims.allow(path, this.#parts.now()))
      return unauthorized(`Unauthorized access to '${address}'. A valid token was not put to $cbs for it.`);
    const isManagement = path.endsWith(MANAGEMENT);
    const entity = this.#parts.entityByPath.get(isManagement ? path.slice(0, -MANAGEMENT.length) : path);
    if (!entity) return notFound(address, path);
    if (isManagement) return this.#bindNode(link, outgoing, (request) => this.#manage(entity, request));
    if (entity.kind === 'topic')
      return link.is_sender()
        ? notAllowed(`A receiver cannot be created on the topic '${address}': receive from one of its subscriptions.`)
        : bindProducer(entity.topic, this.#parts.newMessageId);
    if (link.is_sender()) return this.#bindReceiver(link, outgoing, entity.queue);
    return entity.kind === 'queue'
      ? bindProducer(entity.queue, this.#parts.newMessageId)
      : notAllowed(`Messages cannot be sent to the subscription '${address}': send them to its topic.`);
  }

  /** `link` is the broker's sender: the client receives. */
  #bindReceiver(link: Link, outgoing: Outgoing, queue: Queue): Binding | Refusal {
    const attach = link.remote.attach;
    const filter = attach?.source?.filter ?? {};
    const isSession = SESSION_FILTER in filter;
    if (isSession !== queue.definition.requiresSession)
      return notAllowed(
        isSession
          ? `A sessionful message receiver cannot be created on the entity '${queue.definition.name}', which does not require sessions.`
          : `It is not possible for the entity '${queue.definition.name}', which requires sessions, to create a non-sessionful message receiver.`,
      );
    if (!isSession) return bindConsumer(link, outgoing, queue);
    return bindSession(link, outgoing, queue, readWish(link, filter[SESSION_FILTER]), (refusal) =>
      refuse(link, refusal),
    );
  }

  /** Both links of a request node: replies go over the client's receiver, requests come over its sender. */
  #bindNode(link: Link, outgoing: Outgoing, handle: (request: AmqpRequest) => void): Binding {
    if (link.is_sender()) {
      this.#replies.add(link, outgoing);
      return { closed: () => this.#replies.delete(link) };
    }
    return {
      message: (bytes, delivery) => {
        const read = readRequest(bytes);
        if ('refusal' in read) {
          delivery.update(true, rejected(read.refusal));
          return;
        }
        delivery.update(true, accepted());
        handle(read.request);
      },
      closed: () => undefined,
    };
  }

  #putToken(request: AmqpRequest): void {
    const properties = request.application_properties ?? {};
    const operation = String(properties['operation']);
    if (operation !== 'put-token') {
      this.#replies.reply(request, CBS_STYLE, { refusal: notOffered(`the $cbs operation '${operation}'`) });
      return;
    }
    const claim = readClaim(
      {
        audience: String(properties['name']),
        tokenType: String(properties['type']),
        token: String(request.body),
      },
      this.#parts.key,
      this.#parts.now(),
    );
    if (claim.ok) this.#claims.add(claim.value);
    this.#replies.reply(request, CBS_STYLE, claim.ok ? { body: undefined } : { refusal: claim.refusal });
  }

  #manage(entity: Entity, request: AmqpRequest): void {
    manage(entity, request, this.#parts.newMessageId).then(
      (reply) => this.#replies.reply(request, MANAGEMENT_STYLE, reply),
      (error: unknown) => this.#replies.reply(request, MANAGEMENT_STYLE, { refusal: internalError(error) }),
    );
  }
}

/** Kinds of addresses that no declaration could bring into being are refused by name. */
function notFound(address: string, path: string): Refusal {
  if (path.includes('/$transfer/')) return notOffered('transfer dead letters');
  return entityNotFound(address);
}

/** Answers an attach as Azure does when it refuses: an attach without termini, then a detach with the reason. */
function refuse(link: Link, refusal: Refusal): void {
  link.local.attach.source = null;
  link.local.attach.target = null;
  link.close(refusal);
}

/** A client that has not seen the detach yet hears the same reason for what it sends. */
const refusing = (refusal: Refusal): Binding => ({
  message: (_bytes, delivery) => delivery.update(true, rejected(refusal)),
  closed: () => undefined,
});

function readWish(link: Link, filter: unknown): SessionWish {
  const timeout = Number(link.remote.attach?.properties?.['com.microsoft:timeout']);
  return {
    sessionId: typeof filter === 'string' ? filter : undefined,
    waitMs: Number.isFinite(timeout) && timeout >= 0 ? timeout : DEFAULT_WAIT_MS,
  };
}
