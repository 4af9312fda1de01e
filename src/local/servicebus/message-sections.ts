/**
 * Takes encoded AMQP messages apart into their sections and puts delivered ones together, without decoding bodies or application properties:
 * what the sender encoded reaches the receiver byte for byte. Layout: AMQP 1.0 part 3.2 (docs.oasis-open.org/amqp/core/v1.0).
 */
import { type AmqpMap, decodeMessage, types } from './amqp.ts';
import { malformed, type OrRefusal, granted as ok, type Refusal, refused } from './errors.ts';
import type { Draft, MessageState, StoredMessage } from './store.ts';

/** Section descriptors. */
const HEADER = 0x70;
const MESSAGE_ANNOTATIONS = 0x72;
const PROPERTIES = 0x73;
const APPLICATION_PROPERTIES = 0x74;
const DATA = 0x75;

/** Constructors. */
const NULL = 0x40;
const ZERO_UINT = 0x43;
const SMALL_UINT = 0x52;
const UINT = 0x70;
const SMALL_ULONG = 0x53;
const ULONG = 0x80;
const TIMESTAMP = 0x83;

/** Positions of the items in their lists. */
const HEADER_TTL = 2;
const MESSAGE_ID = 0;
const GROUP_ID = 10;

interface Section {
  readonly code: number;
  /** Begin of the descriptor, of the value and end, in the message. */
  readonly start: number;
  readonly valueAt: number;
  readonly end: number;
}

/** The first byte after the value whose constructor stands at `at`. @throws RangeError when the bytes end before it does. */
function skipValue(bytes: Buffer, at: number): number {
  const code = bytes.readUInt8(at);
  if (code === 0) return skipValue(bytes, skipValue(bytes, at + 1));
  const end = at + 1 + valueSize(bytes, code, at + 1);
  if (end > bytes.length) throw new RangeError('value is cut off');
  return end;
}

/** The upper half of a constructor byte tells how the size is known (part 1.2). */
function valueSize(bytes: Buffer, code: number, at: number): number {
  switch (code >> 4) {
    case 0x4:
      return 0;
    case 0x5:
      return 1;
    case 0x6:
      return 2;
    case 0x7:
      return 4;
    case 0x8:
      return 8;
    case 0x9:
      return 16;
    case 0xa:
    case 0xc:
    case 0xe:
      return 1 + bytes.readUInt8(at);
    case 0xb:
    case 0xd:
    case 0xf:
      return 4 + bytes.readUInt32BE(at);
    default:
      throw new RangeError(`unknown constructor 0x${code.toString(16)}`);
  }
}

function readSections(bytes: Buffer): Section[] {
  const sections: Section[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.readUInt8(at) !== 0) throw new RangeError('a section must be a described value');
    const descriptor = bytes.readUInt8(at + 1);
    if (descriptor !== SMALL_ULONG && descriptor !== ULONG)
      throw new RangeError('a section needs a numeric descriptor');
    const valueAt = skipValue(bytes, at + 1);
    const end = skipValue(bytes, valueAt);
    sections.push({ code: bytes.readUInt8(valueAt - 1), start: at, valueAt, end });
    at = end;
  }
  return sections;
}

/** Where the items of a list or map begin, and how many there are. */
function readCompound(bytes: Buffer, valueAt: number): { itemsAt: number; count: number } {
  const code = bytes.readUInt8(valueAt);
  if (code === 0xc0 || code === 0xc1) return { itemsAt: valueAt + 3, count: bytes.readUInt8(valueAt + 2) };
  if (code === 0xd0 || code === 0xd1) return { itemsAt: valueAt + 9, count: bytes.readUInt32BE(valueAt + 5) };
  return { itemsAt: valueAt + 1, count: 0 };
}

/** Offset of item `index` of a list; undefined when it is absent or null. */
function itemAt(bytes: Buffer, valueAt: number, index: number): number | undefined {
  const { itemsAt, count } = readCompound(bytes, valueAt);
  if (index >= count) return undefined;
  let at = itemsAt;
  for (let i = 0; i < index; i++) at = skipValue(bytes, at);
  return bytes.readUInt8(at) === NULL ? undefined : at;
}

