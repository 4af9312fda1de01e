/**
 * The `$management` node of an entity: renewing locks, settling by lock token, looking at messages, scheduled and deferred messages, state of sessions,
 * rules of subscriptions. Other operations are refused by name.
 * Shapes: learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response.
 */
import { type AmqpMap, type AmqpRequest, type Typed, types } from './amqp.ts';
import type { Entity } from './entities.ts';
import { malformed, messageTooLarge, notAllowed, notOffered, type Refusal } from './errors.ts';
import { MAX_MESSAGE_BYTES } from './links.ts';
import { uuidBytes, uuidText } from './lock-token.ts';
import { encodeDelivery, readMessage } from './message-sections.ts';
import type { Queue } from './queue.ts';
import type { Settlement } from './queue-definition.ts';
import { encodeRule, type Rules, readRule } from './rules.ts';
import type { Draft } from './store.ts';

const TIMESTAMP = 0x83;
const LONG = 0x81;

/** What is answered: the body of a success, that there is nothing, or why not. */
export type ManagementReply = { readonly body: unknown } | 'no content' | { readonly refusal: Refusal };

/** Largest state of a session, in bytes: the Standard tier's (service-bus-quotas). */
const MAX_SESSION_STATE_BYTES = 256 * 1024;

/** @param newMessageId Called for a scheduled message without an id. */
export async function manage(
  entity: Entity,
  request: AmqpRequest,
  newMessageId: () => string,
): Promise<ManagementReply> {
  const operation = String(request.application_properties?.['operation']).replace(/^com\.microsoft:/, '');
  const link = request.application_properties?.['associated-link-name'];
  const linkName = typeof link === 'string' ? link : undefined;
  const body = isRecord(request.body) ? request.body : {};
  const sink = entity.kind === 'topic' ? entity.topic : entity.queue;
  switch (operation) {
    case 'schedule-message':
      return entity.kind === 'subscription' ? onlyTopicsTake : schedule(sink, body, newMessageId);
    case 'cancel-scheduled-message': {
      const refusal = await sink.cancelScheduled(wholeNumbers(body['sequence-numbers']));
      return refusal ? { refusal } : { body: {} };
    }
    case 'add-rule':
    case 'remove-rule':
    case 'enumerate-rules':
      return entity.kind === 'subscription'
        ? manageRules(entity.rules, operation, body)
        : { refusal: notAllowed('Only subscriptions have rules.') };
    default:
      return entity.kind === 'topic'
        ? { refusal: notOffered(`the management operation '${operation}' on topics`) }
        : manageQueue(entity.queue, operation, body, linkName);
  }
}

const onlyTopicsTake: ManagementReply = {
  refusal: notAllowed('Messages cannot be sent to a subscription: send them to its topic.'),
};

async function manageRules(
  rules: Rules,
  operation: 'add-rule' | 'remove-rule' | 'enumerate-rules',
  body: Body,
): Promise<ManagementReply> {
  if (operation === 'enumerate-rules') {
    const [skip, top] = [wholeNumber(body['skip']) ?? 0, wholeNumber(body['top']) ?? Number.POSITIVE_INFINITY];
    const listed = rules.list().slice(skip, skip + top);
    if (listed.length === 0) return 'no content';
    const entries = listed.map((rule) => types.wrap_map({ 'rule-description': encodeRule(rule) }));
    return { body: { rules: types.wrap_list(entries) } };
  }
  if (operation === 'remove-rule') {
    const refusal = await rules.remove(String(body['rule-name']));
    return refusal ? { refusal } : { body: {} };
  }
  const rule = readRule(body['rule-name'], body['rule-description']);
  const refusal = rule.ok ? await rules.add(rule.value) : rule.refusal;
  return refusal ? { refusal } : { body: {} };
}

async function manageQueue(
  queue: Queue,
  operation: string,
  body: Body,
  linkName: string | undefined,
): Promise<ManagementReply> {
  switch (operation) {
    case 'renew-lock':
      return renewLocks(queue, body);
    case 'renew-session-lock':
      return renewSession(queue, body, linkName);
    case 'peek-message':
      return peek(queue, body);
    case 'receive-by-sequence-number':
      return receiveDeferred(queue, body, linkName);
    case 'get-session-state':
      return sessionState(queue, body, linkName);
    case 'set-session-state':
      return keepSessionState(queue, body, linkName);
    case 'update-disposition':
      return updateDisposition(queue, body);
    default:
      return { refusal: notOffered(`the management operation '${operation}'`) };
  }
}

function renewLocks(queue: Queue, body: Body): ManagementReply {
  const expirations: number[] = [];
  for (const token of lockTokens(body)) {
    const renewed = queue.renewLock(token);
    if (!renewed.ok) return { refusal: renewed.refusal };
    expirations.push(renewed.value);
  }
  return { body: { expirations: types.wrap_array(expirations, TIMESTAMP, undefined) } };
}

type Body = Readonly<Record<string, unknown>>;

const noSessionId: ManagementReply = { refusal: malformed("The operation needs a string 'session-id'.") };

function renewSession(queue: Queue, body: Body, linkName: string | undefined): ManagementReply {
  const sessionId = body['session-id'];
  if (typeof sessionId !== 'string') return noSessionId;
  const renewed = queue.renewSession(sessionId, linkName);
  return renewed.ok ? { body: { expiration: types.wrap_timestamp(renewed.value) } } : { refusal: renewed.refusal };
}

function sessionState(queue: Queue, body: Body, linkName: string | undefined): ManagementReply {
  const sessionId = body['session-id'];
  if (typeof sessionId !== 'string') return noSessionId;
  const state = queue.sessionState(sessionId, linkName);
  return state.ok ? { body: { 'session-state': state.value ?? null } } : { refusal: state.refusal };
}

