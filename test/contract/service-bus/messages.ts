/** Sending, and settling what is received. */
import type { ServiceBusMessage } from '@azure/service-bus';
import { expect } from 'vitest';
import { caseList } from '../service-bus.contract.ts';

const { cases, contract } = caseList();

export { cases as messageCases };

const KIB = 1024;
const ids = { messageId: expect.stringMatching(/./), sequenceNumber: expect.anything() };

contract('assigns an id, a sequence number and a time to a message without them', {}, async (scene) => {
  const before = Date.now();
  await scene.send({ body: 'a' }, { body: 'b' });
  const [a, b] = await scene.receive(scene.receiver(), 2);
  expect(a).toMatchObject({ body: 'a', deliveryCount: 0, ...ids });
  expect(b?.messageId).not.toBe(a?.messageId);
  expect(b?.sequenceNumber?.sub(a?.sequenceNumber ?? 0).toNumber()).toBe(1);
  // The clock of a namespace in the cloud may be off by some seconds.
  expect(Math.abs((a?.enqueuedTimeUtc?.getTime() ?? 0) - before)).toBeLessThan(60_000);
  expect(a?.lockedUntilUtc?.getTime()).toBeGreaterThan(a?.enqueuedTimeUtc?.getTime() ?? 0);
});

contract('delivers what the sender wrote', {}, async (scene) => {
  const message = {
    body: { text: 'ä€😀', list: [1, null, 2.5], nested: { deep: true } },
    messageId: 'an-id',
    contentType: 'application/json',
    correlationId: 'a-correlation',
    subject: 'a-subject',
    to: 'somewhere',
    replyTo: 'somebody',
    replyToSessionId: 'their-session',
    partitionKey: 'a-key',
    applicationProperties: { string: 's', int: 7, double: 0.5, negative: -3, yes: true, no: false, none: null },
  };
  await scene.send(message);
  expect(await scene.receiveOne(scene.receiver())).toMatchObject(message);
});

contract('keeps bodies of every kind apart', {}, async (scene) => {
  const bodies = ['text', 42, true, null, [1, 'two'], Buffer.from([0, 1, 254, 255]), '', { empty: {} }];
  await scene.send(...bodies.map((body) => ({ body })));
  const received = await scene.receive(scene.receiver(), bodies.length);
  expect(received.map(({ body }) => body)).toEqual(bodies);
});

contract('stores a batch whole and in order', {}, async (scene) => {
  const sender = scene.client.createSender(scene.queue);
  const batch = await sender.createMessageBatch();
  for (let n = 0; n < 20; n++)
    expect(batch.tryAddMessage({ body: n, messageId: `m${n}`, applicationProperties: { n } })).toBe(true);
  await sender.sendMessages(batch);
  await sender.sendMessages([{ body: 20 }, { body: 21 }]);
  const received = await scene.receive(scene.receiver(), 22);
  expect(received.map(({ body }) => body)).toEqual(Array.from({ length: 22 }, (_, n) => n));
  expect(received[7]).toMatchObject({ messageId: 'm7', applicationProperties: { n: 7 } });
});

contract('takes a message of nearly 256 KiB whole, and refuses a larger one', {}, async (scene) => {
  const sender = scene.client.createSender(scene.queue);
  const body = Buffer.alloc(255 * KIB, 'x');
  await sender.sendMessages({ body });
  expect((await scene.receiveOne(scene.receiver())).body).toEqual(body);
  const tooLarge = sender.sendMessages({ body: Buffer.alloc(256 * KIB + 1) });
  await expect(tooLarge).rejects.toMatchObject({ code: 'MessageSizeExceeded' });
});

contract('tells senders of batches that they may hold 256 KiB', {}, async (scene) => {
  const batch = await scene.client.createSender(scene.queue).createMessageBatch();
  expect(batch.maxSizeInBytes).toBe(256 * KIB);
  const message: ServiceBusMessage = { body: Buffer.alloc(100 * KIB) };
  expect([1, 2, 3].map(() => batch.tryAddMessage(message))).toEqual([true, true, false]);
});

