/** Turns the `connection` option of a Service Bus binding into a client, as the extension does: a connection string or an identity. */
import { ServiceBusClient, type ServiceBusClientOptions } from '@azure/service-bus';
import type { Settings } from './settings.ts';

export type ClientFactory = () => Promise<ServiceBusClient>;

export type Connection =
  | { readonly ok: true; readonly connect: ClientFactory }
  | { readonly ok: false; readonly problem: string; readonly remedy: string };

/**
 * With these a broker that is killed and comes back is found again within seconds. The client's own defaults would leave a settlement
 * of a lost connection waiting for minutes.
 */
const clientOptions: ServiceBusClientOptions = {
  retryOptions: { timeoutInMs: 5_000, maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 2_000 },
};

/** `name` is the setting (a connection string) or the prefix of `<name>__fullyQualifiedNamespace` (an identity). Default name: `AzureWebJobsServiceBus`. */
export function resolveConnection(name: string, settings: Settings): Connection {
  const text = settings[name] ?? settings[`AzureWebJobs${name}`];
  if (text !== undefined && text !== '') return fromConnectionString(name, text);
  const namespace = settings[`${name}__fullyQualifiedNamespace`];
  if (namespace === undefined || namespace === '') {
    return {
      ok: false,
      problem: `connection "${name}" has no value`,
      remedy: `set ${name} to a connection string or ${name}__fullyQualifiedNamespace to a host name`,
    };
  }
  return {
    ok: true,
    connect: async () => {
      const { DefaultAzureCredential } = await import('@azure/identity');
      return new ServiceBusClient(namespace, new DefaultAzureCredential(), clientOptions);
    },
  };
}

/** A malformed string is found at start, not when the first message should have come. Its text is a secret and never shown. */
function fromConnectionString(name: string, text: string): Connection {
  if (!/(^|;)\s*Endpoint\s*=\s*sb:\/\/[^;]+/i.test(text) || !/SharedAccess(Key|Signature)\s*=/i.test(text)) {
    return {
      ok: false,
      problem: `connection "${name}" is no Service Bus connection string`,
      remedy: 'it begins with Endpoint=sb://… and contains SharedAccessKeyName and SharedAccessKey',
    };
  }
  return { ok: true, connect: async () => new ServiceBusClient(text, clientOptions) };
}
