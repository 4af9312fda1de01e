/**
 * Azure Container Instances through ARM, one client per subscription. The SDK's retries are off: it would PUT again after a lost answer, and a second
 * PUT restarts every container. Long-running operations are begun, never awaited; a later read tells what became of them.
 */
import { type ContainerGroup, ContainerInstanceManagementClient } from '@azure/arm-containerinstance';
import type { HttpClient } from '@azure/core-rest-pipeline';
import type { TokenCredential } from '@azure/identity';
import { err, ok, type Result } from '../model/result.ts';
import type { ContainerGroups, ResourceGroup } from '../ports/container-groups.ts';
import type { PortError } from '../ports/errors.ts';
import { toContainerGroup, toLocated, toObservation } from './aci-mapping.ts';
import { withDeadline } from './deadline.ts';
import { toPortError } from './errors.ts';

export interface ContainerGroupsOptions {
  /** `https://management.azure.com`, or that of another cloud. */
  readonly endpoint: string;
  readonly credential: TokenCredential;
  readonly putTimeoutMs: number;
  /** For any other call. */
  readonly callTimeoutMs: number;
  readonly httpClient?: HttpClient;
}

interface Answer {
  readonly status: number;
}

/** What the client's operations take: the signal ends the call, `onResponse` sees every answer as it comes. */
interface CallOptions {
  readonly abortSignal: AbortSignal;
  readonly onResponse: (answer: Answer) => void;
}

export function createContainerGroups(options: ContainerGroupsOptions): ContainerGroups {
  const clients = new Map<string, ContainerInstanceManagementClient>();
  const clientOf = ({ subscriptionId }: ResourceGroup): ContainerInstanceManagementClient => {
    const known = clients.get(subscriptionId);
    if (known) return known;
    const client = newClient(options, subscriptionId);
    clients.set(subscriptionId, client);
    return client;
  };
  const { callTimeoutMs, putTimeoutMs } = options;
  return {
    async create(place, group) {
      const begun = await effect(`create ${group.name}`, putTimeoutMs, (call) =>
        clientOf(place).containerGroups.beginCreateOrUpdate(
          place.resourceGroup,
          group.name,
          toContainerGroup(group),
          call,
        ),
      );
      return begun.ok ? ok('accepted') : begun;
    },
    get: (place, name) =>
      read(`read ${name}`, callTimeoutMs, async (abortSignal) =>
        toObservation(await clientOf(place).containerGroups.get(place.resourceGroup, name, { abortSignal })),
      ),
    list: (place) =>
      read(`list the groups of ${place.resourceGroup}`, callTimeoutMs, async (abortSignal) => {
        const pages = clientOf(place).containerGroups.listByResourceGroup(place.resourceGroup, { abortSignal });
        const groups: ContainerGroup[] = [];
        for await (const group of pages) groups.push(group);
        return groups.map(toLocated);
      }),
    async delete(place, name) {
      const begun = await effect(`delete ${name}`, callTimeoutMs, (call) =>
        clientOf(place).containerGroups.beginDelete(place.resourceGroup, name, call),
      );
      if (begun.ok) return ok(begun.value === 204 ? 'gone' : 'accepted');
      return begun.error.kind === 'NotFound' ? ok('gone') : begun;
    },
    logs: (place, name, container, { tail, timestamps = false, timeoutMs = callTimeoutMs }) =>
      read(`read the logs of ${name}`, timeoutMs, async (abortSignal) => {
        const logs = await clientOf(place).containers.listLogs(place.resourceGroup, name, container, {
          tail,
          ...(timestamps && { timestamps }),
          abortSignal,
        });
        return logs.content ?? '';
      }),
    exec: (place, name, container, { program, size }) =>
      // Nothing is lost with the answer but a session that nobody will ask for.
      read(`open a terminal in ${name}`, callTimeoutMs, async (abortSignal) => {
        const request = { command: program, ...(size && { terminalSize: size }) };
        const { webSocketUri, password } = await clientOf(place).containers.executeCommand(
          place.resourceGroup,
          name,
          container,
          request,
          { abortSignal },
        );
        if (!webSocketUri || !password) throw new Error('ARM named no address or no password');
        return { webSocketUri, password };
      }),
  };
}

function newClient(
  { endpoint, credential, httpClient }: ContainerGroupsOptions,
  subscriptionId: string,
): ContainerInstanceManagementClient {
  return new ContainerInstanceManagementClient(credential, subscriptionId, {
    endpoint,
    credentialScopes: `${endpoint}/.default`,
    retryOptions: { maxRetries: 0 },
    ...(httpClient && { httpClient }),
  });
}

async function read<T>(
  what: string,
  timeoutMs: number,
  run: (abortSignal: AbortSignal) => Promise<T>,
): Promise<Result<T, PortError>> {
  try {
    return ok(await withDeadline(timeoutMs, run));
  } catch (error) {
    return err(toPortError(error, { what, effect: false }));
  }
}

/**
 * Begins an operation: the first answer is that of the request itself, and when it was a success ARM has taken it on. `begin…` would go on to poll,
 * a read of the ARM budget that tells nothing a later pass does not: it is called off. The value is the status of the first answer.
 */
async function effect(
  what: string,
  timeoutMs: number,
  run: (options: CallOptions) => Promise<unknown>,
): Promise<Result<number, PortError>> {
  let first: number | undefined;
  try {
    await withDeadline(timeoutMs, (abortSignal, abort) => {
      const onResponse = ({ status }: Answer): void => {
        first ??= status;
        if (first < 300) abort();
      };
      return run({ abortSignal, onResponse });
    });
    return ok(first ?? 200);
  } catch (error) {
    if (first !== undefined && first < 300) return ok(first);
    return err(toPortError(error, { what, effect: true }));
  }
}
