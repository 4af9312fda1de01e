/** The body of a PUT as a typed request, once `request-rules.ts` has nothing against it. Pure. */

import type { RegistryCredentials } from '../../docker/images.ts';
import type { MountSpec, SecretFiles, VolumeSpec } from '../../docker/volumes.ts';
import type { ContainerLimits } from './containers-port.ts';
import { type ArmError, badRequest } from './errors.ts';
import { isObject, type Json, objects, strings } from './json.ts';
import type { GroupSecrets, ProbeRecord, RestartPolicy } from './model.ts';
import { firstRefusal, portsOf, requestsOf } from './request-rules.ts';

/** Smallest allocation of a whole group; its containers may ask for less. */
const CORES_MIN = 1;
const MEMORY_MIN_GIB = 1;

export interface ContainerRequest {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly secureEnvironment: Readonly<Record<string, string>>;
  readonly ports: readonly number[];
  readonly limits: ContainerLimits;
  readonly liveness?: ProbeRecord;
  readonly readiness?: ProbeRecord;
  readonly mounts: readonly MountSpec[];
}

/** Which version a secret is, whoever keeps it says. */
export type VolumeRequest =
  | Exclude<VolumeSpec, { readonly kind: 'secret' }>
  | { readonly kind: 'secret'; readonly name: string };

export interface GroupRequest {
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly zones?: readonly string[];
  readonly identity?: unknown;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly osType: string;
  readonly restartPolicy: RestartPolicy;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly spot: boolean;
  readonly exposed?: readonly number[];
  readonly containers: readonly ContainerRequest[];
  readonly initContainers: readonly ContainerRequest[];
  readonly volumes: readonly VolumeRequest[];
  readonly secrets: GroupSecrets;
  /** Of all credentials, those by identity too. */
  readonly registryHosts: readonly string[];
}

/** Region names compare without case and blanks: "East US" is `eastus`. */
export const normalLocation = (location: string): string => location.toLowerCase().replaceAll(' ', '');

export function readGroupRequest(name: string, body: string): GroupRequest | { readonly refused: ArmError } {
  const parsed = parse(body);
  if (!parsed) {
    return {
      refused: badRequest('InvalidRequestContent', 'The request content was invalid and could not be deserialized.'),
    };
  }
  const properties = isObject(parsed['properties']) ? parsed['properties'] : {};
  const refused = firstRefusal(name, parsed, properties);
  if (refused) return { refused };
  return toRequest(parsed, properties);
}

/** The body of a PATCH: the REST model has nothing but tags in it. */
export function readTags(body: string): { readonly tags?: Readonly<Record<string, string>> } | ArmError {
  const parsed = parse(body);
  const invalid = (problem: string) =>
    badRequest('InvalidRequestContent', `The request content was invalid and could not be deserialized: ${problem}`);
  if (!parsed) return invalid('it is not a JSON object.');
  const other = Object.keys(parsed).find((name) => !PATCHABLE.includes(name));
  if (other !== undefined)
    return invalid(`could not find member '${other}' on object of type 'Resource'; only tags can be updated.`);
  const { tags } = parsed;
  if (tags === undefined || tags === null) return {};
  if (!isObject(tags) || Object.values(tags).some((value) => typeof value !== 'string'))
    return invalid('the tags are not a map of strings.');
  return { tags: stringMap(tags) };
}

/** The fields of the REST model's `Resource`; all but the tags are read-only there. */
const PATCHABLE: readonly string[] = ['id', 'name', 'type', 'location', 'tags', 'zones'];

function parse(body: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function toRequest(group: Json, properties: Json): GroupRequest {
  const containers = objects(properties['containers']);
  const requests = containers.map(requestsOf);
  const zones = strings(group['zones']);
  const address = isObject(properties['ipAddress']) ? properties['ipAddress'] : undefined;
  const cores = Math.max(CORES_MIN, sum(requests.map((r) => Number(r.cpu))));
  const memoryGiB = Math.max(MEMORY_MIN_GIB, sum(requests.map((r) => Number(r.memory))));
  // They are given everything that the group asked for.
  const whole = { cpuCores: cores, memoryGiB };
  const members = {
    containers: containers.map((container) => toContainer(container, toLimits(container))),
    initContainers: objects(properties['initContainers']).map((container) => toContainer(container, whole)),
  };
  return {
    location: String(group['location']),
    tags: stringMap(group['tags']),
    ...(zones.length > 0 && { zones }),
    ...(group['identity'] !== undefined && group['identity'] !== null && { identity: group['identity'] }),
    properties: withoutSecrets(properties),
    osType: String(properties['osType']),
    restartPolicy: (properties['restartPolicy'] ?? 'Always') as RestartPolicy,
    cores,
    memoryGiB,
    spot: properties['priority'] === 'Spot',
    ...(address && { exposed: portsOf(address) }),
    ...members,
    volumes: objects(properties['volumes']).map(toVolume),
    secrets: {
      variables: secureVariables([...members.initContainers, ...members.containers]),
      files: secretFiles(objects(properties['volumes'])),
      registries: objects(properties['imageRegistryCredentials']).flatMap(toRegistry),
    },
    registryHosts: objects(properties['imageRegistryCredentials']).map(({ server }) => String(server).toLowerCase()),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

function stringMap(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, String(item)]));
}

