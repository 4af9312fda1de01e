/** Service Bus output bindings through the broker and the real client. */
import { fileURLToPath } from 'node:url';
import { ServiceBusClient, type ServiceBusReceiver } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFunctionsHost, type FunctionsHost } from '../../src/local/host/functions-host.ts';
import type { LogLine } from '../../src/local/host/invoke.ts';
import { BrokerProcess } from '../support/broker-process.ts';

const appDir = fileURLToPath(new URL('./fixtures/events-app', import.meta.url));
const lines: LogLine[] = [];
let broker: BrokerProcess;
let client: ServiceBusClient;
let receiver: ServiceBusReceiver;
let host: FunctionsHost;

beforeAll(async () => {
  broker = new BrokerProcess([{ name: 'out' }]);
  await broker.start();
  client = new ServiceBusClient(broker.connectionString, { retryOptions: { maxRetries: 0, timeoutInMs: 5_000 } });
  receiver = client.createReceiver('out', { skipParsingBodyAsJson: true });
  const settings = { BUS: broker.connectionString, OUT_QUEUE: 'out' };
  host = await createFunctionsHost({ appDir, port: 0, settings, log: (line) => lines.push(line) });
});
afterAll(async () => {
  await host.close();
  await client.close();
  await broker.dispose();
});

async function received(count: number): Promise<readonly [string, string | undefined][]> {
  const messages: [string, string | undefined][] = [];
  while (messages.length < count) {
    const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 5_000 });
    if (!message) break;
    await receiver.completeMessage(message);
    messages.push([Buffer.from(message.body).toString('utf8'), message.contentType]);
  }
  return messages;
}

const post = (path: string, body: unknown = {}) =>
  fetch(`${host.url}/api/${path}`, { method: 'POST', body: JSON.stringify(body) });

describe('an output to a queue', () => {
  it.each<[string, unknown, readonly [string, string][]]>([
    ['a text', 'plain words', [['plain words', 'text/plain']]],
    ['a number', 7, [['7', 'text/plain']]],
    ['an object', { a: [1] }, [['{"a":[1]}', 'application/json']]],
    [
      'an array: a message each',
      ['x', { b: 2 }, null],
      [
        ['x', 'text/plain'],
        ['{"b":2}', 'application/json'],
      ],
    ],
  ])('takes %s', async (_, value, expected) => {
    expect((await post('sends', { value })).status).toBe(202);
    expect(await received(expected.length)).toEqual(expected);
  });

  it('is not sent when the function failed, nor when nothing was set', async () => {
    expect((await post('sends', { value: 'lost', fail: true })).status).toBe(500);
    expect((await post('sends', { value: null })).status).toBe(202);
    expect((await post('sends', { value: 'next' })).status).toBe(202);
    expect(await received(1)).toEqual([['next', 'text/plain']]);
  });

  it('may be the return value', async () => {
    const url = new URL('/runtime/webhooks/eventgrid?functionName=returns', host.url);
    url.searchParams.set('code', host.keys.extension('eventgrid'));
    const headers = { 'aeg-event-type': 'Notification' };
    expect((await fetch(url, { method: 'POST', headers, body: '[{"id":"e1"}]' })).status).toBe(202);
    expect(await received(1)).toEqual([['{"seen":"e1"}', 'application/json']]);
  });

  it('that cannot be sent fails the function', async () => {
    expect((await post('losesItsOutput')).status).toBe(500);
    expect(lines.map(({ message }) => message).join('\n')).toMatch(
      /"losesItsOutput" \(Failed\): its output was not sent/,
    );
  });
});
