/** The rest of what Azure's queues offer. */
import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { expect } from 'vitest';
import { caseList } from '../service-bus.contract.ts';

const { cases, contract } = caseList();

export { cases as moreCases };

function numberOf({ sequenceNumber }: ServiceBusReceivedMessage): NonNullable<typeof sequenceNumber> {
  if (!sequenceNumber) throw new Error('a received message has a sequence number');
  return sequenceNumber;
}

contract('peeks without taking, locked messages included', {}, async (scene) => {
  await scene.send({ body: 0 }, { body: 1 }, { body: 2 });
  const receiver = scene.receiver();
  const locked = await scene.receiveOne(receiver);
  const peeked = await receiver.peekMessages(2);
  expect(peeked.map(({ body }) => body)).toEqual([0, 1]);
  expect(peeked[0]).toMatchObject({ sequenceNumber: locked.sequenceNumber, messageId: locked.messageId });
  expect((await receiver.peekMessages(5)).map(({ body }) => body)).toEqual([2]);
  expect(await receiver.peekMessages(5)).toEqual([]);
  const again = await receiver.peekMessages(9, { fromSequenceNumber: numberOf(locked) });
  expect(again.map(({ body }) => body)).toEqual([0, 1, 2]);
  await receiver.completeMessage(locked);
});

contract('delivers a scheduled message when its time comes, unless it is cancelled', {}, async (scene) => {
  const sender = scene.client.createSender(scene.queue);
  const inMs = (ms: number) => new Date(Date.now() + ms);
  const [cancelled] = await sender.scheduleMessages({ body: 'never' }, inMs(scene.target.quietMs));
  const dueAt = inMs(2 * scene.target.quietMs);
  await sender.scheduleMessages({ body: 'later' }, dueAt);
  await sender.sendMessages({ body: 'last', scheduledEnqueueTimeUtc: inMs(3 * scene.target.quietMs) });
  await sender.sendMessages({ body: 'now' });
  if (cancelled) await sender.cancelScheduledMessages(cancelled);
  const received = await scene.receive(scene.receiver(), 3);
  expect(received.map(({ body }) => body)).toEqual(['now', 'later', 'last']);
  expect(received[1]?.enqueuedTimeUtc?.getTime()).toBeGreaterThanOrEqual(dueAt.getTime() - 1000);
});

contract('keeps a deferred message until it is asked for by its number', { shortLocks: true }, async (scene) => {
  await scene.send({ body: 1 });
  const receiver = scene.receiver();
  const message = await scene.receiveOne(receiver);
  await receiver.deferMessage(message, { deferred: 'yes' });
  await scene.expectNothingLeft(receiver);
  const [deferred] = await receiver.receiveDeferredMessages(numberOf(message));
  expect(deferred).toMatchObject({ body: 1, state: 'deferred', applicationProperties: { deferred: 'yes' } });
  if (deferred) await receiver.completeMessage(deferred);
  await expect(receiver.receiveDeferredMessages(numberOf(message))).rejects.toMatchObject({
    code: 'MessageNotFound',
  });
});

contract('keeps the deferred messages of a session for who holds it', { requiresSession: true }, async (scene) => {
  await scene.send({ body: 1, sessionId: 'a' }, { body: 2, sessionId: 'a' });
  const session = await scene.session('a');
  const one = await scene.receiveOne(session);
  await session.deferMessage(one);
  expect((await scene.receiveOne(session)).body).toBe(2);
  const [deferred] = await session.receiveDeferredMessages(numberOf(one));
  expect(deferred).toMatchObject({ body: 1, sessionId: 'a', state: 'deferred' });
  if (deferred) await session.completeMessage(deferred);
  expect((await session.peekMessages(5)).map(({ body }) => body)).toEqual([2]);
});

contract('keeps the state of a session', { requiresSession: true }, async (scene) => {
  const first = await scene.session('a');
  expect(await first.getSessionState()).toBeNull();
  await first.setSessionState({ step: 3 });
  await first.close();
  const second = await scene.session('a', scene.connect());
  expect(await second.getSessionState()).toEqual({ step: 3 });
  await second.setSessionState(Buffer.from([1, 2]));
  expect(await second.getSessionState()).toEqual(Buffer.from([1, 2]));
  await second.setSessionState(null);
  expect(await second.getSessionState()).toBeNull();
});

contract(
  'lets only its holder read and change the state of a session',
  { requiresSession: true, shortLocks: true },
  async (scene) => {
    const first = await scene.session('a');
    await first.setSessionState('kept');
    await scene.lockTime();
    await expect(first.setSessionState('too late')).rejects.toMatchObject({ code: 'SessionLockLost' });
    await expect(first.getSessionState()).rejects.toMatchObject({ code: 'SessionLockLost' });
    expect(await (await scene.session('a', scene.connect())).getSessionState()).toBe('kept');
  },
);

contract(
  'drops a message whose id it has seen before, received or not',
  { duplicateDetection: true },
  async (scene) => {
    await scene.send({ body: 1, messageId: 'a' }, { body: 2, messageId: 'a' }, { body: 3, messageId: 'b' });
    const receiver = scene.receiver();
    const received = await scene.receive(receiver, 2);
    expect(received.map(({ body }) => body)).toEqual([1, 3]);
    for (const message of received) await receiver.completeMessage(message);
    const sender = scene.client.createSender(scene.queue);
    await sender.sendMessages([
      { body: 4, messageId: 'a' },
      { body: 5, messageId: 'b' },
    ]);
    await scene.expectNothingNow(receiver);
  },
);
