/**
 * The rules a container group must keep to be accepted. The first broken one is answered, as the service does. Limits from the Container
 * Instances quotas and FAQ pages (read 2026-11). Pure.
 */
import { isIPv4 } from 'node:net';
import { type ArmError, badRequest, notModelled } from './errors.ts';
import { isObject, type Json, objects, strings } from './json.ts';
import { volumeRules } from './volume-rules.ts';

const CONTAINERS_MAX = 60;
const VOLUMES_MAX = 20;
const PORTS_MAX = 5;
export const CORES_MAX = 31;
export const MEMORY_MAX_GIB = 240;
const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** The refusal of the first broken rule. */
export function firstRefusal(name: string, group: Json, properties: Json): ArmError | undefined {
  return (
    groupRules(name, group, properties) ??
    initRules(name, properties) ??
    [...objects(properties['initContainers']), ...objects(properties['containers'])].reduce<ArmError | undefined>(
      (found, container) => found ?? containerRules(name, container),
      undefined,
    ) ??
    volumeRules(name, properties) ??
    resourceRules(name, properties) ??
    addressRules(name, properties) ??
    dnsRules(name, properties) ??
    spotRules(name, properties)
  );
}

function groupRules(name: string, group: Json, properties: Json): ArmError | undefined {
  if (!NAME.test(name)) {
    return badRequest(
      'InvalidContainerGroupName',
      `The container group name '${name}' is invalid. It must be 1-63 characters of lowercase letters, numbers and dashes, and must start and end with a letter or number.`,
    );
  }
  if (typeof group['location'] !== 'string' || group['location'] === '') {
    return badRequest('LocationRequired', 'The location property is required for this definition.');
  }
  const osType = properties['osType'];
  if (osType !== 'Linux' && osType !== 'Windows') {
    return badRequest(
      'InvalidOsType',
      `The os type '${String(osType)}' in container group '${name}' is invalid. Use 'Linux' or 'Windows'.`,
    );
  }
  if (osType === 'Windows') return notModelled('Windows container groups');
  const policy = properties['restartPolicy'] ?? 'Always';
  if (policy !== 'Always' && policy !== 'OnFailure' && policy !== 'Never') {
    return badRequest(
      'InvalidRestartPolicy',
      `The restart policy '${String(policy)}' in container group '${name}' is invalid. Use 'Always', 'OnFailure' or 'Never'.`,
    );
  }
  const sku = properties['sku'] ?? 'Standard';
  if (sku !== 'Standard') return notModelled(`the SKU '${String(sku)}'`);
  return countRules(name, properties);
}

function countRules(name: string, properties: Json): ArmError | undefined {
  const containers = objects(properties['containers']);
  const initContainers = objects(properties['initContainers']);
  if (containers.length === 0) {
    return badRequest('MissingContainers', `The container group '${name}' must have at least one container.`);
  }
  const count = containers.length + initContainers.length;
  if (count > CONTAINERS_MAX) {
    return badRequest(
      'TooManyContainers',
      `The container group '${name}' has ${count} containers; the limit is ${CONTAINERS_MAX}.`,
    );
  }
  const volumes = objects(properties['volumes']);
  if (volumes.length > VOLUMES_MAX) {
    return badRequest(
      'TooManyVolumes',
      `The container group '${name}' has ${volumes.length} volumes; the limit is ${VOLUMES_MAX}.`,
    );
  }
  const names = [...initContainers, ...containers].map((container) => container['name']);
  const twice = names.find((one, index) => names.indexOf(one) !== index);
  if (twice !== undefined) {
    return badRequest(
      'DuplicateContainerName',
      `The container name '${String(twice)}' in container group '${name}' is used twice.`,
    );
  }
  return undefined;
}

function containerRules(group: string, container: Json): ArmError | undefined {
  const name = container['name'];
  const properties = isObject(container['properties']) ? container['properties'] : {};
  if (typeof name !== 'string' || !NAME.test(name)) {
    return badRequest(
      'InvalidContainerName',
      `The container name '${String(name)}' in container group '${group}' is invalid. It must be 1-63 characters of lowercase letters, numbers and dashes, and must start and end with a letter or number.`,
    );
  }
  if (typeof properties['image'] !== 'string' || properties['image'] === '') {
    return badRequest(
      'MissingImage',
      `The image of container '${name}' in container group '${group}' cannot be empty.`,
    );
  }
  for (const kind of ['livenessProbe', 'readinessProbe']) {
    const refused = probeRules(name, kind, properties[kind]);
    if (refused) return refused;
  }
  return undefined;
}

