/** Taking away what carries a label, and what belongs to directories that are gone. */
import type Docker from 'dockerode';
import { unless } from './failure.ts';
import { labels, type Owner } from './labels.ts';
import { removeNetworks } from './network.ts';
import { removeVolumes } from './volumes.ts';

/** Containers, volumes and networks of the owner. File shares go only with the directory that they belong to: they are somebody's data. */
export const removeOwned = (docker: Docker, owner: Owner): Promise<void> =>
  removeAll(docker, `${labels.owner}=${owner.id}`, owner.directory !== undefined);

/** `filter` as `label=value`. Runs before sandboxes: a sandbox that is gone takes nothing with it. */
async function removeAll(docker: Docker, filter: string, sharesToo: boolean): Promise<void> {
  const found = await docker.listContainers({ all: true, filters: { label: [filter] } });
  const remove = ({ Id }: { Id: string }) =>
    unless([404, 409], docker.getContainer(Id).remove({ force: true, v: true }));
  const isSandbox = ({ Labels }: Docker.ContainerInfo) => Labels[labels.role] === 'sandbox';
  await Promise.all(found.filter((one) => !isSandbox(one)).map(remove));
  await Promise.all(found.filter(isSandbox).map(remove));
  const { Volumes } = await docker.listVolumes({ filters: { label: [filter] } });
  const isKept = (one: Docker.VolumeInspectInfo) => !sharesToo && one.Labels?.[labels.share] !== undefined;
  const going = (Volumes ?? []).filter((one) => !isKept(one));
  await removeVolumes(
    docker,
    going.map(({ Name }) => Name),
  );
  await removeNetworks(docker, filter);
}

/** Removes what owners of this machine left behind whose directory is gone: killed before they could clear up. */
export async function removeAbandoned(
  docker: Docker,
  machine: string,
  isGone: (directory: string) => boolean,
): Promise<void> {
  const filters = { label: [`${labels.machine}=${machine}`, labels.directory] };
  const containers = await docker.listContainers({ all: true, filters });
  const networks = await docker.listNetworks({ filters });
  const { Volumes } = await docker.listVolumes({ filters });
  const owners = new Map<string, string>();
  for (const { Labels } of [...containers, ...networks, ...(Volumes ?? [])]) {
    const directory = Labels?.[labels.directory];
    const owner = Labels?.[labels.owner];
    if (directory !== undefined && owner !== undefined && isGone(directory)) owners.set(owner, directory);
  }
  for (const [id, directory] of owners) await removeOwned(docker, { id, directory, machine });
}
