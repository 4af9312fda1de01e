/** How the contracts of ARM talk to their targets: the real client, requests past it, and what they look at in the answers. */
import type { ContainerGroup, ContainerInstanceManagementClient } from '@azure/arm-containerinstance';
import { createPipelineRequest, type HttpMethods } from '@azure/core-rest-pipeline';

export interface ArmTarget {
  /** A fresh client; `token` replaces the valid one. */
  client(token?: string): ContainerInstanceManagementClient;
  readonly endpoint: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  /** The authority that signed its certificate; absent where there are no sockets. */
  readonly ca?: string;
  /** What its groups' addresses look like. */
  readonly addresses: RegExp;
  /** Lets time pass until the condition holds. */
  until(what: string, condition: () => Promise<boolean>): Promise<void>;
  /** Arranges what goes wrong. */
  control(method: string, path: string, body?: unknown): Promise<void>;
  close(): Promise<void>;
}

interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Record<string, unknown>;
}

let groups = 0;
export const groupName = (): string => `g-${groups++}`;

export type Overrides = Partial<ContainerGroup> & { image?: string; env?: Record<string, string>; secret?: string };

export function spec({ image = 'flotilla/http', env = {}, secret, ...over }: Overrides = {}): ContainerGroup {
  return {
    location: 'eastus',
    osType: 'Linux',
    restartPolicy: 'Always',
    containers: [
      {
        name: 'web',
        image,
        ports: [{ port: 8080, protocol: 'TCP' }],
        resources: { requests: { cpu: 0.5, memoryInGB: 0.5 } },
        environmentVariables: [
          ...Object.entries(env).map(([name, value]) => ({ name, value })),
          ...(secret === undefined ? [] : [{ name: 'PASSWORD', secureValue: secret }]),
        ],
      },
    ],
    ipAddress: { type: 'Public', ports: [{ port: 8080, protocol: 'TCP' }] },
    ...over,
  };
}

export const webOf = (group: ContainerGroup) => group.containers[0]?.instanceView;
export const names = (events: readonly { name?: string }[] | undefined): (string | undefined)[] =>
  (events ?? []).map((event) => event.name);

export class Session {
  readonly target: ArmTarget;
  readonly client: ContainerInstanceManagementClient;
  constructor(target: ArmTarget) {
    this.target = target;
    this.client = target.client();
  }

  async begin(name: string, body: ContainerGroup = spec()) {
    return this.client.containerGroups.beginCreateOrUpdate(this.target.resourceGroup, name, body);
  }

  /** Creates and waits as the client does. */
  async create(body: ContainerGroup = spec(), name = groupName()): Promise<ContainerGroup & { name: string }> {
    const poller = await this.begin(name, body);
    await this.target.until(`${name} is created`, async () => {
      if (!poller.isDone()) await poller.poll();
      return poller.isDone();
    });
    return poller.getResult() as ContainerGroup & { name: string };
  }

  get(name: string): Promise<ContainerGroup> {
    return this.client.containerGroups.get(this.target.resourceGroup, name);
  }

  async remove(name: string): Promise<void> {
    const poller = await this.client.containerGroups.beginDelete(this.target.resourceGroup, name);
    await this.target.until(`${name} is gone`, async () => {
      if (!poller.isDone()) await poller.poll();
      return poller.isDone();
    });
  }

  /** A request past the client's own model of the operations, through its pipeline. */
  async raw(method: HttpMethods, path: string, body?: unknown): Promise<Raw> {
    const request = createPipelineRequest({
      url: `${this.target.endpoint}${path}`,
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const { status, headers, bodyAsText } = await this.client.sendRequest(request);
    return { status, headers: headers.toJSON(), body: bodyAsText ? JSON.parse(bodyAsText) : {} };
  }

  path(name: string, suffix = ''): string {
    const { subscriptionId, resourceGroup } = this.target;
    return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.ContainerInstance/containerGroups/${name}${suffix}?api-version=2023-05-01`;
  }

  location(suffix: string): string {
    return `/subscriptions/${this.target.subscriptionId}/providers/Microsoft.ContainerInstance/locations/eastus/${suffix}?api-version=2023-05-01`;
  }
}

/** What the client throws, as far as callers look at it. */
export async function failure(
  work: Promise<unknown>,
): Promise<{ code?: string; statusCode?: number; message: string }> {
  try {
    await work;
  } catch (error) {
    const { code, statusCode, message } = error as { code?: string; statusCode?: number; message: string };
    return { ...(code && { code }), ...(statusCode && { statusCode }), message };
  }
  throw new Error('expected a failure');
}