/** What the REST model of an init container does not have. */
const NOT_OF_INIT = ['ports', 'resources', 'livenessProbe', 'readinessProbe'];

function initRules(group: string, properties: Json): ArmError | undefined {
  for (const { name, properties: own } of objects(properties['initContainers'])) {
    const other = isObject(own)
      ? NOT_OF_INIT.find((field) => own[field] !== undefined && own[field] !== null)
      : undefined;
    if (other === undefined) continue;
    return badRequest(
      'InvalidInitContainer',
      `The init container '${String(name)}' in container group '${group}' cannot have ${other}.`,
    );
  }
  return undefined;
}

function probeRules(container: string, kind: string, probe: unknown): ArmError | undefined {
  if (!isObject(probe)) return undefined;
  const invalid = (problem: string) =>
    badRequest('InvalidProbe', `The ${kind} of container '${container}' is invalid: ${problem}.`);
  const exec = isObject(probe['exec']) ? strings(probe['exec']['command']) : undefined;
  const http = isObject(probe['httpGet']) ? probe['httpGet'] : undefined;
  if ((exec === undefined) === (http === undefined)) return invalid('give either exec or httpGet');
  if (exec?.length === 0) return invalid('exec.command is empty');
  if (http && !isPort(http['port'])) return invalid(`httpGet.port '${String(http['port'])}' is not a port`);
  for (const field of ['periodSeconds', 'failureThreshold', 'successThreshold', 'timeoutSeconds']) {
    const value = probe[field];
    if (value !== undefined && value !== null && !(typeof value === 'number' && value >= 1)) {
      return invalid(`${field} '${String(value)}' must be at least 1`);
    }
  }
  return undefined;
}

const isPort = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535;

/** CPU, memory and limits a container asks for, unchecked. */
export function requestsOf(container: Json): { cpu: unknown; memory: unknown; limits: Json } {
  const properties = isObject(container['properties']) ? container['properties'] : {};
  const resources = isObject(properties['resources']) ? properties['resources'] : {};
  const requests = isObject(resources['requests']) ? resources['requests'] : {};
  return {
    cpu: requests['cpu'],
    memory: requests['memoryInGB'],
    limits: isObject(resources['limits']) ? resources['limits'] : {},
  };
}

function resourceRules(name: string, properties: Json): ArmError | undefined {
  let cores = 0;
  let memoryGiB = 0;
  for (const container of objects(properties['containers'])) {
    const { cpu, memory, limits } = requestsOf(container);
    const of = `of container '${String(container['name'])}' in container group '${name}'`;
    if (typeof cpu !== 'number' || typeof memory !== 'number' || cpu <= 0 || memory <= 0) {
      return badRequest('InvalidResourceRequests', `The CPU and memory requests ${of} must be greater than zero.`);
    }
    const { cpu: cpuLimit, memoryInGB: memoryLimit } = limits;
    if ((typeof cpuLimit === 'number' && cpuLimit < cpu) || (typeof memoryLimit === 'number' && memoryLimit < memory)) {
      return badRequest('InvalidResourceLimits', `The resource limits ${of} must not be smaller than its requests.`);
    }
    cores += cpu;
    memoryGiB += memory;
  }
  if (cores > CORES_MAX || memoryGiB > MEMORY_MAX_GIB) {
    return badRequest(
      'ResourceRequestsTooLarge',
      `The container group '${name}' requests '${cores}' CPU and '${memoryGiB}' GB memory; the limit is '${CORES_MAX}' CPU and '${MEMORY_MAX_GIB}' GB.`,
    );
  }
  return undefined;
}

