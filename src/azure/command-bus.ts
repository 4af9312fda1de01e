/**
 * Sends hints on the command queue. The client is made with the first message and kept; sends of one client share a link. Its own retries are few
 * and short: a send in flight on a lost connection is only noticed by its time-out, and the operation is announced again by a timer anyway.
 */
import type { TokenCredential } from '@azure/identity';
import { ServiceBusClient, type ServiceBusSender } from '@azure/service-bus';
import { names } from '../model/names.ts';
import { err, ok } from '../model/result.ts';
import type { CommandBus } from '../ports/command-bus.ts';
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
  let opened: { readonly client: ServiceBusClient; readonly sender: ServiceBusSender } | undefined;
  return {
    async send({ app, operationId, attempt }) {
      try {
        opened ??= open(options);
        const message = {
          body: { app, operationId },
          contentType: 'application/json',
          messageId: `${operationId}:${attempt}`,
          sessionId: app,
        };
        await opened.sender.sendMessages(message, { abortSignal: AbortSignal.timeout(options.callTimeoutMs) });
        return ok(undefined);
      } catch (error) {
        return err(toPortError(error, { what: `send operation ${operationId} of ${app}`, effect: true }));
      }
    },
    async close() {
      await opened?.client.close();
      opened = undefined;
    },
  };
}

function open({ connection }: CommandBusOptions) {
  const client =
    'connectionString' in connection
      ? new ServiceBusClient(connection.connectionString, { retryOptions })
      : new ServiceBusClient(connection.fullyQualifiedNamespace, connection.credential, { retryOptions });
  return { client, sender: client.createSender(names.queue) };
}
