/** Locks of messages: while one lasts, when it is renewed, when it runs out. */
import { expect } from 'vitest';
import { caseList } from '../service-bus.contract.ts';

const { cases, contract } = caseList();

export { cases as lockCases };

contract('keeps a locked message from other receivers', {}, async (scene) => {
  await scene.send({ body: 1 });
  await scene.receiveOne(scene.receiver());
  await scene.expectNothingNow(scene.receiver(scene.connect()));
});

contract('delivers again what was not settled in time, counted', { shortLocks: true }, async (scene) => {
  await scene.send({ body: 1, messageId: 'm' });
  const first = await scene.receiveOne(scene.receiver());
  const again = await scene.receiveOne(scene.receiver(scene.connect()));
  expect(again).toMatchObject({ messageId: 'm', deliveryCount: 1, sequenceNumber: first.sequenceNumber });
  expect(again.lockToken).not.toBe(first.lockToken);
});

contract('gives a message back to its place in the order', { shortLocks: true }, async (scene) => {
  await scene.send({ body: 1 }, { body: 2 });
  await scene.receiveOne(scene.receiver());
  await scene.lockTime();
  const received = await scene.receive(scene.receiver(scene.connect()), 2);
  expect(received.map(({ body }) => body)).toEqual([1, 2]);
});

contract('refuses to settle after the lock has run out', { shortLocks: true }, async (scene) => {
  await scene.send({ body: 1 }, { body: 2 }, { body: 3 });
  const receiver = scene.receiver();
  const [one, two, three] = await scene.receive(receiver, 3);
  if (!one || !two || !three) throw new Error('three messages were sent');
  await scene.lockTime();
  const lost = { code: 'MessageLockLost' };
  await expect(receiver.completeMessage(one)).rejects.toMatchObject(lost);
  await expect(receiver.abandonMessage(two)).rejects.toMatchObject(lost);
  await expect(receiver.deadLetterMessage(three)).rejects.toMatchObject(lost);
  const again = await scene.receive(scene.receiver(scene.connect()), 3);
  expect(again.map(({ body, deliveryCount }) => [body, deliveryCount])).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
});

contract(
  'refuses the first receiver, and not the second, once a message was delivered again',
  { shortLocks: true },
  async (scene) => {
    await scene.send({ body: 1 });
    const first = scene.receiver();
    const lost = await scene.receiveOne(first);
    const second = scene.receiver(scene.connect());
    const held = await scene.receiveOne(second);
    await expect(first.completeMessage(lost)).rejects.toMatchObject({ code: 'MessageLockLost' });
    await second.completeMessage(held);
    await scene.expectNothingLeft(second);
  },
);

contract('keeps a message whose lock is renewed', { shortLocks: true }, async (scene) => {
  await scene.send({ body: 1 });
  const receiver = scene.receiver();
  const message = await scene.receiveOne(receiver);
  const endsAt = message.lockedUntilUtc?.getTime() ?? 0;
  const other = scene.receiver(scene.connect());
  let renewedUntil = endsAt;
  while (Date.now() < endsAt + scene.target.shortLockMs / 2) {
    await new Promise((resolve) => setTimeout(resolve, scene.target.shortLockMs / 5));
    renewedUntil = (await receiver.renewMessageLock(message)).getTime();
  }
  expect(renewedUntil).toBeGreaterThan(endsAt);
  await receiver.completeMessage(message);
  await scene.expectNothingLeft(other);
});

contract('refuses to renew a lock that has run out', { shortLocks: true }, async (scene) => {
  await scene.send({ body: 1 });
  const receiver = scene.receiver();
  const message = await scene.receiveOne(receiver);
  await scene.lockTime();
  await expect(receiver.renewMessageLock(message)).rejects.toMatchObject({ code: 'MessageLockLost' });
});

contract(
  'counts locks that run out towards maxDeliveryCount',
  { shortLocks: true, maxDeliveryCount: 2 },
  async (scene) => {
    await scene.send({ body: 1 });
    const receiver = scene.receiver();
    await scene.receiveOne(receiver);
    expect((await scene.receiveOne(receiver)).deliveryCount).toBe(1);
    const dead = scene.deadLetters();
    expect((await scene.receiveOne(dead)).deadLetterReason).toBe('MaxDeliveryCountExceeded');
  },
);

contract('lets a message be settled after its receiver was closed', { shortLocks: true }, async (scene) => {
  await scene.send({ body: 1 }, { body: 2 });
  const receiver = scene.receiver();
  const [one, two] = await scene.receive(receiver, 2);
  if (!one || !two) throw new Error('two messages were sent');
  await receiver.close();
  const other = scene.receiver();
  // The client settles through the management node when the link is gone; it lets no closed receiver settle, but any open one.
  await other.completeMessage(one);
  await other.deadLetterMessage(two, { deadLetterReason: 'Late', deadLetterErrorDescription: 'after close' });
  await scene.expectNothingLeft(other);
  const dead = scene.deadLetters();
  expect(await scene.receiveOne(dead)).toMatchObject({
    body: 2,
    deadLetterReason: 'Late',
    deadLetterErrorDescription: 'after close',
  });
});

contract('keeps the messages of a closed receiver locked until their time', { shortLocks: true }, async (scene) => {
  await scene.send({ body: 1 });
  const receiver = scene.receiver();
  const message = await scene.receiveOne(receiver);
  await receiver.close();
  const again = await scene.receiveOne(scene.receiver(scene.connect()));
  expect(again.deliveryCount).toBe(1);
  expect(again.lockedUntilUtc?.getTime()).toBeGreaterThanOrEqual(
    (message.lockedUntilUtc?.getTime() ?? 0) + scene.target.shortLockMs,
  );
});