function addressRules(name: string, properties: Json): ArmError | undefined {
  const declared = objects(properties['containers']).flatMap((c) =>
    portsOf(isObject(c['properties']) ? c['properties'] : {}),
  );
  const bad = declared.find((port) => !isPort(port));
  if (bad !== undefined)
    return badRequest('InvalidPort', `The port '${bad}' in container group '${name}' is invalid. Use 1-65535.`);
  const twice = declared.find((port, index) => declared.indexOf(port) !== index);
  if (twice !== undefined) {
    return badRequest(
      'DuplicateContainerPort',
      `The port '${twice}' in container group '${name}' is used by more than one container. Containers of a group share one address.`,
    );
  }
  const subnets = objects(properties['subnetIds']);
  const address = properties['ipAddress'];
  if (!isObject(address)) return undefined;
  return exposedRules(name, address, declared) ?? networkRules(name, address, subnets.length > 0);
}

function exposedRules(name: string, address: Json, declared: readonly number[]): ArmError | undefined {
  const exposed = portsOf(address);
  if (exposed.length === 0) {
    return badRequest(
      'MissingIpAddressPorts',
      `The ports in the 'ipAddress' of container group '${name}' cannot be empty.`,
    );
  }
  if (exposed.length > PORTS_MAX) {
    return badRequest(
      'TooManyIpAddressPorts',
      `The 'ipAddress' of container group '${name}' has ${exposed.length} ports; the limit is ${PORTS_MAX}.`,
    );
  }
  const stranger = exposed.find((port) => !declared.includes(port));
  if (stranger !== undefined) {
    return badRequest(
      'InvalidIpAddressPort',
      `The port '${stranger}' in the 'ipAddress' of container group '${name}' cannot be found in any container.`,
    );
  }
  return undefined;
}

function networkRules(name: string, address: Json, inSubnet: boolean): ArmError | undefined {
  const type = address['type'];
  if (type !== 'Public' && type !== 'Private') {
    return badRequest(
      'InvalidIpAddressType',
      `The type '${String(type)}' of the 'ipAddress' of container group '${name}' is invalid. Use 'Public' or 'Private'.`,
    );
  }
  if (type === 'Public' && inSubnet) {
    return badRequest('InvalidIpAddressType', "IP Address type can't be public when a subnet is set.");
  }
  const label = address['dnsNameLabel'];
  if (label === undefined || label === null) return undefined;
  if (typeof label !== 'string' || !/^[a-z]([-a-z0-9]{3,61}[a-z0-9])$/.test(label)) {
    return badRequest(
      'InvalidDnsNameLabel',
      `The DNS name label '${String(label)}' is invalid. It must be 5-63 characters of lowercase letters, numbers and dashes.`,
    );
  }
  if (type === 'Private') {
    return badRequest('InvalidDnsNameLabel', `The private container group '${name}' cannot have a DNS name label.`);
  }
  return undefined;
}

/** Source: "custom DNS" page and the REST model, where `nameServers` is required (read 2026-11). The codes are not published. */
function dnsRules(name: string, properties: Json): ArmError | undefined {
  const { dnsConfig } = properties;
  if (!isObject(dnsConfig)) return undefined;
  const of = `The 'dnsConfig' of container group '${name}'`;
  const servers = strings(dnsConfig['nameServers']);
  const wrong = servers.find((server) => !isIPv4(server));
  if (servers.length > 0 && wrong === undefined) return undefined;
  return badRequest(
    'InvalidDnsConfig',
    `${of} ${wrong === undefined ? "has no 'nameServers'" : `names the server '${wrong}'`}: give at least one IPv4 address.`,
  );
}

function spotRules(name: string, properties: Json): ArmError | undefined {
  const priority = properties['priority'] ?? 'Regular';
  if (priority === 'Regular') return undefined;
  if (priority !== 'Spot')
    return badRequest('InvalidPriority', `The priority '${String(priority)}' of container group '${name}' is invalid.`);
  if (isObject(properties['ipAddress']) || objects(properties['subnetIds']).length > 0) {
    return badRequest(
      'SpotPriorityContainerGroupNotSupportedForInboundConnectivity',
      `The Spot container group '${name}' cannot have an IP address or a subnet.`,
    );
  }
  return undefined;
}

/** TCP and UDP ports as numbers; UDP ones are accepted, but nothing listens on them. */
export function portsOf(owner: Json): number[] {
  return objects(owner['ports']).map((port) => Number(port['port']));
}
