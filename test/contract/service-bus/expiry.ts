/** Messages that may wait only so long, and receivers that remove what they receive. */
import { expect } from 'vitest';
import { caseList, type Scene } from '../service-bus.contract.ts';

const { cases, contract } = caseList();

export { cases as expiryCases };

const quiet = (scene: Scene) => new Promise((resolve) => setTimeout(resolve, scene.target.quietMs));

contract('drops a message whose time to live is over', {}, async (scene) => {
  await scene.send({ body: 'short', timeToLive: 1 }, { body: 'long', timeToLive: 60_000 });
  await quiet(scene);
  const message = await scene.receiveOne(scene.receiver());
  expect(message).toMatchObject({ body: 'long', timeToLive: 60_000 });
  expect(message.expiresAtUtc?.getTime()).toBe((message.enqueuedTimeUtc?.getTime() ?? 0) + 60_000);
  await scene.expectNothingNow(scene.receiver());
  await scene.expectNothingNow(scene.deadLetters());
});

contract(
  'dead-letters an expired message where that is asked for, with the reason',
  { deadLetterExpired: true },
  async (scene) => {
    await scene.send({ body: 'short', timeToLive: 1, messageId: 'm', applicationProperties: { a: 1 } });
    await quiet(scene);
    await scene.expectNothingNow(scene.receiver());
    const letters = scene.deadLetters();
    const letter = await scene.receiveOne(letters);
    expect(letter).toMatchObject({
      body: 'short',
      messageId: 'm',
      deadLetterReason: 'TTLExpiredException',
      applicationProperties: { a: 1 },
    });
    await letters.completeMessage(letter);
  },
);

contract(
  'takes the time to live of the queue for messages without one, and as the most that one may have',
  { defaultTtlMs: 1_000 },
  async (scene) => {
    await scene.send({ body: 'none' }, { body: 'longer', timeToLive: 600_000 });
    await new Promise((resolve) => setTimeout(resolve, 1_000 + scene.target.quietMs));
    await scene.send({ body: 'fresh', timeToLive: 600_000 });
    expect((await scene.receiveOne(scene.receiver())).body).toBe('fresh');
  },
);

contract('lets its holder settle a message that expires in his hands', { shortLocks: true }, async (scene) => {
  await scene.send({ body: 1, timeToLive: scene.target.quietMs }, { body: 2, timeToLive: scene.target.quietMs });
  const receiver = scene.receiver();
  const [one, two] = await scene.receive(receiver, 2);
  if (!one || !two) throw new Error('two messages were sent');
  await quiet(scene);
  await receiver.completeMessage(one);
  // An abandoned one is over at once.
  await receiver.abandonMessage(two);
  await scene.expectNothingLeft(receiver);
});

contract('counts the time of a scheduled message from when it is enqueued', {}, async (scene) => {
  const dueAt = new Date(Date.now() + 2 * scene.target.quietMs);
  await scene.send({ body: 1, timeToLive: 30_000, scheduledEnqueueTimeUtc: dueAt });
  const message = await scene.receiveOne(scene.receiver());
  expect(message.expiresAtUtc?.getTime()).toBe((message.enqueuedTimeUtc?.getTime() ?? 0) + 30_000);
});

contract('drops expired messages of a session and hands out the others', { requiresSession: true }, async (scene) => {
  await scene.send({ body: 'short', sessionId: 'a', timeToLive: 1 }, { body: 'stays', sessionId: 'a' });
  await quiet(scene);
  expect((await scene.receiveOne(await scene.session())).body).toBe('stays');
});

contract('removes a message as it is received with receiveAndDelete', { shortLocks: true }, async (scene) => {
  await scene.send({ body: 1 });
  const receiver = scene.client.createReceiver(scene.queue, { receiveMode: 'receiveAndDelete' });
  expect((await scene.receiveOne(receiver)).body).toBe(1);
  await receiver.close();
  await scene.expectNothingLeft(scene.receiver());
});

contract('hands many messages to who removes them, in order, and takes no settlement', {}, async (scene) => {
  await scene.send(...Array.from({ length: 30 }, (_, n) => ({ body: n })));
  const receiver = scene.client.createReceiver(scene.queue, { receiveMode: 'receiveAndDelete' });
  const received = await scene.receive(receiver, 30);
  expect(received.map(({ body }) => body)).toEqual(Array.from({ length: 30 }, (_, n) => n));
  const [first] = received;
  if (first) await expect(receiver.completeMessage(first)).rejects.toThrow();
  await scene.expectNothingNow(receiver);
});

contract('removes the messages of a session as they are received', { requiresSession: true }, async (scene) => {
  await scene.send({ body: 1, sessionId: 'a' }, { body: 2, sessionId: 'a' });
  const session = await scene.client.acceptSession(scene.queue, 'a', { receiveMode: 'receiveAndDelete' });
  expect((await scene.receive(session, 2)).map(({ body }) => body)).toEqual([1, 2]);
  await session.close();
  await scene.expectNothingNow(await scene.session('a', scene.connect()));
});

contract('removes dead letters as they are received', { maxDeliveryCount: 1 }, async (scene) => {
  await scene.send({ body: 1 });
  const receiver = scene.receiver();
  await receiver.abandonMessage(await scene.receiveOne(receiver));
  const options = { subQueueType: 'deadLetter', receiveMode: 'receiveAndDelete' } as const;
  expect((await scene.receiveOne(scene.client.createReceiver(scene.queue, options))).body).toBe(1);
  await scene.expectNothingNow(scene.deadLetters());
});
