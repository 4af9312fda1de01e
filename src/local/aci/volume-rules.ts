/**
 * The rules for volumes, their mounts and registry credentials. The first broken one is answered, as the service does. Names: ACI FAQ (2024-08);
 * mounts: REST reference `VolumeMount`; the service publishes neither the codes nor the limits of secret volumes, see DIFFERENCES.md. Pure.
 */
import { type ArmError, badRequest, notModelled } from './errors.ts';
import { isObject, type Json, objects } from './json.ts';

const VOLUME_NAME = /^[a-z0-9][-a-z0-9]{3,61}[a-z0-9]$/;
const KINDS = ['azureFile', 'emptyDir', 'secret', 'gitRepo'] as const;
/** Names of files in a secret volume: the service keeps them as Kubernetes does. Source: Kubernetes, `Secret` ("data" keys). */
const FILE_NAME = /^[-._a-zA-Z0-9]{1,253}$/;
/** Of one secret volume, decoded: Kubernetes' bound on a secret. Source: kubernetes.io/docs/concepts/configuration/secret (read 2026-11). */
export const SECRET_VOLUME_BYTES_MAX = 1024 * 1024;

export function volumeRules(group: string, properties: Json): ArmError | undefined {
  const volumes = objects(properties['volumes']);
  const names = volumes.map((volume) => volume['name']);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    return badRequest(
      'DuplicateVolumeName',
      `The volume name '${String(twice)}' in container group '${group}' is used twice.`,
    );
  }
  return (
    first(volumes, (volume) => oneVolume(group, volume)) ??
    first([...objects(properties['containers']), ...objects(properties['initContainers'])], (container) =>
      mountRules(group, container, names),
    ) ??
    first(objects(properties['imageRegistryCredentials']), (credential) => credentialRules(group, credential))
  );
}

function first<T>(items: readonly T[], refusalOf: (item: T) => ArmError | undefined): ArmError | undefined {
  for (const item of items) {
    const refused = refusalOf(item);
    if (refused) return refused;
  }
  return undefined;
}

function oneVolume(group: string, volume: Json): ArmError | undefined {
  const { name } = volume;
  const of = `The volume '${String(name)}' in container group '${group}'`;
  if (typeof name !== 'string' || !VOLUME_NAME.test(name)) {
    return badRequest(
      'InvalidVolumeName',
      `${of} has an invalid name. It must be 5-63 characters of lowercase letters, numbers and dashes, and must start and end with a letter or number.`,
    );
  }
  const kinds = KINDS.filter((kind) => isObject(volume[kind]));
  if (kinds.length !== 1) {
    return badRequest('InvalidVolume', `${of} must be exactly one of ${KINDS.join(', ')}.`);
  }
  if (isObject(volume['gitRepo'])) return notModelled('gitRepo volumes');
  if (isObject(volume['secret'])) return secretRules(of, volume['secret']);
  return isObject(volume['azureFile']) ? azureFileRules(of, volume['azureFile']) : undefined;
}

/** The contents are never repeated in a message. */
function secretRules(of: string, files: Json): ArmError | undefined {
  let sizeBytes = 0;
  for (const [file, content] of Object.entries(files)) {
    if (!FILE_NAME.test(file) || file === '.' || file === '..') {
      return badRequest('InvalidSecretVolume', `${of} has a file with the invalid name '${file}'.`);
    }
    const bytes = decodeBase64(content);
    if (bytes === undefined) {
      return badRequest('InvalidSecretVolume', `${of} has a file '${file}' whose content is not base64.`);
    }
    sizeBytes += bytes.length;
  }
  if (sizeBytes > SECRET_VOLUME_BYTES_MAX) {
    return badRequest(
      'SecretVolumeTooLarge',
      `${of} has ${sizeBytes} bytes of secrets; the limit is ${SECRET_VOLUME_BYTES_MAX}.`,
    );
  }
  return undefined;
}

/** Node decodes leniently; the service does not. */
export function decodeBase64(content: unknown): Buffer | undefined {
  if (typeof content !== 'string') return undefined;
  const bytes = Buffer.from(content, 'base64');
  return bytes.toString('base64') === content ? bytes : undefined;
}

function azureFileRules(of: string, azureFile: Json): ArmError | undefined {
  for (const field of ['shareName', 'storageAccountName', 'storageAccountKey']) {
    const value = azureFile[field];
    if (typeof value !== 'string' || value === '') {
      return badRequest('InvalidAzureFileVolume', `${of} lacks azureFile.${field}.`);
    }
  }
  if (decodeBase64(azureFile['storageAccountKey']) === undefined) {
    return badRequest('InvalidAzureFileVolume', `${of} has a storage account key that is not base64.`);
  }
  return undefined;
}

function mountRules(group: string, container: Json, volumes: readonly unknown[]): ArmError | undefined {
  const properties = isObject(container['properties']) ? container['properties'] : {};
  const of = `of container '${String(container['name'])}' in container group '${group}'`;
  const seen = new Set<string>();
  for (const mount of objects(properties['volumeMounts'])) {
    const path = String(mount['mountPath'] ?? '');
    if (!volumes.includes(mount['name'])) {
      return badRequest(
        'VolumeNotFound',
        `The volume '${String(mount['name'])}' mounted by a volumeMount ${of} is not defined.`,
      );
    }
    if (!path.startsWith('/') || path.includes(':') || path === '/') {
      return badRequest(
        'InvalidMountPath',
        `The mount path '${path}' ${of} is invalid: it must be absolute, not '/', and must not contain ':'.`,
      );
    }
    const normal = path.replace(/\/+$/, '');
    if (seen.has(normal)) return badRequest('DuplicateMountPath', `The mount path '${path}' ${of} is used twice.`);
    seen.add(normal);
  }
  return undefined;
}

function credentialRules(group: string, credential: Json): ArmError | undefined {
  const { server, username, password, identity } = credential;
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
  const hasPassword = isText(username) && isText(password);
  if (isText(server) && !/^https?:/.test(String(server)) && hasPassword !== isText(identity)) return undefined;
  return badRequest(
    'InvalidImageRegistryCredential',
    `An image registry credential of container group '${group}' is invalid: it needs a server without a protocol, and either username and password or an identity.`,
  );
}
