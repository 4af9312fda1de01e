/** What Azure offers and the embedded broker does not, asked of it: the list of `src/local/servicebus/DIFFERENCES.md`. */
import type { ServiceBusClient } from '@azure/service-bus';
import rhea from 'rhea';

export interface Refusal {
  readonly name: string;
  /** What the error must say. */
  readonly says: RegExp;
  readonly act: (client: ServiceBusClient, port: number) => Promise<unknown>;
}

/** Descriptor of a transaction coordinator (AMQP 1.0 part 4.5.1). */
const COORDINATOR = 0x30;

const briefly = { maxWaitTimeInMs: 100 };

export const refusals: readonly Refusal[] = [
  {
    name: 'SQL filters',
    says: /does not offer SQL filters/,
    act: (client) => client.createRuleManager('events', 'mine').createRule('sql', { sqlExpression: "a = 'b'" }),
  },
  {
    name: 'actions of rules',
    says: /does not offer actions of rules/,
    act: (client) =>
      client.createRuleManager('events', 'mine').createRule('act', { subject: 's' }, { sqlExpression: 'SET a = 1' }),
  },
  {
    name: 'correlation filters on properties other than text, numbers and booleans',
    says: /does not offer correlation filters on 'when'/,
    act: (client) =>
      client.createRuleManager('events', 'mine').createRule('when', { applicationProperties: { when: new Date(0) } }),
  },
  {
    name: 'transfer dead letters',
    says: /does not offer transfer dead letters/,
    act: (client) => client.createReceiver('plain', { subQueueType: 'transferDeadLetter' }).receiveMessages(1, briefly),
  },
  {
    name: 'transactions',
    says: /does not offer transactions/,
    act: (_client, port) => attachCoordinator(port),
  },
  {
    name: 'tokens other than shared access signatures',
    says: /does not offer tokens of type 'jwt'/,
    act: (_client, port) => putToken(port, 'jwt'),
  },
];

/** Opens a link to the transaction coordinator, which the client of Service Bus for JavaScript never does. */
function attachCoordinator(port: number): Promise<never> {
  const connection = rhea.create_container().connect({ port, host: '127.0.0.1', reconnect: false });
  const sender = connection.open_sender({ target: {} });
  const { attach } = (sender as unknown as { local: { attach: { target: unknown } } }).local;
  attach.target = rhea.types.wrap_described([], COORDINATOR);
  return new Promise<never>((_resolve, reject) => {
    sender.once('sender_error', () =>
      reject(new Error(String((sender.error as { description?: string }).description))),
    );
    connection.once('disconnected', () => reject(new Error('the connection was closed')));
  }).finally(() => connection.close());
}

function putToken(port: number, type: string): Promise<never> {
  const connection = rhea.create_container().connect({ port, host: '127.0.0.1', reconnect: false });
  const replies = connection.open_receiver({ source: '$cbs', target: 'me' });
  const requests = connection.open_sender('$cbs');
  requests.once('sendable', () =>
    requests.send({
      message_id: 1,
      reply_to: 'me',
      application_properties: { operation: 'put-token', type, name: 'sb://127.0.0.1/plain' },
      body: 'a token',
    }),
  );
  return new Promise<never>((_resolve, reject) => {
    replies.once('message', ({ message }) =>
      reject(new Error(String(message?.application_properties?.['status-description']))),
    );
    connection.once('disconnected', () => reject(new Error('the connection was closed')));
  }).finally(() => connection.close());
}
