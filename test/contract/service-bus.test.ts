/** Binds the contract of Service Bus to the embedded broker, in a process of its own, and to a real namespace when a connection string is given. */
import { readFileSync } from 'node:fs';
import { ServiceBusAdministrationClient } from '@azure/service-bus';
import { describe, expect, it } from 'vitest';
import { BrokerProcess } from '../support/broker-process.ts';
import { brokerDifferences } from './service-bus/differences.ts';
import { refusals } from './service-bus/refusals.ts';
import {
  type NamedQueue,
  type QueueNeeds,
  runServiceBusContract,
  type ServiceBusTarget,
} from './service-bus.contract.ts';

const shortLockMs = 1_500;

const receivable = ({ name, requiresSession = false, maxDeliveryCount = 10, shortLocks, ...needs }: NamedQueue) => ({
  name,
  requiresSession,
  maxDeliveryCount,
  lockDurationMs: shortLocks ? shortLockMs : 60_000,
  ...(needs.defaultTtlMs && { defaultMessageTimeToLiveMs: needs.defaultTtlMs }),
  ...(needs.deadLetterExpired && { deadLetteringOnMessageExpiration: true }),
});

runServiceBusContract({
  name: 'the embedded broker',
  connect: async (queues) => {
    const isTopic = ({ subscriptions }: NamedQueue) => subscriptions !== undefined;
    const topics = queues.filter(isTopic).map(({ name, subscriptions = [], duplicateDetection = false }) => ({
      name,
      requiresDuplicateDetection: duplicateDetection,
      subscriptions: subscriptions.map(receivable),
    }));
    const plain = queues.filter((needs) => !isTopic(needs));
    const broker = new BrokerProcess(
      plain.map((needs) => ({ ...receivable(needs), requiresDuplicateDetection: needs.duplicateDetection ?? false })),
      topics,
    );
    await broker.start();
    return {
      connectionString: broker.connectionString,
      shortLockMs,
      quietMs: 500,
      close: () => broker.dispose(),
    };
  },
  differences: brokerDifferences,
});

const azure = process.env['SERVICEBUS_CONNECTION_STRING'];

const azureOptions = ({ requiresSession = false, maxDeliveryCount = 10, shortLocks, ...needs }: QueueNeeds) => ({
  requiresSession,
  maxDeliveryCount,
  lockDuration: shortLocks ? 'PT5S' : 'PT1M',
  ...(needs.defaultTtlMs && { defaultMessageTimeToLive: `PT${needs.defaultTtlMs / 1000}S` }),
  ...(needs.deadLetterExpired && { deadLetteringOnMessageExpiration: true }),
});

/** Queues of this run in a namespace of the Standard tier; the key needs the Manage right. */
async function azureTarget(connectionString: string, queues: readonly NamedQueue[]): Promise<ServiceBusTarget> {
  const admin = new ServiceBusAdministrationClient(connectionString);
  const remove = () =>
    Promise.allSettled(
      queues.map(({ name, subscriptions }) => (subscriptions ? admin.deleteTopic(name) : admin.deleteQueue(name))),
    );
  await remove();
  for (const needs of queues) {
    const { name, subscriptions, duplicateDetection: requiresDuplicateDetection = false } = needs;
    if (subscriptions) await admin.createTopic(name, { requiresDuplicateDetection });
    else await admin.createQueue(name, { ...azureOptions(needs), requiresDuplicateDetection });
    for (const one of subscriptions ?? []) await admin.createSubscription(name, one.name, azureOptions(one));
  }
  return {
    connectionString,
    shortLockMs: 5_000,
    quietMs: 3_000,
    close: async () => {
      await remove();
    },
  };
}

if (azure !== undefined)
  runServiceBusContract({ name: 'a namespace of Azure', connect: (queues) => azureTarget(azure, queues) });
else it.skip('the contract on a namespace of Azure (SERVICEBUS_CONNECTION_STRING is not set)', () => undefined);

describe('src/local/servicebus/DIFFERENCES.md', () => {
  const text = readFileSync(new URL('../../src/local/servicebus/DIFFERENCES.md', import.meta.url), 'utf8');
  const items = (heading: string): string[] => {
    const [, section = ''] = text.split(`\n## ${heading}\n`);
    return (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('- '));
  };

  it('lists exactly the cases of the contract that the broker answers otherwise', () => {
    expect(items('Cases of the contract that differ')).toEqual(
      brokerDifferences.map(({ test, reason }) => `- ${test}: ${reason}`),
    );
  });

  it('lists exactly the other refusals that are tested', () => {
    expect(items('Refused by name')).toEqual(refusals.map(({ name }) => `- ${name}`));
  });
});
