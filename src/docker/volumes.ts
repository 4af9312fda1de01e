/**
 * Volumes of container groups on the engine. Those of one group hang on its sandbox, which holds them while containers come and go: an empty
 * directory is a volume of the engine, secrets are files in memory (tmpfs) that the engine never writes down. A file share belongs to nobody's group:
 * it is a volume of the owner, and stays.
 */
import { createHash } from 'node:crypto';
import type Docker from 'dockerode';
import { unless } from './failure.ts';
import { labels, type Owner, ownerLabels } from './labels.ts';
import { type TarEntry, tarOf } from './tar.ts';

export type VolumeSpec =
  | { readonly kind: 'emptyDir'; readonly name: string }
  /** Its files are handed over apart; `version` changes with them. */
  | { readonly kind: 'secret'; readonly name: string; readonly version: string }
  /** One directory per account and share, for all groups. */
  | {
      readonly kind: 'share';
      readonly name: string;
      readonly account: string;
      readonly share: string;
      readonly readOnly: boolean;
    };

/** Secret volume → file name → content in base64. */
export type SecretFiles = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface MountSpec {
  /** Name of a volume of the group. */
  readonly volume: string;
  readonly path: string;
  readonly readOnly: boolean;
}

/** Where the sandbox holds its volumes. */
const HELD_BELOW = '/volumes';
/** A file takes whole pages of a tmpfs, and the directory one. */
const PAGE_BYTES = 4_096;

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

export function volumeName(owner: Owner, uid: string, volume: VolumeSpec): string {
  const own =
    volume.kind === 'share'
      ? `share-${digest(`${volume.account}/${volume.share}`)}`
      : `${uid.slice(0, 8)}-${volume.name}`;
  return `flotilla-${owner.id}-${own}`;
}

/** Nothing is copied into a volume from the image: what the image has at its path is hidden. */
export const mountOf = (source: string, target: string, readOnly: boolean): Docker.MountSettings =>
  ({
    Type: 'volume',
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    VolumeOptions: { NoCopy: true },
  }) as Docker.MountSettings;

export const heldMounts = (owner: Owner, uid: string, volumes: readonly VolumeSpec[]): Docker.MountSettings[] =>
  volumes.map((volume) => mountOf(volumeName(owner, uid, volume), `${HELD_BELOW}/${volume.name}`, false));

/** Creates what is not there yet. */
export async function ensureVolumes(docker: Docker, owner: Owner, spec: VolumesSpec): Promise<void> {
  const { uid, group, volumes, files } = spec;
  for (const volume of volumes) {
    const belonging =
      volume.kind === 'share'
        ? { [labels.share]: `${volume.account}/${volume.share}` }
        : { [labels.uid]: uid, [labels.group]: group };
    await docker.createVolume({
      Name: volumeName(owner, uid, volume),
      Labels: { ...ownerLabels(owner), ...belonging },
      ...(volume.kind === 'secret' && { DriverOpts: inMemory(files[volume.name] ?? {}) }),
    });
  }
}

interface VolumesSpec {
  readonly uid: string;
  readonly group: string;
  readonly volumes: readonly VolumeSpec[];
  readonly files: SecretFiles;
}

function inMemory(files: Readonly<Record<string, string>>): Record<string, string> {
  const pages = Object.values(files).map((content) => 1 + Math.ceil(Buffer.byteLength(content, 'base64') / PAGE_BYTES));
  const size = (16 + pages.reduce((total, count) => total + count, 0)) * PAGE_BYTES;
  return { type: 'tmpfs', device: 'tmpfs', o: `size=${size},mode=0755` };
}

/** Writes the secrets, and lets every user of a container write into the directories, as on the service. Doing it twice is doing it once. */
export async function fillVolumes(
  docker: Docker,
  sandboxId: string,
  { volumes, files }: Pick<VolumesSpec, 'volumes' | 'files'>,
): Promise<void> {
  if (volumes.length === 0) return;
  const entries = volumes.flatMap((volume) => contentsOf(volume, files[volume.name] ?? {}));
  await docker.getContainer(sandboxId).putArchive(tarOf(entries), { path: HELD_BELOW });
}

function contentsOf(volume: VolumeSpec, files: Readonly<Record<string, string>>): readonly TarEntry[] {
  if (volume.kind !== 'secret') return [{ path: `${volume.name}/`, mode: 0o777 }];
  return Object.entries(files).map(([file, content]) => ({
    path: `${volume.name}/${file}`,
    mode: 0o644,
    content: Buffer.from(content, 'base64'),
  }));
}

/** Names of the volumes that a group has of its own. */
export async function volumesOf(
  docker: Docker,
  owner: Owner,
  uid?: string,
): Promise<readonly { name: string; uid: string }[]> {
  const label = [`${labels.owner}=${owner.id}`, uid === undefined ? labels.uid : `${labels.uid}=${uid}`];
  const { Volumes } = await docker.listVolumes({ filters: { label } });
  return (Volumes ?? []).map(({ Name, Labels }) => ({ name: Name, uid: Labels?.[labels.uid] ?? '' }));
}

export async function removeVolumes(docker: Docker, names: readonly string[]): Promise<void> {
  for (const name of names) await unless([404], docker.getVolume(name).remove());
}
