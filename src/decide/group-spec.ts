/**
 * The container group of one replica: its name, tags and environment. The name is a function of the replica's identity, so that a second attempt
 * meets the first one's group; the tags say the same in clear, so that ownership can be checked before anything is deleted.
 */
import { createHash } from 'node:crypto';
import type { SecretRef, ServiceTemplate, VolumeSpec } from '../model/app-spec.ts';
import type { GroupSpec, GroupVolume } from '../model/group.ts';
import { names } from '../model/names.ts';
import { isRun } from '../model/run.ts';
import type { PoolRow, ReplicaRow } from '../model/state.ts';
import { revisionHash } from '../spec/revision.ts';

export interface Identity {
  readonly installation: string;
  readonly appUid: string;
}

type Incarnation = Pick<ReplicaRow, 'app' | 'service' | 'slot' | 'incarnation'>;

/** `f-<16 hex digits>-<service>`: at most 59 characters, ACI allows 63. 64 bits keep a million groups apart. */
export function groupName(identity: Identity, replica: Pick<Incarnation, 'service' | 'slot' | 'incarnation'>): string {
  const parts = [identity.installation, identity.appUid, replica.service, replica.slot, replica.incarnation];
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
  return `f-${hash}-${replica.service}`;
}

/** Owner of a reservation in `~pools`. */
export const ownerOf = (replica: Incarnation): string =>
  `${replica.app}/${replica.service}/${replica.slot}/${replica.incarnation}`;

/** Whether a group's tags name exactly this incarnation of this installation. Nothing else may be adopted or deleted in its name. */
export function isGroupOf(tags: Readonly<Record<string, string>>, identity: Identity, replica: Incarnation): boolean {
  return (
    tags[names.tags.installation] === identity.installation &&
    tags[names.tags.appUid] === identity.appUid &&
    tags[names.tags.service] === replica.service &&
    tags[names.tags.slot] === String(replica.slot) &&
    tags[names.tags.incarnation] === String(replica.incarnation)
  );
}

/**
 * Whether a group was made from this revision; only then may it be adopted. A restored table gives incarnations and revision numbers out again while the
 * groups that it has forgotten still stand, so the number and the content must both agree. A group without a hash is older than that tag.
 */
export function isMadeFrom(
  tags: Readonly<Record<string, string>>,
  { revision }: Pick<ReplicaRow, 'revision'>,
  template: ServiceTemplate | undefined,
): boolean {
  if (tags[names.tags.revision] !== String(revision)) return false;
  const hash = tags[names.tags.revisionHash];
  return hash === undefined || template === undefined || hash === revisionHash(template);
}

export function groupSpec(
  identity: Identity & { readonly installationEpoch: number },
  replica: ReplicaRow,
  template: ServiceTemplate,
  pool: Pick<PoolRow, 'pool' | 'region'>,
  secretValue: SecretValue,
): GroupSpec {
  const own = {
    FLOTILLA_APP: replica.app,
    FLOTILLA_SERVICE: replica.service,
    ...(isRun(replica) ? { FLOTILLA_RUN: String(replica.incarnation) } : { FLOTILLA_SLOT: String(replica.slot) }),
    FLOTILLA_INCARNATION: String(replica.incarnation),
    FLOTILLA_REVISION: String(replica.revision),
    FLOTILLA_POOL: pool.pool,
    FLOTILLA_REGION: pool.region,
  };
  return {
    name: replica.group,
    region: pool.region,
    image: template.image,
    containerName: replica.service,
    command: template.command,
    environment: { ...template.environment, ...own },
    cpuCores: template.cpuCores,
    memoryGiB: template.memoryGiB,
    ports: template.ports,
    restartPolicy: template.restartPolicy,
    ...(template.liveness === undefined ? {} : { liveness: template.liveness }),
    tags: {
      [names.tags.installation]: identity.installation,
      [names.tags.epoch]: String(identity.installationEpoch),
      [names.tags.app]: replica.app,
      [names.tags.appUid]: identity.appUid,
      [names.tags.service]: replica.service,
      [names.tags.slot]: String(replica.slot),
      [names.tags.incarnation]: String(replica.incarnation),
      [names.tags.revision]: String(replica.revision),
      [names.tags.revisionHash]: revisionHash(template),
    },
    secureEnvironment: secureEnvironment(template, secretValue),
    volumes: (template.volumes ?? []).map((volume) => groupVolume(volume, secretValue)),
    mounts: template.mounts ?? [],
    initContainers: (template.initContainers ?? []).map((init) => ({
      name: init.name,
      image: init.image,
      command: init.command,
      environment: { ...init.environment, ...own },
      secureEnvironment: secureEnvironment(init, secretValue),
      mounts: init.mounts ?? [],
    })),
    registryCredentials: (template.registries ?? []).map((registry) =>
      'identity' in registry
        ? registry
        : { server: registry.server, username: registry.username, password: lineOf(secretValue(registry.password)) },
    ),
  };
}

/** The value that a reference stands for. It throws for one that was not read: what a group needs is read before its spec is made. */
export type SecretValue = (ref: SecretRef) => Uint8Array;

/** A file that people edit ends in a newline, which no password, key or variable means to have. */
const lineOf = (value: Uint8Array): string =>
  Buffer.from(value)
    .toString('utf8')
    .replace(/\r?\n$/, '');

const secureEnvironment = (
  { secretEnvironment = {} }: Pick<ServiceTemplate, 'secretEnvironment'>,
  secretValue: SecretValue,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(secretEnvironment).map(([name, ref]) => [name, lineOf(secretValue(ref))]));

function groupVolume(volume: VolumeSpec, secretValue: SecretValue): GroupVolume {
  switch (volume.kind) {
    case 'emptyDir':
      return volume;
    case 'azureFile': {
      const { key, ...share } = volume;
      return { ...share, storageAccountKey: lineOf(secretValue(key)) };
    }
    case 'secret': {
      const files = Object.entries(volume.files).map(([file, ref]) => [
        file,
        Buffer.from(secretValue(ref)).toString('base64'),
      ]);
      return { ...volume, files: Object.fromEntries(files) };
    }
  }
}