async function keepSessionState(queue: Queue, body: Body, linkName: string | undefined): Promise<ManagementReply> {
  const sessionId = body['session-id'];
  const state = body['session-state'];
  if (typeof sessionId !== 'string') return noSessionId;
  const bytes = Buffer.isBuffer(state) ? state : undefined;
  if (bytes === undefined && state !== null && state !== undefined)
    return { refusal: malformed("'session-state' must be binary or null.") };
  if (bytes && bytes.length > MAX_SESSION_STATE_BYTES)
    return { refusal: messageTooLarge(bytes.length, MAX_SESSION_STATE_BYTES) };
  const refusal = await queue.keepSessionState(sessionId, linkName, bytes);
  return refusal ? { refusal } : { body: {} };
}

function peek(queue: Queue, body: Body): ManagementReply {
  const from = wholeNumber(body['from-sequence-number']);
  const count = wholeNumber(body['message-count']);
  const sessionId = body['session-id'];
  if (from === undefined || count === undefined)
    return { refusal: malformed("peek-message needs 'from-sequence-number' and 'message-count'.") };
  const messages = queue.peek(from, count, typeof sessionId === 'string' ? sessionId : undefined);
  if (messages.length === 0) return 'no content';
  return {
    body: {
      messages: types.wrap_list(
        messages.map((message) => types.wrap_map({ message: encodeDelivery(message, undefined) })),
      ),
    },
  };
}

async function receiveDeferred(queue: Queue, body: Body, linkName: string | undefined): Promise<ManagementReply> {
  const sequences = wholeNumbers(body['sequence-numbers']);
  const sessionId = body['session-id'];
  const received = queue.receiveDeferred(sequences, typeof sessionId === 'string' ? sessionId : undefined, linkName);
  if (!received.ok) return { refusal: received.refusal };
  const entries: Typed[] = [];
  for (const { token, message, lockedUntil } of received.value) {
    entries.push(
      types.wrap_map({
        'lock-token': types.wrap_uuid(uuidBytes(token)),
        message: encodeDelivery(message, lockedUntil),
      }),
    );
  }
  return { body: { messages: types.wrap_list(entries) } };
}

async function schedule(sink: Pick<Queue, 'send'>, body: Body, newMessageId: () => string): Promise<ManagementReply> {
  const entries: unknown[] = Array.isArray(body['messages']) ? body['messages'] : [];
  const drafts: Draft[] = [];
  for (const entry of entries) {
    const bytes = isRecord(entry) ? entry['message'] : undefined;
    if (!Buffer.isBuffer(bytes)) return { refusal: malformed("Each of 'messages' needs an encoded 'message'.") };
    if (bytes.length > MAX_MESSAGE_BYTES) return { refusal: messageTooLarge(bytes.length, MAX_MESSAGE_BYTES) };
    const draft = readMessage(bytes, newMessageId);
    if (!draft.ok) return { refusal: draft.refusal };
    if (draft.value.dueAt === undefined)
      return { refusal: malformed('A message to be scheduled needs x-opt-scheduled-enqueue-time.') };
    drafts.push(draft.value);
  }
  const sent = await sink.send(drafts);
  if (!sent.ok) return { refusal: sent.refusal };
  const sequences = sent.value.map(({ sequence }) => sequence);
  return { body: { 'sequence-numbers': types.wrap_array(sequences, LONG, undefined) } };
}

const wholeNumbers = (values: unknown): number[] =>
  Array.isArray(values) ? values.map(wholeNumber).filter((value) => value !== undefined) : [];

/** A number from the wire; rhea reads a long beyond 2^53 as bytes. */
function wholeNumber(value: unknown): number | undefined {
  if (Buffer.isBuffer(value) && value.length === 8) return Number(value.readBigInt64BE());
  return typeof value === 'number' ? value : undefined;
}

async function updateDisposition(queue: Queue, body: Body): Promise<ManagementReply> {
  const settlement = readSettlement(body);
  if ('refusal' in settlement) return settlement;
  const refusals = await Promise.all(lockTokens(body).map((token) => queue.settle(token, settlement)));
  const refusal = refusals.find((one) => one !== undefined);
  return refusal ? { refusal } : { body: {} };
}

function readSettlement(body: Body): Settlement | { readonly refusal: Refusal } {
  const modified = body['properties-to-modify'];
  const properties = new Map<string, Typed>();
  for (const [key, value] of Object.entries(isRecord(modified) ? modified : {}))
    if (value !== null && value !== undefined) properties.set(key, types.wrap(value));
  switch (body['disposition-status']) {
    case 'completed':
      return { kind: 'complete' };
    case 'abandoned':
      return { kind: 'abandon', properties };
    case 'defered':
      return { kind: 'defer', properties };
    case 'suspended':
      return { kind: 'deadLetter', properties: withReason(properties, body) };
    default:
      return { refusal: notOffered(`the disposition '${String(body['disposition-status'])}'`) };
  }
}

function withReason(properties: ReadonlyMap<string, Typed>, body: Body): AmqpMap {
  const all = new Map(properties);
  const reason = body['deadletter-reason'];
  const description = body['deadletter-description'];
  if (typeof reason === 'string') all.set('DeadLetterReason', types.wrap_string(reason));
  if (typeof description === 'string') all.set('DeadLetterErrorDescription', types.wrap_string(description));
  return all;
}

/** Lock tokens come as uuids in RFC byte order. */
function lockTokens(body: Body): string[] {
  const tokens = body['lock-tokens'];
  return Array.isArray(tokens) ? tokens.filter((token) => Buffer.isBuffer(token)).map((token) => uuidText(token)) : [];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
