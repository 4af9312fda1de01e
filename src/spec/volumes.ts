/**
 * `volumes` and `tmpfs` of a service, and the named volumes of the document. A container group has no disk that outlives it: what Docker keeps in a
 * named volume would be lost without a word, so a named volume must say where its data is. Secrets are mounted beside them (`secrets.ts`).
 */

import type { VolumeSpec } from '../model/app-spec.ts';
import { readAzureFile } from './azure-file.ts';
import { isObject, joinPath, ownValue } from './json.ts';
import { pathProblem } from './mount-path.ts';
import { readBoolean } from './read.ts';
import type { Report } from './report.ts';
import type { SecretTable } from './secrets.ts';
import { nearestWord } from './suggest.ts';

/** A named volume of the document, before ACI's name for it is chosen. */
export type NamedVolume = { readonly kind: 'emptyDir' } | Omit<Extract<VolumeSpec, { kind: 'azureFile' }>, 'name'>;

/** By name; one that is refused has no value, and is not complained about again. */
export type VolumeTable = ReadonlyMap<string, NamedVolume | undefined>;

/** Only volumes that a service mounts are judged: the others are warned about. */
export function readVolumeTable(
  document: Readonly<Record<string, unknown>>,
  secrets: SecretTable,
  report: Report,
): VolumeTable {
  const { volumes, services } = document;
  const mounted = new Set(
    (isObject(services) ? Object.values(services) : []).flatMap((service) => namesMountedBy(service)),
  );
  return new Map(
    Object.entries(isObject(volumes) ? volumes : {}).map(([name, definition]) => {
      const path = joinPath('volumes', name);
      if (mounted.has(name)) return [name, readNamedVolume(name, definition, path, secrets, report)];
      report.warn(path, 'is ignored: no service mounts it.', 'Nothing to do; remove it to silence this warning.');
      return [name, undefined];
    }),
  );
}

function namesMountedBy(service: unknown): readonly string[] {
  const items = ownValue(service, 'volumes');
  return (Array.isArray(items) ? items : []).flatMap((item) => {
    const source = typeof item === 'string' ? item.split(':')[0] : ownValue(item, 'source');
    return typeof source === 'string' ? [source] : [];
  });
}

function readNamedVolume(
  name: string,
  definition: unknown,
  path: string,
  secrets: SecretTable,
  report: Report,
): NamedVolume | undefined {
  const extension = ownValue(definition, 'x-flotilla');
  const azureFile = readAzureFile(definition, path, secrets, report);
  if (azureFile !== 'none') return azureFile;
  if (readBoolean(ownValue(extension, 'emptyDir'), false, joinPath(path, 'x-flotilla', 'emptyDir'), report)) {
    report.warn(
      path,
      'is an empty directory of each replica: replicas do not share it, and it is gone when its replica is replaced.',
      'Nothing to do if it is scratch space.',
    );
    return { kind: 'emptyDir' };
  }
  const driver = ownValue(definition, 'driver');
  const what =
    typeof driver === 'string' && driver !== 'local'
      ? `the volume driver \`${driver}\` does not exist here`
      : 'a named volume keeps its data when containers go, and Azure Container Instances has no disk that does: it would be lost with the first replica that is replaced';
  report.refuse(
    path,
    `${what}.`,
    `Keep the data in an Azure file share, \`${name}: {x-flotilla: {azureFile: {share: …, storageAccount: …, keySecret: …}}}\`, or in a database outside the app; if losing it is harmless, write \`${name}: {x-flotilla: {emptyDir: true}}\`.`,
  );
  return undefined;
}

/** One mount as written: what is mounted, and where. */
export interface MountAsked {
  readonly path: string;
  readonly readOnly: boolean;
  readonly place: string;
  readonly volume: { readonly name: string; readonly of: NamedVolume } | 'scratch';
}

export function readMounts(
  service: Readonly<Record<string, unknown>>,
  path: string,
  table: VolumeTable,
  report: Report,
): readonly MountAsked[] {
  const { volumes, tmpfs } = service;
  const fromVolumes = (Array.isArray(volumes) ? volumes : []).map((item: unknown, index) =>
    readMount(item, joinPath(path, 'volumes', index), table, report),
  );
  const list = typeof tmpfs === 'string' ? [tmpfs] : Array.isArray(tmpfs) ? tmpfs : [];
  const fromTmpfs = list.map((item: unknown, index) =>
    readTmpfs(item, Array.isArray(tmpfs) ? joinPath(path, 'tmpfs', index) : joinPath(path, 'tmpfs'), report),
  );
  return [...fromVolumes, ...fromTmpfs].filter((mount) => mount !== undefined);
}

interface Written {
  readonly type: string;
  readonly source: string | undefined;
  readonly target: string;
  readonly readOnly: boolean;
}

