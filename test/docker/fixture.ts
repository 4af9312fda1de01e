/** A world with real containers, asked over ARM's own REST, and the engine beneath it, looked at past the world. */
import { existsSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type Docker from 'dockerode';
import { connectDocker } from '../../src/docker/connection.ts';
import { labels } from '../../src/docker/labels.ts';
import { DEFAULT_SETTINGS } from '../../src/local/aci/settings.ts';
import { ownerOf } from '../../src/local/containers/docker/owner.ts';
import { dockerHost } from './daemon.ts';

/** What a world tells when it is ready, in this process or in another. */
export interface Told {
  readonly armUrl: string;
  readonly identityUrl: string;
  readonly controlUrl: string;
  readonly caPath: string;
}

export interface ContainerView {
  readonly restartCount: number;
  readonly currentState: { readonly state: string; readonly exitCode?: number; readonly detailStatus?: string };
  readonly previousState?: { readonly state: string; readonly exitCode: number; readonly detailStatus: string };
  readonly events: readonly { readonly name: string; readonly message: string; readonly count: number }[];
}

export interface GroupView {
  readonly provisioningState: string;
  readonly state: string;
  readonly ip: string;
  readonly events: readonly { readonly name: string; readonly message: string }[];
  readonly containers: readonly ContainerView[];
  /** The first of `containers`. */
  readonly first: ContainerView;
}

export interface ArmRest {
  put(name: string, group: object): Promise<void>;
  get(name: string): Promise<GroupView | undefined>;
  remove(name: string): Promise<void>;
  post(name: string, action: 'start' | 'stop' | 'restart'): Promise<void>;
  logs(name: string, container?: string): Promise<string>;
  /** @throws when a minute passes. */
  until(name: string, what: string, condition: (group: GroupView) => boolean): Promise<GroupView>;
  untilGone(name: string): Promise<void>;
  /** Any other resource of the resource group; `path` begins behind `providers/`. */
  send(method: string, path: string, apiVersion: string, body?: object): Promise<string>;
  control(method: string, path: string, body?: unknown): Promise<void>;
}

export interface ContainerSpec {
  readonly name?: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly secret?: Readonly<Record<string, string>>;
  readonly port?: number;
  readonly memoryInGB?: number;
  readonly livenessProbe?: object;
  /** Volume → path. */
  readonly mounts?: Readonly<Record<string, string>>;
}

export function group(containers: readonly ContainerSpec[], over: object = {}): object {
  return {
    location: 'eastus',
    properties: {
      osType: 'Linux',
      restartPolicy: 'Always',
      containers: containers.map(containerOf),
      ipAddress: { type: 'Public', ports: containers.map(({ port = 8080 }) => ({ port })) },
      ...over,
    },
  };
}

function containerOf(spec: ContainerSpec): object {
  const { name = 'main', image = 'flotilla-test/node:1', env = {}, secret = {}, port = 8080, ...rest } = spec;
  const { command, memoryInGB = 0.25, livenessProbe, mounts = {} } = rest;
  return {
    name,
    properties: {
      image,
      command,
      livenessProbe,
      volumeMounts: Object.entries(mounts).map(([volume, mountPath]) => ({ name: volume, mountPath })),
      ports: [{ port }],
      environmentVariables: [
        ...Object.entries(env).map(([key, value]) => ({ name: key, value })),
        ...Object.entries(secret).map(([key, secureValue]) => ({ name: key, secureValue })),
      ],
      resources: { requests: { cpu: 0.25, memoryInGB } },
    },
  };
}

const PATIENCE_MS = 60_000;
/** ARM's read bucket refills at 25/s, and several cases run at once. */
const POLL_MS = 400;

export const RESOURCE_GROUP = `/subscriptions/${DEFAULT_SETTINGS.subscriptionIds[0]}/resourceGroups/flotilla`;

export async function armRest(told: Told, identityHeader: string): Promise<ArmRest> {
  const url = `${told.identityUrl}?api-version=2019-08-01&resource=https://management.azure.com`;
  const issued = await (await fetch(url, { headers: { 'x-identity-header': identityHeader } })).json();
  const { access_token: token } = issued as { access_token: string };
  const agent = new Agent({ ca: readFileSync(told.caPath), keepAlive: true });
  const base = `${told.armUrl}${RESOURCE_GROUP}/providers`;
  const call = (method: string, path: string, body?: object) =>
    ask(method, `${base}/Microsoft.ContainerInstance/containerGroups/${path}?api-version=2023-05-01`, body);
  const ask = async (method: string, url: string, body?: object) => {
    const once = () => send(agent, method, url, token, body);
    // A kept connection may be closed at the very moment it is used again.
    const answer = await once().catch((error: NodeJS.ErrnoException) => {
      if (method === 'GET' && error.code === 'ECONNRESET') return once();
      throw error;
    });
    if (answer.status >= 400 && answer.status !== 404) throw new Error(`${method} ${url}: ${answer.body}`);
    return answer;
  };
  const get: ArmRest['get'] = async (name) => {
    const { status, body } = await call('GET', name);
    return status === 404 ? undefined : viewOf(JSON.parse(body));
  };
  const until: ArmRest['until'] = async (name, what, condition) => {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const seen = await get(name);
      if (seen && condition(seen)) return seen;
      if (Date.now() > deadline) throw new Error(`not yet: ${what}\n${JSON.stringify(seen, null, 1)}`);
      await pause();
    }
  };
  return {
    put: async (name, body) => void (await call('PUT', name, body)),
    get,
    until,
    send: async (method, path, version, body) =>
      (await ask(method, `${base}/${path}?api-version=${version}`, body)).body,
    remove: async (name) => void (await call('DELETE', name)),
    post: async (name, action) => void (await call('POST', `${name}/${action}`)),
    logs: async (name, container = 'main') =>
      JSON.parse((await call('GET', `${name}/containers/${container}/logs`)).body).content,
    async untilGone(name) {
      const deadline = Date.now() + PATIENCE_MS;
      while (await get(name)) {
        if (Date.now() > deadline) throw new Error(`${name} is still there`);
        await pause();
      }
    },
    async control(method, path, body) {
      const answer = await fetch(told.controlUrl + path, { method, ...(body ? { body: JSON.stringify(body) } : {}) });
      if (!answer.ok) throw new Error(await answer.text());
    },
  };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, POLL_MS));

