/** Who may do what, and what is not there. */
import { createHmac } from 'node:crypto';
import { parseServiceBusConnectionString } from '@azure/service-bus';
import { expect } from 'vitest';
import { caseList, type Scene } from '../service-bus.contract.ts';

const { cases, contract } = caseList();

export { cases as accessCases };

/** The connection string with some parts set, or left out where undefined. */
function changed(scene: Scene, parts: Readonly<Record<string, string | undefined>>): string {
  const kept = scene.target.connectionString.split(';').filter((part) => {
    const name = part.slice(0, part.indexOf('='));
    return name !== '' && !(name in parts);
  });
  const added = Object.entries(parts).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return `${[...added, ...kept].join(';')};`;
}

/** A signature that is good for one queue, until `expiresAt` in epoch s. */
function signature(scene: Scene, queue: string, expiresAt: number): string {
  const {
    endpoint,
    sharedAccessKey = '',
    sharedAccessKeyName = '',
  } = parseServiceBusConnectionString(scene.target.connectionString);
  const resource = encodeURIComponent(`${endpoint.replace(/\/$/, '')}/${queue}`);
  const signed = createHmac('sha256', sharedAccessKey).update(`${resource}\n${expiresAt}`).digest('base64');
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signed)}&se=${expiresAt}&skn=${sharedAccessKeyName}`;
}

const withSignature = (scene: Scene, queue: string, expiresAt: number): string =>
  changed(scene, {
    SharedAccessKeyName: undefined,
    SharedAccessKey: undefined,
    SharedAccessSignature: signature(scene, queue, expiresAt),
  });

const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3600;

contract('knows no queue that was not declared', {}, async (scene) => {
  const notFound = { code: 'MessagingEntityNotFound' };
  await expect(scene.client.createSender('nowhere').sendMessages({ body: 1 })).rejects.toMatchObject(notFound);
  const receiver = scene.client.createReceiver('nowhere');
  await expect(receiver.receiveMessages(1, { maxWaitTimeInMs: 100 })).rejects.toMatchObject(notFound);
  await expect(scene.client.acceptNextSession('nowhere')).rejects.toMatchObject(notFound);
});

contract('finds a queue whatever the case of its name', {}, async (scene) => {
  await scene.client.createSender(scene.queue.toUpperCase()).sendMessages({ body: 1 });
  expect((await scene.receiveOne(scene.receiver())).body).toBe(1);
});

contract('refuses a wrong key and an unknown key name', {}, async (scene) => {
  for (const parts of [{ SharedAccessKey: 'd3Jvbmc=' }, { SharedAccessKeyName: 'nobody' }]) {
    const client = scene.connect(changed(scene, parts));
    const sending = client.createSender(scene.queue).sendMessages({ body: 1 });
    await expect(sending).rejects.toMatchObject({ code: 'UnauthorizedAccess' });
    const receiving = client.createReceiver(scene.queue).receiveMessages(1, { maxWaitTimeInMs: 100 });
    await expect(receiving).rejects.toMatchObject({ code: 'UnauthorizedAccess' });
  }
});

contract('takes a signature for one queue, there only and until it expires', {}, async (scene) => {
  const own = scene.connect(withSignature(scene, scene.queue, inAnHour()));
  await own.createSender(scene.queue).sendMessages({ body: 1 });
  expect((await scene.receiveOne(own.createReceiver(scene.queue))).body).toBe(1);
  const others = [withSignature(scene, 'another', inAnHour()), withSignature(scene, scene.queue, inAnHour() - 7200)];
  for (const connectionString of others) {
    const sending = scene.connect(connectionString).createSender(scene.queue).sendMessages({ body: 1 });
    await expect(sending).rejects.toMatchObject({ code: 'UnauthorizedAccess' });
  }
});

contract('refuses to send to the dead letters', {}, async (scene) => {
  const sender = scene.client.createSender(`${scene.queue}/$DeadLetterQueue`);
  await expect(sender.sendMessages({ body: 1 })).rejects.toThrow();
});