function readString(bytes: Buffer, at: number): string {
  const wide = bytes.readUInt8(at) >> 4 === 0xb;
  return bytes.toString('utf8', at + (wide ? 5 : 2), skipValue(bytes, at));
}

/** @throws RangeError when it is something else. */
function readUint(bytes: Buffer, at: number): number {
  const code = bytes.readUInt8(at);
  if (code === ZERO_UINT) return 0;
  if (code === SMALL_UINT) return bytes.readUInt8(at + 1);
  if (code === UINT) return bytes.readUInt32BE(at + 1);
  throw new RangeError('the time to live must be a uint');
}

const describe = (code: number, value: Buffer): Buffer => Buffer.concat([Buffer.from([0x00, 0x53, code]), value]);

/** A list or map in its wide form, from encoded items. */
function encodeCompound(typeCode: number, count: number, items: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUInt8(typeCode, 0);
  head.writeUInt32BE(items.length + 4, 1);
  head.writeUInt32BE(count, 5);
  return Buffer.concat([head, items]);
}

/**
 * What is stored of a message on the wire. The broker assigns a message id when the sender gave none: without one the client's lock renewer
 * throws.
 * @param newMessageId Called when an id is missing.
 */
export function readMessage(bytes: Buffer, newMessageId: () => string): OrRefusal<Draft> {
  try {
    const sections = readSections(bytes);
    const find = (code: number) => sections.find((section) => section.code === code);
    const header = find(HEADER);
    const ttlAt = header && itemAt(bytes, header.valueAt, HEADER_TTL);
    const annotations = keptAnnotations(bytes, find(MESSAGE_ANNOTATIONS));
    if (!annotations.ok) return annotations;
    const properties = find(PROPERTIES);
    const groupAt = properties && itemAt(bytes, properties.valueAt, GROUP_ID);
    const bare = sections.filter((section) => section.code > MESSAGE_ANNOTATIONS && section !== properties);
    const idAt = properties && itemAt(bytes, properties.valueAt, MESSAGE_ID);
    const messageId = idAt === undefined ? newMessageId() : readId(bytes, idAt);
    return ok({
      messageId,
      sessionId: groupAt === undefined ? undefined : readString(bytes, groupAt),
      ...annotations.value,
      ...(ttlAt !== undefined && { ttlMs: readUint(bytes, ttlAt) }),
      body: Buffer.concat([
        withMessageId(bytes, properties, idAt === undefined ? messageId : undefined),
        ...bare.map(({ start, end }) => bytes.subarray(start, end)),
      ]),
    });
  } catch (error) {
    return refused(asMalformed(error));
  }
}

const asMalformed = (error: unknown): Refusal =>
  malformed(`The message cannot be read: ${error instanceof Error ? error.message : String(error)}.`);

/** An id is a string for the client; other AMQP types are told apart from strings and each other by their bytes. */
function readId(bytes: Buffer, at: number): string {
  const isString = [0xa1, 0xb1].includes(bytes.readUInt8(at));
  return isString ? readString(bytes, at) : `0x${bytes.toString('hex', at, skipValue(bytes, at))}`;
}

/** The properties section, with `newId` in it when one is given. */
function withMessageId(bytes: Buffer, properties: Section | undefined, newId: string | undefined): Buffer {
  if (properties && newId === undefined) return bytes.subarray(properties.start, properties.end);
  const id = Buffer.from(newId ?? '', 'utf8');
  const encodedId = Buffer.concat([Buffer.from([0xa1, id.length]), id]);
  if (!properties) return describe(PROPERTIES, encodeCompound(0xd0, 1, encodedId));
  const { itemsAt, count } = readCompound(bytes, properties.valueAt);
  const others = count === 0 ? Buffer.alloc(0) : bytes.subarray(skipValue(bytes, itemsAt), properties.end);
  return describe(PROPERTIES, encodeCompound(0xd0, Math.max(count, 1), Buffer.concat([encodedId, others])));
}

