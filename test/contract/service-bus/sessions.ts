/** Sessions: messages of one id go, in order, to one receiver at a time. */
import { expect } from 'vitest';
import { caseList } from '../service-bus.contract.ts';

const { cases, contract } = caseList();

export { cases as sessionCases };

const withSession = { requiresSession: true };
const shortSession = { requiresSession: true, shortLocks: true };
const numbered = (sessionId: string, count: number) =>
  Array.from({ length: count }, (_, body) => ({ body, sessionId }));

contract('refuses a message without a session id', withSession, async (scene) => {
  await expect(scene.send({ body: 1 })).rejects.toThrow(/SessionId/i);
});

contract('refuses a receiver without a session', withSession, async (scene) => {
  await scene.send({ body: 1, sessionId: 'a' });
  const receiving = scene.receiver().receiveMessages(1, { maxWaitTimeInMs: scene.target.quietMs });
  await expect(receiving).rejects.toThrow(/requires sessions|session/i);
});

contract('refuses a session of a queue without sessions', {}, async (scene) => {
  await expect(scene.session('a')).rejects.toThrow(/session/i);
});

contract('gives a named session its own messages only, in order', withSession, async (scene) => {
  await scene.send(...numbered('a', 3), ...numbered('b', 3), { body: 3, sessionId: 'a' });
  const session = await scene.session('a');
  expect(session.sessionId).toBe('a');
  expect(session.sessionLockedUntilUtc.getTime()).toBeGreaterThan(Date.now() - 60_000);
  const received = await scene.receive(session, 4);
  expect(received.map(({ sessionId, body }) => [sessionId, body])).toEqual([
    ['a', 0],
    ['a', 1],
    ['a', 2],
    ['a', 3],
  ]);
});

contract('accepts a named session before it has messages', withSession, async (scene) => {
  const session = await scene.session('early');
  await scene.send({ body: 1, sessionId: 'early' });
  expect((await scene.receiveOne(session)).body).toBe(1);
});

contract('refuses a session that another receiver holds', withSession, async (scene) => {
  await scene.session('a');
  await expect(scene.session('a', scene.connect())).rejects.toMatchObject({ code: 'SessionCannotBeLocked' });
});

contract('gives each one who asks for the next session another one', withSession, async (scene) => {
  await scene.send(...['a', 'b', 'c'].map((sessionId) => ({ body: 1, sessionId })));
  const sessions = [await scene.session(), await scene.session(), await scene.session(undefined, scene.connect())];
  expect(sessions.map(({ sessionId }) => sessionId).toSorted()).toEqual(['a', 'b', 'c']);
});

contract('lets one who asks for the next session wait for a message', withSession, async (scene) => {
  const coming = scene.session();
  await scene.send({ body: 1, sessionId: 'late' });
  const session = await coming;
  expect(session.sessionId).toBe('late');
  expect((await scene.receiveOne(session)).body).toBe(1);
});

contract('tells one who waits in vain for a session that time is up', withSession, async (scene) => {
  const impatient = scene.connect(undefined, 4 * scene.target.quietMs);
  await expect(scene.session(undefined, impatient)).rejects.toMatchObject({ code: 'ServiceTimeout' });
});

contract('delivers an abandoned message before the later ones of its session', withSession, async (scene) => {
  await scene.send(...numbered('a', 3));
  const session = await scene.session('a');
  const bodies: unknown[] = [];
  for (let n = 0; n < 5; n++) {
    const message = await scene.receiveOne(session);
    bodies.push([message.body, message.deliveryCount]);
    if (message.body === 1 && (message.deliveryCount ?? 0) < 2) await session.abandonMessage(message);
    else await session.completeMessage(message);
  }
  expect(bodies).toEqual([
    [0, 0],
    [1, 0],
    [1, 1],
    [1, 2],
    [2, 0],
  ]);
});

contract('works sessions off side by side, each in order', withSession, async (scene) => {
  const ids = ['a', 'b', 'c'];
  for (let n = 0; n < 5; n++) await scene.send(...ids.map((sessionId) => ({ body: n, sessionId })));
  const work = async (): Promise<unknown[]> => {
    const session = await scene.session(undefined, scene.connect());
    const bodies: unknown[] = [];
    while (bodies.length < 5) {
      const message = await scene.receiveOne(session);
      bodies.push(message.body);
      await session.completeMessage(message);
    }
    return bodies;
  };
  expect(await Promise.all(ids.map(work))).toEqual(ids.map(() => [0, 1, 2, 3, 4]));
});

contract('hands a session over when its receiver closes, uncounted and in order', withSession, async (scene) => {
  await scene.send(...numbered('a', 4));
  const first = await scene.session('a');
  const [zero] = await scene.receive(first, 3);
  if (!zero) throw new Error('messages were sent');
  await first.completeMessage(zero);
  await first.close();
  const second = await scene.session(undefined, scene.connect());
  const received = await scene.receive(second, 3);
  expect(received.map(({ body, deliveryCount }) => [body, deliveryCount])).toEqual([
    [1, 0],
    [2, 0],
    [3, 0],
  ]);
});

contract('frees a session when its client goes', withSession, async (scene) => {
  await scene.send({ body: 1, sessionId: 'a' });
  const client = scene.connect();
  await scene.receiveOne(await scene.session('a', client));
  await client.close();
  expect((await scene.receiveOne(await scene.session('a'))).body).toBe(1);
});

contract('keeps a session whose lock is renewed', shortSession, async (scene) => {
  await scene.send({ body: 1, sessionId: 'a' });
  const session = await scene.session('a');
  const message = await scene.receiveOne(session);
  const endsAt = session.sessionLockedUntilUtc.getTime();
  let renewedUntil = endsAt;
  while (Date.now() < endsAt + scene.target.shortLockMs / 2) {
    await new Promise((resolve) => setTimeout(resolve, scene.target.shortLockMs / 5));
    renewedUntil = (await session.renewSessionLock()).getTime();
  }
  expect(renewedUntil).toBeGreaterThan(endsAt);
  await expect(scene.session('a', scene.connect())).rejects.toMatchObject({ code: 'SessionCannotBeLocked' });
  await session.completeMessage(message);
});

contract('takes a session away when its lock runs out, and counts what was delivered', shortSession, async (scene) => {
  await scene.send(...numbered('a', 2));
  const first = await scene.session('a');
  const lost = await scene.receiveOne(first);
  const second = await scene.session(undefined, scene.connect());
  const received = await scene.receive(second, 2);
  expect(received.map(({ body, deliveryCount }) => [body, deliveryCount])).toEqual([
    [0, 1],
    [1, 0],
  ]);
  await expect(first.completeMessage(lost)).rejects.toMatchObject({ code: 'SessionLockLost' });
  await expect(first.renewSessionLock()).rejects.toMatchObject({ code: 'SessionLockLost' });
});

contract(
  'dead-letters out of a session, and goes on with it',
  { ...withSession, maxDeliveryCount: 1 },
  async (scene) => {
    await scene.send(...numbered('a', 3));
    const session = await scene.session('a');
    await session.abandonMessage(await scene.receiveOne(session));
    await session.deadLetterMessage(await scene.receiveOne(session), {
      deadLetterReason: 'Bad',
      deadLetterErrorDescription: '',
    });
    expect((await scene.receiveOne(session)).body).toBe(2);
    const dead = await scene.receive(scene.deadLetters(), 2);
    expect(dead.map(({ body, sessionId, deadLetterReason }) => [body, sessionId, deadLetterReason])).toEqual([
      [0, 'a', 'MaxDeliveryCountExceeded'],
      [1, 'a', 'Bad'],
    ]);
  },
);
