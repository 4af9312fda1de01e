/** Topics, their subscriptions, and the rules that say which messages a subscription gets. */
import type { ServiceBusMessage } from '@azure/service-bus';
import { expect } from 'vitest';
import { caseList, type Scene } from '../service-bus.contract.ts';

const { cases, contract } = caseList();

export { cases as topicCases };

const all = { name: 'all' };
const some = { name: 'some' };
const topic = { subscriptions: [all, some] };

const subscribed = (scene: Scene, subscription: string, options = {}) =>
  scene.client.createReceiver(scene.queue, subscription, { maxAutoLockRenewalDurationInMs: 0, ...options });
const rulesOf = (scene: Scene, subscription: string) => scene.client.createRuleManager(scene.queue, subscription);

async function listRules(scene: Scene, subscription: string): Promise<unknown[]> {
  const rules: unknown[] = [];
  // Where there are no rules the client lists one that is undefined.
  for await (const rule of rulesOf(scene, subscription).listRules()) if (rule) rules.push(rule);
  return rules;
}

const bodiesOf = async (scene: Scene, subscription: string, count: number): Promise<unknown[]> =>
  (await scene.receive(subscribed(scene, subscription), count)).map(({ body }) => body);

contract('gives every subscription its own copy, in order', topic, async (scene) => {
  await scene.send({ body: 1, messageId: 'm1', subject: 's', applicationProperties: { a: 1 } }, { body: 2 });
  for (const { name } of [all, some]) {
    const receiver = subscribed(scene, name);
    const [one, two] = await scene.receive(receiver, 2);
    expect(one).toMatchObject({
      body: 1,
      messageId: 'm1',
      subject: 's',
      applicationProperties: { a: 1 },
      deliveryCount: 0,
    });
    expect(two).toMatchObject({ body: 2, messageId: expect.stringMatching(/./) });
    // Settling one copy leaves the other alone.
    if (one && two) await Promise.all([receiver.completeMessage(one), receiver.completeMessage(two)]);
    await scene.expectNothingNow(receiver);
  }
});

contract('stores a batch for every subscription', topic, async (scene) => {
  await scene.client.createSender(scene.queue).sendMessages(Array.from({ length: 20 }, (_, n) => ({ body: n })));
  const numbers = Array.from({ length: 20 }, (_, n) => n);
  expect(await bodiesOf(scene, 'all', 20)).toEqual(numbers);
  expect(await bodiesOf(scene, 'some', 20)).toEqual(numbers);
});

contract('has one rule that lets everything through, until it is removed', topic, async (scene) => {
  expect(await listRules(scene, 'some')).toMatchObject([{ name: '$Default', filter: { sqlExpression: '1=1' } }]);
  await rulesOf(scene, 'some').deleteRule('$Default');
  expect(await listRules(scene, 'some')).toEqual([]);
  await scene.send({ body: 1 });
  expect(await bodiesOf(scene, 'all', 1)).toEqual([1]);
  await scene.expectNothingNow(subscribed(scene, 'some'));
  await rulesOf(scene, 'some').createRule('everything', { sqlExpression: '1=1' });
  await scene.send({ body: 2 });
  expect(await bodiesOf(scene, 'some', 1)).toEqual([2]);
});

const matching: ServiceBusMessage = {
  body: 'match',
  correlationId: 'c',
  messageId: 'm',
  to: 't',
  replyTo: 'r',
  subject: 's',
  sessionId: 'g',
  replyToSessionId: 'rg',
  contentType: 'text/plain',
  applicationProperties: { kind: 'order', count: 3, urgent: true },
};

/** Each filter with a message that differs from a match in one thing. */
const filters: readonly (readonly [string, object, Partial<ServiceBusMessage>])[] = [
  ['correlationId', { correlationId: 'c' }, { correlationId: 'C' }],
  ['messageId', { messageId: 'm' }, { messageId: 'other' }],
  ['to', { to: 't' }, { to: 'other' }],
  ['replyTo', { replyTo: 'r' }, { replyTo: 'other' }],
  ['subject', { subject: 's' }, { subject: 'S' }],
  ['sessionId', { sessionId: 'g' }, { sessionId: 'other' }],
  ['replyToSessionId', { replyToSessionId: 'rg' }, { replyToSessionId: 'other' }],
  ['contentType', { contentType: 'text/plain' }, { contentType: 'text/html' }],
  ['a text property', { applicationProperties: { kind: 'order' } }, { applicationProperties: { kind: 'Order' } }],
  ['a number property', { applicationProperties: { count: 3 } }, { applicationProperties: { count: 4 } }],
  ['a boolean property', { applicationProperties: { urgent: true } }, { applicationProperties: { urgent: false } }],
  [
    'all of several things',
    { subject: 's', applicationProperties: { kind: 'order', count: 3 } },
    { applicationProperties: { kind: 'order' } },
  ],
];