/** Annotations that the broker assigns; a sender's own are dropped. */
const ASSIGNED = new Set(['x-opt-sequence-number', 'x-opt-enqueued-time', 'x-opt-locked-until']);

const SCHEDULED_TIME = 'x-opt-scheduled-enqueue-time';

/** The sender's annotations, and the instant for which it scheduled the message. */
function keptAnnotations(bytes: Buffer, section: Section | undefined): OrRefusal<Pick<Draft, 'annotations' | 'dueAt'>> {
  if (!section) return ok({ annotations: undefined, dueAt: undefined });
  const { itemsAt, count } = readCompound(bytes, section.valueAt);
  const kept: Buffer[] = [];
  let dueAt: number | undefined;
  for (let i = 0, at = itemsAt; i < count; i += 2) {
    const key = readString(bytes, at);
    const valueAt = skipValue(bytes, at);
    const end = skipValue(bytes, valueAt);
    if (key === SCHEDULED_TIME && bytes.readUInt8(valueAt) !== NULL) {
      if (bytes.readUInt8(valueAt) !== TIMESTAMP) return refused(malformed(`${SCHEDULED_TIME} must be a timestamp.`));
      dueAt = Number(bytes.readBigInt64BE(valueAt + 1));
    }
    if (!ASSIGNED.has(key)) kept.push(bytes.subarray(at, end));
    at = end;
  }
  const annotations = kept.length === 0 ? undefined : encodeCompound(0xd1, kept.length * 2, Buffer.concat(kept));
  return ok({ annotations, dueAt });
}

