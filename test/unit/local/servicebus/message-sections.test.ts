import rhea from 'rhea';
import { describe, expect, it } from 'vitest';
import { types } from '../../../../src/local/servicebus/amqp.ts';
import {
  encodeDelivery,
  readBatch,
  readMessage,
  withApplicationProperties,
} from '../../../../src/local/servicebus/message-sections.ts';
import type { Draft, StoredMessage } from '../../../../src/local/servicebus/store.ts';
import { decode } from '../../../support/queue-fixture.ts';

const encode = (message: object): Buffer => rhea.message.encode(message as never) as unknown as Buffer;
const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

function read(bytes: Buffer): Draft {
  const draft = readMessage(bytes, () => 'assigned');
  if (!draft.ok) throw new Error(draft.refusal.description);
  return draft.value;
}

function delivered(draft: Draft, changes: Partial<StoredMessage> = {}): Buffer {
  return encodeDelivery(
    { ...draft, sequence: 7, enqueuedAt: 1_000, deliveryCount: 2, state: 'active', ...changes },
    61_000,
  );
}

describe('a message on its way through the broker', () => {
  it('keeps everything the sender wrote, value for value', () => {
    const message = {
      message_id: 'id',
      user_id: Buffer.from('me'),
      to: 'there',
      subject: 'label',
      reply_to: 'here',
      correlation_id: types.wrap_ulong(5),
      content_type: 'text/plain',
      content_encoding: 'gzip',
      absolute_expiry_time: new Date(5_000_000),
      creation_time: new Date(4_000_000),
      group_id: 'session',
      group_sequence: 3,
      reply_to_group_id: 'their-session',
      application_properties: { text: 't', whole: types.wrap_int(-3), yes: true, none: null },
      message_annotations: { 'x-opt-partition-key': 'k', own: types.wrap_long(9) },
      footer: { checksum: 12 },
      body: rhea.message.data_section(Buffer.from('body')),
    };
    const [sent, arrived] = [decode(encode(message)), decode(delivered(read(encode(message))))];
    const { delivery_count, durable, message_annotations, ...rest } = arrived as unknown as Record<string, unknown>;
    const { message_annotations: sentAnnotations, ...expected } = sent as unknown as Record<string, unknown>;
    expect(rest).toEqual(expected);
    expect(message_annotations).toMatchObject(sentAnnotations as object);
    expect([delivery_count, durable]).toEqual([2, true]);
  });

  it('carries number, time of enqueueing and end of the lock as annotations', () => {
    const { message_annotations } = decode(delivered(read(encode({ message_id: 'id', body: 1 }))));
    expect(message_annotations).toEqual({
      'x-opt-sequence-number': 7,
      'x-opt-enqueued-time': new Date(1_000),
      'x-opt-locked-until': new Date(61_000),
    });
  });

  it('does not believe a sender who assigns those', () => {
    const message_annotations = { 'x-opt-sequence-number': 99, 'x-opt-locked-until': new Date(5), mine: 'kept' };
    const arrived = decode(delivered(read(encode({ message_id: 'id', body: 1, message_annotations }))));
    expect(arrived.message_annotations).toMatchObject({ 'x-opt-sequence-number': 7, mine: 'kept' });
    expect(arrived.message_annotations?.['x-opt-locked-until']).toEqual(new Date(61_000));
  });

  // A batch of encodings that rhea itself does not write, all allowed by AMQP 1.0 part 1.6.
  const properties = '00 53 73';
  it.each<{ name: string; bytes: string }>([
    {
      name: 'a value with an 8-byte descriptor',
      bytes: `${properties} c0 04 01 a1 01 61  00 80 0000000000000077 54 05`,
    },
    { name: 'several data sections', bytes: `${properties} c0 04 01 a1 01 61  00 53 75 a0 01 01  00 53 75 a0 01 02` },
    { name: 'sequences', bytes: `${properties} c0 04 01 a1 01 61  00 53 76 c0 03 01 54 01  00 53 76 45` },
    { name: 'arrays and maps', bytes: `${properties} c0 04 01 a1 01 61  00 53 77 c1 0a 02 a1 01 6b e0 04 02 54 01 02` },
    { name: 'a described body', bytes: `${properties} c0 04 01 a1 01 61  00 53 77 00 a3 03 61 3a 62 40` },
  ])('keeps every byte of $name', ({ bytes }) => {
    expect(read(bytesOf(bytes)).body).toEqual(bytesOf(bytes));
  });

  it.each<{ name: string; bytes: string }>([
    { name: 'no properties', bytes: '00 53 77 54 01' },
    { name: 'empty properties', bytes: '00 53 73 45 00 53 77 54 01' },
    { name: 'properties without an id', bytes: '00 53 73 c0 05 03 40 40 a1 00 00 53 77 54 01' },
  ])('gets an id when it has $name', ({ bytes }) => {
    expect(decode(read(bytesOf(bytes)).body)).toMatchObject({ message_id: 'assigned', body: 1 });
  });

  it.each<{ name: string; id: unknown; known: string }>([
    { name: 'a string', id: 'an-id', known: 'an-id' },
    { name: 'a number', id: types.wrap_ulong(258), known: '0x800000000000000102' },
    { name: 'none', id: undefined, known: 'assigned' },
  ])('is known by its id: $name', ({ id, known }) => {
    expect(read(encode({ message_id: id, body: 1 })).messageId).toBe(known);
  });

  it('keeps the properties beside an id that was missing', () => {
    const arrived = decode(read(encode({ to: 'there', group_id: 's', body: 1 })).body);
    expect(arrived).toMatchObject({ message_id: 'assigned', to: 'there', group_id: 's' });
  });

  it.each([
    ['short', 's'],
    ['long', 'ü'.repeat(200)],
    ['empty', ''],
  ])('belongs to the session it names: %s', (_name, group_id) => {
    expect(read(encode({ message_id: 'id', group_id, body: 1 })).sessionId).toBe(group_id);
  });

  it('belongs to no session when it names none', () => {
    expect(read(encode({ message_id: 'id', body: 1 })).sessionId).toBeUndefined();
  });
});