for (const [name, filter, difference] of filters)
  contract(`lets through what equals a correlation filter on ${name}`, { subscriptions: [some] }, async (scene) => {
    const rules = rulesOf(scene, 'some');
    await rules.createRule('filter', filter);
    await rules.deleteRule('$Default');
    expect(await listRules(scene, 'some')).toMatchObject([{ name: 'filter', filter }]);
    await scene.send({ ...matching, ...difference, body: 'no' }, { body: 'nothing set' }, matching);
    expect(await bodiesOf(scene, 'some', 1)).toEqual(['match']);
  });

contract('gives one copy of a message that several rules let through', { subscriptions: [some] }, async (scene) => {
  await rulesOf(scene, 'some').createRule('second', { subject: 's' });
  await scene.send({ body: 1, subject: 's' }, { body: 2 });
  expect(await bodiesOf(scene, 'some', 2)).toEqual([1, 2]);
});

contract(
  'refuses a rule whose name is taken, and to remove one that is not there',
  { subscriptions: [some] },
  async (scene) => {
    const rules = rulesOf(scene, 'some');
    await rules.createRule('mine', { subject: 's' });
    await expect(rules.createRule('mine', { subject: 't' })).rejects.toThrow(/already exists/);
    await expect(rules.deleteRule('other')).rejects.toMatchObject({ code: 'MessagingEntityNotFound' });
  },
);

contract('takes messages at the topic only, and hands them out at subscriptions only', topic, async (scene) => {
  const sender = scene.client.createSender(`${scene.queue}/Subscriptions/all`);
  await expect(sender.sendMessages({ body: 1 })).rejects.toThrow();
  await expect(scene.client.createReceiver(scene.queue).receiveMessages(1, { maxWaitTimeInMs: 100 })).rejects.toThrow();
  const unknown = subscribed(scene, 'nowhere').receiveMessages(1, { maxWaitTimeInMs: 100 });
  await expect(unknown).rejects.toMatchObject({ code: 'MessagingEntityNotFound' });
});

contract(
  'has dead letters for each subscription',
  { subscriptions: [all, { name: 'some', maxDeliveryCount: 1 }] },
  async (scene) => {
    await scene.send({ body: 1 });
    const receiver = subscribed(scene, 'some');
    await receiver.abandonMessage(await scene.receiveOne(receiver));
    const letters = subscribed(scene, 'some', { subQueueType: 'deadLetter' });
    expect(await scene.receiveOne(letters)).toMatchObject({ body: 1, deadLetterReason: 'MaxDeliveryCountExceeded' });
    await scene.expectNothingNow(subscribed(scene, 'all', { subQueueType: 'deadLetter' }));
    expect(await bodiesOf(scene, 'all', 1)).toEqual([1]);
  },
);

contract(
  'has sessions for each subscription that wants them; a message without one becomes a dead letter there',
  { subscriptions: [all, { name: 'some', requiresSession: true }] },
  async (scene) => {
    await scene.send({ body: 1, sessionId: 'a' }, { body: 2 }, { body: 3, sessionId: 'a' });
    expect(await bodiesOf(scene, 'all', 3)).toEqual([1, 2, 3]);
    const session = await scene.client.acceptSession(scene.queue, 'some', 'a');
    expect((await scene.receive(session, 2)).map(({ body }) => body)).toEqual([1, 3]);
    await session.setSessionState({ step: 1 });
    expect(await session.getSessionState()).toEqual({ step: 1 });
    const letter = await scene.receiveOne(subscribed(scene, 'some', { subQueueType: 'deadLetter' }));
    expect(letter).toMatchObject({ body: 2, deadLetterReason: 'Session ID is null' });
  },
);

contract('gives copies of a scheduled message when its time comes, unless it is cancelled', topic, async (scene) => {
  const sender = scene.client.createSender(scene.queue);
  const inMs = (ms: number) => new Date(Date.now() + ms);
  const [cancelled] = await sender.scheduleMessages({ body: 'never' }, inMs(scene.target.quietMs));
  await sender.scheduleMessages({ body: 'later' }, inMs(2 * scene.target.quietMs));
  await sender.sendMessages({ body: 'now' });
  if (cancelled) await sender.cancelScheduledMessages(cancelled);
  for (const { name } of [all, some]) expect(await bodiesOf(scene, name, 2)).toEqual(['now', 'later']);
});

contract(
  'drops a duplicate at the topic, whatever the subscription',
  { ...topic, duplicateDetection: true },
  async (scene) => {
    await scene.send({ body: 1, messageId: 'a' }, { body: 2, messageId: 'a' }, { body: 3, messageId: 'b' });
    for (const { name } of [all, some]) expect(await bodiesOf(scene, name, 2)).toEqual([1, 3]);
  },
);

contract(
  'expires a copy by the shortest of the times that message, topic and subscription name',
  { subscriptions: [all, { name: 'some', defaultTtlMs: 1_000, deadLetterExpired: true }] },
  async (scene) => {
    await scene.send({ body: 1, timeToLive: 600_000 });
    await new Promise((resolve) => setTimeout(resolve, 1_000 + scene.target.quietMs));
    const letters = subscribed(scene, 'some', { subQueueType: 'deadLetter' });
    expect(await scene.receiveOne(letters)).toMatchObject({ body: 1, deadLetterReason: 'TTLExpiredException' });
    expect(await bodiesOf(scene, 'all', 1)).toEqual([1]);
  },
);