function readMount(item: unknown, place: string, table: VolumeTable, report: Report): MountAsked | undefined {
  const written = typeof item === 'string' ? readShortForm(item, place, report) : readLongForm(item, place, report);
  if (written === undefined) return undefined;
  const { type, source, readOnly } = written;
  if (type === 'bind') return refuseBind(source ?? '', place, report);
  if (type !== 'volume' && type !== 'tmpfs') {
    report.refuse(
      place,
      `a mount of type \`${type}\` does not exist in Azure Container Instances.`,
      'Put the files into the image, or into a volume.',
    );
    return undefined;
  }
  const target = readTarget(written.target, place, report);
  if (target === undefined) return undefined;
  if (source === undefined) {
    report.warn(
      place,
      scratchText(target, type),
      'Nothing to do if it is scratch space; else mount an Azure file share.',
    );
    return { path: target, readOnly, place, volume: 'scratch' };
  }
  if (!table.has(source)) {
    const nearest = nearestWord(source, table.keys());
    const remedy =
      nearest === undefined ? `Add \`${source}\` under \`volumes:\` at the top.` : `Did you mean \`${nearest}\`?`;
    report.refuse(place, `the document declares no volume \`${source}\`.`, remedy);
    return undefined;
  }
  const of = table.get(source);
  return of === undefined ? undefined : { path: target, readOnly, place, volume: { name: source, of } };
}

const scratchText = (target: string, type: string): string =>
  `is an empty directory of each replica${type === 'tmpfs' ? ', on disk and not in memory' : ''}: it stays over restarts in place and is gone with its replica; what the image has in \`${target}\` is hidden.`;

/** `[SOURCE:]TARGET[:MODE]`. */
function readShortForm(item: string, place: string, report: Report): Written | undefined {
  const parts = item.split(':');
  // `C:\data:/data`: a drive letter is part of the path.
  if (/^[A-Za-z]$/.test(parts[0] ?? '') && /^[\\/]/.test(parts[1] ?? '')) parts.splice(0, 2, `${parts[0]}:${parts[1]}`);
  if (parts.length > 3 || parts.some((part) => part === '')) {
    report.refuse(place, `\`${item}\` is not a mount.`, 'Write `NAME:/PATH`, `NAME:/PATH:ro` or `/PATH`.');
    return undefined;
  }
  const [source, target, mode = ''] =
    parts.length === 1 ? [undefined, parts[0] ?? ''] : [parts[0], parts[1] ?? '', parts[2]];
  const options = mode.split(',').filter((option) => option !== '');
  const unknown = options.filter((option) => !['ro', 'rw'].includes(option));
  if (unknown.length > 0) {
    report.warn(
      place,
      `${unknown.map((option) => `\`${option}\``).join(', ')} is ignored: Azure Container Instances knows only \`ro\`.`,
      'Nothing to do; remove it to silence this warning.',
    );
  }
  const isPath = source !== undefined && /^([.~/\\]|[A-Za-z]:[\\/])/.test(source);
  return { type: isPath ? 'bind' : 'volume', source, target, readOnly: options.includes('ro') };
}

function readLongForm(item: unknown, place: string, report: Report): Written | undefined {
  if (!isObject(item)) return undefined;
  const { type, source, target, read_only: readOnly, volume } = item;
  if (typeof type !== 'string') return undefined;
  if (typeof target !== 'string') {
    report.refuse(place, 'lacks `target`, the path in the container.', 'Add `target`.');
    return undefined;
  }
  const subpath = ownValue(volume, 'subpath');
  if (subpath !== undefined && subpath !== null && subpath !== '') {
    report.refuse(
      joinPath(place, 'volume', 'subpath'),
      'a part of a volume cannot be mounted in Azure Container Instances.',
      'Mount the whole volume, or make a share of the part.',
    );
    return undefined;
  }
  return {
    type,
    source: typeof source === 'string' && source !== '' ? source : undefined,
    target,
    readOnly: readBoolean(readOnly, false, joinPath(place, 'read_only'), report),
  };
}

function refuseBind(source: string, place: string, report: Report): undefined {
  const isSocket = source.endsWith('docker.sock');
  report.refuse(
    place,
    isSocket
      ? 'mounts the socket of a Docker daemon, and container groups run without one.'
      : `mounts \`${source}\` of the machine, which no container group ever sees.`,
    isSocket
      ? 'Remove it; what watches or starts containers has nothing to talk to here.'
      : 'Declare a file under `configs:` (`{file: PATH}`) and name it in the service; put directories into the image, or data into an Azure file share.',
  );
  return undefined;
}

/** `/PATH[:OPTIONS]`. */
function readTmpfs(item: unknown, place: string, report: Report): MountAsked | undefined {
  if (typeof item !== 'string') return undefined;
  const [written = ''] = item.split(':');
  const target = readTarget(written, place, report);
  if (target === undefined) return undefined;
  report.warn(place, scratchText(target, 'tmpfs'), 'Nothing to do, unless the files must never touch a disk.');
  return { path: target, readOnly: false, place, volume: 'scratch' };
}

function readTarget(written: string, place: string, report: Report): string | undefined {
  const problem = pathProblem(written);
  if (problem === undefined) return written.replace(/\/+$/, '');
  report.refuse(place, `nothing can be mounted here: ${problem}.`, 'Write an absolute path to a directory of its own.');
  return undefined;
}