describe('a message that is scheduled', () => {
  const scheduledFor = (time: unknown) =>
    encode({ body: 1, message_annotations: { 'x-opt-scheduled-enqueue-time': time } });

  it('is due at the time it names, and keeps it for its receiver', () => {
    const draft = read(scheduledFor(new Date(5_000)));
    expect(draft.dueAt).toBe(5_000);
    expect(decode(delivered(draft)).message_annotations).toMatchObject({
      'x-opt-scheduled-enqueue-time': new Date(5_000),
    });
  });

  it('is due at once when it names none', () => {
    expect(read(scheduledFor(null)).dueAt).toBeUndefined();
  });

  it('is refused when its time is no instant', () => {
    expect(readMessage(scheduledFor('tomorrow'), () => 'assigned')).toMatchObject({
      ok: false,
      refusal: { condition: 'amqp:decode-error', description: expect.stringContaining('timestamp') },
    });
  });

  it.each([
    ['active', undefined],
    ['deferred', 1],
    ['scheduled', 2],
  ] as const)('or %s says so to who looks at it', (state, number) => {
    const annotations = decode(delivered(read(encode({ body: 1 })), { state })).message_annotations;
    expect(annotations?.['x-opt-message-state']).toBe(number);
  });
});

describe('a message that cannot be taken', () => {
  it.each<{ name: string; bytes: Buffer; condition: string; text: RegExp }>([
    {
      name: 'is cut off',
      bytes: encode({ message_id: 'id', body: 'text' }).subarray(0, -1),
      condition: 'amqp:decode-error',
      text: /cut off/,
    },
    { name: 'is no AMQP', bytes: Buffer.from('hello'), condition: 'amqp:decode-error', text: /described value/ },
    {
      name: 'has a named section',
      bytes: bytesOf('00 a3 01 61 40'),
      condition: 'amqp:decode-error',
      text: /descriptor/,
    },
    { name: 'has an unknown constructor', bytes: bytesOf('00 53 77 1f'), condition: 'amqp:decode-error', text: /0x1f/ },
    {
      name: 'promises more than it holds',
      bytes: bytesOf('00 53 73 d0 ffffffff 00000001'),
      condition: 'amqp:decode-error',
      text: /cut off/,
    },
  ])('$name, and is refused with the reason', ({ bytes, condition, text }) => {
    const draft = readMessage(bytes, () => 'assigned');
    expect(draft).toMatchObject({ ok: false, refusal: { condition, description: expect.stringMatching(text) } });
  });
});

describe('a batch', () => {
  it('holds one message per data section', () => {
    const messages = ['a', 'b'.repeat(300)].map((body) => encode({ message_id: body, body }));
    const batch = encode({ body: rhea.message.data_sections(messages as never) });
    expect(readBatch(batch)).toEqual({ ok: true, value: messages });
  });

  it('that is broken is refused whole', () => {
    expect(readBatch(Buffer.from([0, 0x53, 0x75, 0xa0, 9]))).toMatchObject({
      ok: false,
      refusal: { condition: 'amqp:decode-error' },
    });
  });
});

describe('changed application properties', () => {
  const changes = new Map([
    ['changed', types.wrap_string('new')],
    ['added', types.wrap_long(3)],
  ]);

  it('replace those of their names and leave the rest, byte for byte', () => {
    const application_properties = { kept: types.wrap_ubyte(7), changed: 'old' };
    const { body } = read(encode({ message_id: 'id', to: 'there', application_properties, body: 'text' }));
    const arrived = decode(withApplicationProperties(body, changes));
    expect(arrived).toMatchObject({ message_id: 'id', to: 'there', body: 'text' });
    expect(arrived.application_properties).toEqual({ kept: 7, changed: 'new', added: 3 });
  });

  it('stand there once, however often they change', () => {
    const once = withApplicationProperties(read(encode({ message_id: 'id', body: 'text' })).body, changes);
    expect(withApplicationProperties(once, changes)).toEqual(once);
  });

  it('come after the properties of a message that had none', () => {
    const { body } = read(encode({ message_id: 'id', body: 'text' }));
    const arrived = decode(withApplicationProperties(body, changes));
    expect(arrived).toMatchObject({ message_id: 'id', body: 'text' });
    expect(arrived.application_properties).toEqual({ changed: 'new', added: 3 });
  });

  it('that are none change nothing', () => {
    const { body } = read(encode({ message_id: 'id', body: 'text' }));
    expect(withApplicationProperties(body, new Map())).toBe(body);
  });
});