function send(agent: Agent, method: string, url: string, token: string, body?: object) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const sent = request(url, { method, agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    sent.once('error', reject);
    sent.end(body && JSON.stringify(body));
  });
}

interface GroupBody {
  readonly properties: {
    readonly provisioningState: string;
    readonly instanceView: Pick<GroupView, 'state' | 'events'>;
    readonly ipAddress?: { readonly ip?: string };
    readonly containers: readonly { readonly properties: { readonly instanceView: ContainerView } }[];
  };
}

function viewOf({ properties }: GroupBody): GroupView {
  const containers = properties.containers.map((one) => one.properties.instanceView);
  const [first] = containers;
  if (!first) throw new Error('a group without containers');
  const { provisioningState, instanceView, ipAddress } = properties;
  return { provisioningState, ...instanceView, ip: ipAddress?.ip ?? '', containers, first };
}

/** The engine past the world. */
export async function engine(host = dockerHost()): Promise<Docker> {
  const connection = await connectDocker({ dockerHost: host });
  if ('problem' in connection) throw new Error(connection.problem);
  return connection.docker;
}

/** Containers, networks and volumes that belong to worlds in `directory` or below it; `group` names one container group. */
export async function leftOn(docker: Docker, directory: string, group?: string): Promise<readonly string[]> {
  const id = existsSync(directory) ? ownerOf({ dataDir: directory }).id : '';
  const isOurs = ({ Labels }: { Labels?: Readonly<Record<string, string>> | null | undefined }) =>
    (Labels?.[labels.owner] === id || Labels?.[labels.directory]?.startsWith(directory)) &&
    (group === undefined || Labels[labels.group] === group);
  const filters = { label: [labels.owner] };
  const containers = await docker.listContainers({ all: true, filters });
  const networks = await docker.listNetworks({ filters });
  const { Volumes } = await docker.listVolumes({ filters });
  return [
    ...containers.filter(isOurs).map(({ Names }) => `container ${Names[0]}`),
    ...networks.filter(isOurs).map(({ Name }) => `network ${Name}`),
    ...(Volumes ?? []).filter(isOurs).map(({ Name }) => `volume ${Name}`),
  ];
}

/** The engine's id of the sandbox, or of the container that runs now. */
export async function engineId(docker: Docker, group: string, role: 'sandbox' | 'run'): Promise<string> {
  const filters = { label: [`${labels.group}=${group}`, `${labels.role}=${role}`] };
  const [found] = await docker.listContainers({ filters });
  if (!found) throw new Error(`no ${role} of ${group} is running`);
  return found.Id;
}

/** What the address answers, as soon as it answers. */
export async function ask(url: string): Promise<string> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await (await fetch(url, { signal: AbortSignal.timeout(2_000) })).text();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause();
    }
  }
}

/** The first value that fits. @throws when a minute passes. */
export async function eventually<T>(read: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const value = await read();
    if (fits(value)) return value;
    if (Date.now() > deadline) throw new Error(`a minute passed, and still: ${JSON.stringify(value)}`);
    await pause();
  }
}

/** Whether nobody answers there now. */
export const isSilent = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
    () => false,
    () => true,
  );