function toVolume(volume: Json): VolumeRequest {
  const name = String(volume['name']);
  const { secret, azureFile } = volume;
  if (isObject(secret)) return { kind: 'secret', name };
  if (!isObject(azureFile)) return { kind: 'emptyDir', name };
  const { storageAccountName: account, shareName: share, readOnly } = azureFile;
  return { kind: 'share', name, account: String(account), share: String(share), readOnly: readOnly === true };
}

function secretFiles(volumes: readonly Json[]): SecretFiles {
  return Object.fromEntries(
    volumes.flatMap(({ name, secret }) => (isObject(secret) ? [[String(name), stringMap(secret)]] : [])),
  );
}

function secureVariables(containers: readonly ContainerRequest[]): GroupSecrets['variables'] {
  return Object.fromEntries(
    containers.flatMap(({ name, secureEnvironment }) =>
      Object.keys(secureEnvironment).length === 0 ? [] : [[name, secureEnvironment]],
    ),
  );
}

/** One that signs in by an identity has no password to hand on. */
function toRegistry({ server, username, password }: Json): RegistryCredentials[] {
  if (typeof username !== 'string' || typeof password !== 'string') return [];
  return [{ server: String(server), username, password }];
}

const toMount = (mount: Json): MountSpec => ({
  volume: String(mount['name']),
  path: String(mount['mountPath']),
  readOnly: mount['readOnly'] === true,
});

function toContainer(container: Json, limits: ContainerLimits): ContainerRequest {
  const properties = isObject(container['properties']) ? container['properties'] : {};
  const environment: Record<string, string> = {};
  const secureEnvironment: Record<string, string> = {};
  for (const { name, value, secureValue } of objects(properties['environmentVariables'])) {
    const isSecure = (value ?? null) === null && (secureValue ?? null) !== null;
    if (isSecure) secureEnvironment[String(name)] = String(secureValue);
    else environment[String(name)] = String(value ?? '');
  }
  const liveness = toProbe(properties['livenessProbe']);
  const readiness = toProbe(properties['readinessProbe']);
  return {
    name: String(container['name']),
    image: String(properties['image']),
    command: strings(properties['command']),
    environment,
    secureEnvironment,
    ports: objects(properties['ports'])
      .filter((port) => (port['protocol'] ?? 'TCP') !== 'UDP')
      .map((port) => Number(port['port'])),
    limits,
    mounts: objects(properties['volumeMounts']).map(toMount),
    ...(liveness && { liveness }),
    ...(readiness && { readiness }),
  };
}

/** Without a limit a container may use what it requests. Source: Container Instances "container groups" page (read 2026-11). */
function toLimits(container: Json): ContainerLimits {
  const { cpu, memory, limits } = requestsOf(container);
  return { cpuCores: Number(limits['cpu'] ?? cpu), memoryGiB: Number(limits['memoryInGB'] ?? memory) };
}

/** Defaults of the probe fields are Kubernetes' (10 s, 1 s, 3, 1); the service's page names the same. */
function toProbe(probe: unknown): ProbeRecord | undefined {
  if (!isObject(probe)) return undefined;
  const number = (field: string, fallback: number) => (typeof probe[field] === 'number' ? probe[field] : fallback);
  const http = isObject(probe['httpGet']) ? probe['httpGet'] : undefined;
  const exec = isObject(probe['exec']) ? strings(probe['exec']['command']) : [];
  return {
    test: http ? { http: { port: Number(http['port']), path: String(http['path'] ?? '/') } } : { exec },
    initialDelayMs: number('initialDelaySeconds', 0) * 1000,
    periodMs: number('periodSeconds', 10) * 1000,
    timeoutMs: number('timeoutSeconds', 1) * 1000,
    failureThreshold: number('failureThreshold', 3),
    successThreshold: number('successThreshold', 1),
    failures: 0,
    successes: 0,
    asleep: false,
  };
}

/** Secure values and passwords are accepted and never given back, as in the service: they are not kept at all. */
function withoutSecrets(properties: Json): Json {
  const copy = structuredClone(properties) as Record<string, unknown>;
  delete copy['instanceView'];
  delete copy['provisioningState'];
  const containers = [...objects(copy['containers']), ...objects(copy['initContainers'])];
  for (const container of containers as Record<string, unknown>[]) {
    const inner = container['properties'] as Record<string, unknown> | undefined;
    if (!inner) continue;
    delete inner['instanceView'];
    for (const variable of objects(inner['environmentVariables']) as Record<string, unknown>[])
      delete variable['secureValue'];
  }
  for (const credential of objects(copy['imageRegistryCredentials']) as Record<string, unknown>[])
    delete credential['password'];
  for (const volume of objects(copy['volumes']) as Record<string, unknown>[]) {
    if (isObject(volume['secret'])) volume['secret'] = {};
    if (isObject(volume['azureFile'])) delete (volume['azureFile'] as Record<string, unknown>)['storageAccountKey'];
  }
  const { diagnostics } = copy;
  if (isObject(diagnostics) && isObject(diagnostics['logAnalytics'])) {
    delete (diagnostics['logAnalytics'] as Record<string, unknown>)['workspaceKey'];
  }
  return copy;
}
