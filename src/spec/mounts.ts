/** Everything that is mounted into the containers of one group, as volumes under names that ACI takes and the mounts of each container. */

import type { Mount, VolumeSpec } from '../model/app-spec.ts';
import { limits } from '../model/limits.ts';
import { canonicalJson, compareText } from './json.ts';
import type { Report } from './report.ts';
import type { SecretDirectory } from './secrets.ts';
import type { MountAsked } from './volumes.ts';

/** What one container asks to be mounted. */
export interface ContainerMounts {
  readonly asked: readonly MountAsked[];
  readonly secrets: readonly SecretDirectory[];
  /** Of the container's service. */
  readonly path: string;
}

export interface GroupMounts {
  /** Sorted by name. */
  readonly volumes: readonly VolumeSpec[];
  /** Of each container, in the order in which they were given; sorted by path. */
  readonly mounts: readonly (readonly Mount[])[];
}

export function combineMounts(containers: readonly ContainerMounts[], report: Report): GroupMounts {
  const volumes = new Map<string, VolumeSpec>();
  const mounts = containers.map((container) => {
    const found = new Map<string, Mount>();
    const add = (mount: Mount, place: string): void => {
      if (found.has(mount.path)) {
        report.refuse(
          place,
          `something is mounted at \`${mount.path}\` already.`,
          'Choose another path for one of them.',
        );
      }
      found.set(mount.path, mount);
    };
    for (const { path, readOnly, place, volume } of container.asked) {
      const name =
        volume === 'scratch'
          ? claim(volumes, `scratch-${path}`, { kind: 'emptyDir' }, true)
          : claim(volumes, `volume-${volume.name}`, volume.of, false);
      add({ volume: name, path, readOnly }, place);
    }
    for (const { path, files } of container.secrets) {
      add(
        { volume: claim(volumes, `secrets-${path}`, { kind: 'secret', files }, false), path, readOnly: true },
        container.path,
      );
    }
    return [...found.values()].sort((left, right) => compareText(left.path, right.path));
  });
  if (volumes.size > limits.aci.volumesPerGroup) {
    report.error(
      containers[0]?.path ?? '',
      `needs ${volumes.size} volumes, but a container group has at most ${limits.aci.volumesPerGroup}.`,
      'Put files of secrets and configs into common directories, and merge mounts.',
    );
  }
  return { volumes: [...volumes.values()].sort((left, right) => compareText(left.name, right.name)), mounts };
}

type Unnamed = VolumeSpec extends infer V ? (V extends VolumeSpec ? Omit<V, 'name'> : never) : never;

/** ACI's name for a volume: the same volume keeps its name, others get a number behind it. `alone`: nobody else shares it. */
function claim(volumes: Map<string, VolumeSpec>, wanted: string, volume: Unnamed, alone: boolean): string {
  const slug = wanted
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/-+$/, '')
    .slice(0, 55)
    .replace(/-+$/, '');
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? slug : `${slug}-${n}`;
    const known = volumes.get(name);
    const named = { ...volume, name } as VolumeSpec;
    if (known === undefined) {
      volumes.set(name, named);
      return name;
    }
    if (!alone && canonicalJson(known) === canonicalJson(named)) return name;
  }
}
