/**
 * Sends hints on the command queue, and replies to the queues of those who sent commands. The client is made with the first message and kept; sends of one client share a link. Its own retries are few
 * and short: a send in flight on a lost connection is only noticed by its time-out, and the operation is announced again by a timer anyway.
 */
import type { TokenCredential } from '@azure/identity';
import { ServiceBusClient, type ServiceBusMessage, type ServiceBusSender } from '@azure/service-bus';
import { names } from '../model/names.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { CommandBus } from '../ports/command-bus.ts';
import type { PortError } from '../ports/errors.ts';
import { toPortError } from './errors.ts';

export interface CommandBusOptions {
  readonly connection:
    | { readonly connectionString: string }
    | { readonly fullyQualifiedNamespace: string; readonly credential: TokenCredential };
  /** For one `send`, retries included. */
  readonly callTimeoutMs: number;
}

const retryOptions = { timeoutInMs: 5_000, maxRetries: 2, retryDelayInMs: 200 };

export function createCommandBus(options: CommandBusOptions): CommandBus & { close(): Promise<void> } {
  let client: ServiceBusClient | undefined;
  const senders = new Map<string, ServiceBusSender>();
  const senderTo = (queue: string): ServiceBusSender => {
    client ??= open(options);
    const sender = senders.get(queue) ?? client.createSender(queue);
    senders.set(queue, sender);
    return sender;
  };
  const sendTo = async (queue: string, what: string, message: ServiceBusMessage): Promise<Result<void, PortError>> => {
    try {
      const abortSignal = AbortSignal.timeout(options.callTimeoutMs);
      await senderTo(queue).sendMessages({ contentType: 'application/json', ...message }, { abortSignal });
      return ok(undefined);
    } catch (error) {
      return err(toPortError(error, { what, effect: true }));
    }
  };
  return {
    send: ({ app, operationId, attempt }) =>
      sendTo(names.queue, `send operation ${operationId} of ${app}`, {
        body: { app, operationId },
        messageId: `${operationId}:${attempt}`,
        sessionId: app,
      }),
    reply: ({ to, ...message }) => sendTo(to, `reply to ${to}`, { subject: names.replySubject, ...message }),
    async close() {
      await client?.close();
      client = undefined;
      senders.clear();
    },
  };
}

const open = ({ connection }: CommandBusOptions): ServiceBusClient =>
  'connectionString' in connection
    ? new ServiceBusClient(connection.connectionString, { retryOptions })
    : new ServiceBusClient(connection.fullyQualifiedNamespace, connection.credential, { retryOptions });