/** What a filter can look at, with the names that the client gives it. */
export interface MessageFacts {
  readonly fields: Readonly<Record<string, string | undefined>>;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Reads the properties of a stored message; its body is not looked at. */
export function readFacts(body: Buffer): MessageFacts {
  const parts = readSections(body).filter(({ code }) => code === PROPERTIES || code === APPLICATION_PROPERTIES);
  const read = decodeMessage(Buffer.concat(parts.map(({ start, end }) => body.subarray(start, end))));
  const text = (value: unknown): string | undefined =>
    value === null || value === undefined ? undefined : String(value);
  return {
    fields: {
      correlationId: text(read.correlation_id),
      messageId: text(read.message_id),
      to: text(read.to),
      replyTo: text(read.reply_to),
      subject: text(read.subject),
      sessionId: text(read.group_id),
      replyToSessionId: text(read.reply_to_group_id),
      contentType: text(read.content_type),
    },
    properties: read.application_properties ?? {},
  };
}

/** The encoded messages of a batch (message format 0x80013700): each data section holds one. */
export function readBatch(bytes: Buffer): OrRefusal<Buffer[]> {
  try {
    const data = readSections(bytes).filter((section) => section.code === DATA);
    return ok(
      data.map(({ valueAt, end }) => bytes.subarray(valueAt + (bytes.readUInt8(valueAt) === 0xa0 ? 2 : 5), end)),
    );
  } catch (error) {
    return refused(asMalformed(error));
  }
}

/** The stored body with `changes` merged into its application properties. */
export function withApplicationProperties(body: Buffer, changes: AmqpMap): Buffer {
  if (changes.size === 0) return body;
  const sections = readSections(body);
  const existing = sections.find((section) => section.code === APPLICATION_PROPERTIES);
  const items: Buffer[] = [];
  if (existing) {
    const { itemsAt, count } = readCompound(body, existing.valueAt);
    for (let i = 0, at = itemsAt; i < count; i += 2) {
      const end = skipValue(body, skipValue(body, at));
      if (!changes.has(readString(body, at))) items.push(body.subarray(at, end));
      at = end;
    }
  }
  for (const [key, value] of changes) {
    const writer = new types.Writer();
    writer.write(types.wrap_string(key));
    writer.write(value);
    items.push(Buffer.from(writer.toBuffer()));
  }
  const section = describe(APPLICATION_PROPERTIES, encodeCompound(0xd1, items.length * 2, Buffer.concat(items)));
  const properties = sections.find(({ code }) => code === PROPERTIES);
  const insertAt = existing?.start ?? properties?.end ?? 0;
  return Buffer.concat([body.subarray(0, insertAt), section, body.subarray(existing?.end ?? insertAt)]);
}

const symbol = (name: string): Buffer => Buffer.concat([Buffer.from([0xa3, name.length]), Buffer.from(name, 'ascii')]);
const SEQUENCE_NUMBER = Buffer.concat([symbol('x-opt-sequence-number'), Buffer.from([0x81])]);
const ENQUEUED_TIME = Buffer.concat([symbol('x-opt-enqueued-time'), Buffer.from([0x83])]);
const LOCKED_UNTIL = Buffer.concat([symbol('x-opt-locked-until'), Buffer.from([0x83])]);

/** A header of (durable, –, time to live, –, delivery count), followed by the head of a map32 of message annotations. */
const PREFIX = Buffer.from([
  ...[0x00, 0x53, HEADER, 0xc0, 14, 5, 0x41, NULL, UINT, 0, 0, 0, 0, NULL, UINT, 0, 0, 0, 0],
  ...[0x00, 0x53, MESSAGE_ANNOTATIONS, 0xd1, 0, 0, 0, 0, 0, 0, 0, 0],
]);
const TTL_AT = 9;
const DELIVERY_COUNT_AT = 15;
const MAP_SIZE_AT = 23;
const MAP_COUNT_AT = 27;
/** What the header says of a message that does not expire, or not within the 49 days that it can name: nothing. */
const LONGEST_TTL_MS = 0xffffffff;
/** The same without a time to live. */
const ENDLESS_PREFIX = Buffer.concat([
  Buffer.from([0x00, 0x53, HEADER, 0xc0, 10, 5, 0x41, NULL, NULL]),
  PREFIX.subarray(TTL_AT + 4),
]);

/** Annotation of a state that is not active. */
const STATE: Readonly<Record<MessageState, Buffer>> = {
  active: Buffer.alloc(0),
  deferred: Buffer.concat([symbol('x-opt-message-state'), Buffer.from([0x54, 1])]),
  scheduled: Buffer.concat([symbol('x-opt-message-state'), Buffer.from([0x54, 2])]),
};

/**
 * The message as a receiver gets it: delivery count as is (0 on the first delivery), times in epoch ms.
 * @param lockedUntil Undefined: it is only looked at.
 */
export function encodeDelivery(message: StoredMessage, lockedUntil: number | undefined): Buffer {
  const { annotations, body, state } = message;
  const assigned: [Buffer, number][] = [
    [SEQUENCE_NUMBER, message.sequence],
    [ENQUEUED_TIME, message.enqueuedAt],
  ];
  if (lockedUntil !== undefined) assigned.push([LOCKED_UNTIL, lockedUntil]);
  const senders = annotations?.subarray(9);
  const sendersCount = annotations?.readUInt32BE(5) ?? 0;
  let annotationBytes = STATE[state].length + (senders?.length ?? 0);
  for (const [key] of assigned) annotationBytes += key.length + 8;
  const { ttlMs = Number.POSITIVE_INFINITY } = message;
  const prefix = ttlMs <= LONGEST_TTL_MS ? PREFIX : ENDLESS_PREFIX;
  const shift = prefix.length - PREFIX.length;
  const bytes = Buffer.allocUnsafe(prefix.length + annotationBytes + body.length);
  prefix.copy(bytes);
  if (prefix === PREFIX) bytes.writeUInt32BE(ttlMs, TTL_AT);
  bytes.writeUInt32BE(message.deliveryCount, DELIVERY_COUNT_AT + shift);
  bytes.writeUInt32BE(annotationBytes + 4, MAP_SIZE_AT + shift);
  bytes.writeUInt32BE(2 * assigned.length + (state === 'active' ? 0 : 2) + sendersCount, MAP_COUNT_AT + shift);
  let at = prefix.length;
  for (const [key, value] of assigned) {
    at += key.copy(bytes, at);
    at = bytes.writeBigInt64BE(BigInt(value), at);
  }
  at += STATE[state].copy(bytes, at);
  if (senders) at += senders.copy(bytes, at);
  body.copy(bytes, at);
  return bytes;
}