contract('hands out messages in the order of their arrival', {}, async (scene) => {
  await scene.send(...Array.from({ length: 10 }, (_, n) => ({ body: n })));
  const received = await scene.receive(scene.receiver(), 10);
  expect(received.map(({ body }) => body)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

contract('lets a receiver wait for a message that is sent later', {}, async (scene) => {
  const coming = scene.receiveOne(scene.receiver());
  await scene.send({ body: 'late' });
  expect((await coming).body).toBe('late');
});

contract('shares messages among receivers, each going to one', {}, async (scene) => {
  const seen: number[][] = [[], [], []];
  const receivers = seen.map(() => scene.receiver(scene.connect()));
  const all = Promise.withResolvers<void>();
  for (const [i, receiver] of receivers.entries())
    receiver.subscribe({
      processMessage: async ({ body }) => {
        seen[i]?.push(body as number);
        if (seen.flat().length === 60) all.resolve();
      },
      processError: async ({ error }) => all.reject(error),
    });
  await scene.send(...Array.from({ length: 60 }, (_, n) => ({ body: n })));
  await all.promise;
  expect(seen.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, n) => n));
  expect(seen.every((bodies) => bodies.length > 0)).toBe(true);
  await Promise.all(receivers.map((receiver) => receiver.close()));
});

contract('removes a completed message for good', { shortLocks: true }, async (scene) => {
  await scene.send({ body: 1 });
  const receiver = scene.receiver();
  await receiver.completeMessage(await scene.receiveOne(receiver));
  await scene.expectNothingLeft(receiver);
});

contract('delivers an abandoned message again, counted and with the changed properties', {}, async (scene) => {
  await scene.send({ body: 1, messageId: 'm', applicationProperties: { kept: 'k', changed: 'old' } });
  const receiver = scene.receiver();
  const first = await scene.receiveOne(receiver);
  await receiver.abandonMessage(first, { changed: 'new', added: 3 });
  expect(await scene.receiveOne(receiver)).toMatchObject({
    body: 1,
    messageId: 'm',
    deliveryCount: 1,
    sequenceNumber: first.sequenceNumber,
    applicationProperties: { kept: 'k', changed: 'new', added: 3 },
  });
});

contract('abandons for a subscriber whose handler throws, and completes for one that returns', {}, async (scene) => {
  await scene.send({ body: 1 });
  const deliveryCounts: (number | undefined)[] = [];
  const twice = Promise.withResolvers<void>();
  const receiver = scene.receiver();
  receiver.subscribe({
    processMessage: async ({ deliveryCount }) => {
      deliveryCounts.push(deliveryCount);
      if (deliveryCounts.length === 1) throw new Error('not yet');
      twice.resolve();
    },
    processError: async () => undefined,
  });
  await twice.promise;
  expect(deliveryCounts).toEqual([0, 1]);
});

contract('dead-letters what failed maxDeliveryCount times', { maxDeliveryCount: 3 }, async (scene) => {
  await scene.send({ body: 'poison', messageId: 'p', applicationProperties: { a: 1 } });
  const receiver = scene.receiver();
  const deliveryCounts: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const message = await scene.receiveOne(receiver);
    deliveryCounts.push(message.deliveryCount);
    await receiver.abandonMessage(message);
  }
  expect(deliveryCounts).toEqual([0, 1, 2]);
  await scene.expectNothingNow(receiver);
  const dead = scene.deadLetters();
  expect(await scene.receiveOne(dead)).toMatchObject({
    body: 'poison',
    messageId: 'p',
    deadLetterReason: 'MaxDeliveryCountExceeded',
    deadLetterErrorDescription: expect.stringContaining('3 delivery attempts'),
    applicationProperties: { a: 1 },
  });
});

contract(
  'dead-letters on demand with reason, description and properties; the dead letters are a queue',
  { shortLocks: true },
  async (scene) => {
    await scene.send({ body: 'bad', applicationProperties: { a: 1 } }, { body: 'worse' });
    const receiver = scene.receiver();
    const [bad, worse] = await scene.receive(receiver, 2);
    if (!bad || !worse) throw new Error('two messages were sent');
    const why = { deadLetterReason: 'Unreadable', deadLetterErrorDescription: 'no such field' };
    await receiver.deadLetterMessage(bad, { ...why, b: 2 });
    await receiver.deadLetterMessage(worse);
    await scene.expectNothingLeft(receiver);
    const dead = scene.deadLetters();
    const letters = await scene.receive(dead, 2);
    expect(letters[0]).toMatchObject({ body: 'bad', ...why, applicationProperties: { a: 1, b: 2 } });
    expect(letters[1]?.body).toBe('worse');
    expect(letters[1]?.deadLetterReason).toBeUndefined();
    for (const letter of letters) await dead.completeMessage(letter);
    await scene.expectNothingLeft(dead);
  },
);

contract('keeps a dead letter that is abandoned, however often', { maxDeliveryCount: 1 }, async (scene) => {
  await scene.send({ body: 1 });
  const receiver = scene.receiver();
  await receiver.abandonMessage(await scene.receiveOne(receiver));
  const dead = scene.deadLetters();
  for (let i = 0; i < 3; i++) await dead.abandonMessage(await scene.receiveOne(dead));
  expect((await scene.receiveOne(dead)).body).toBe(1);
});
