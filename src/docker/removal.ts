/** Taking away what carries a label, and what belongs to directories that are gone. */
import type Docker from 'dockerode';
import { unless } from './failure.ts';
import { labels, type Owner } from './labels.ts';
import { removeNetworks } from './network.ts';

/** Containers, volumes and networks of the owner. */
export const removeOwned = (docker: Docker, owner: Pick<Owner, 'id'>): Promise<void> =>
  removeAll(docker, `${labels.owner}=${owner.id}`);

/** `filter` as `label=value`. Runs before sandboxes: a sandbox that is gone takes nothing with it. */
async function removeAll(docker: Docker, filter: string): Promise<void> {
  const found = await docker.listContainers({ all: true, filters: { label: [filter] } });
  const remove = ({ Id }: { Id: string }) =>
    unless([404, 409], docker.getContainer(Id).remove({ force: true, v: true }));
  const isSandbox = ({ Labels }: Docker.ContainerInfo) => Labels[labels.role] === 'sandbox';
  await Promise.all(found.filter((one) => !isSandbox(one)).map(remove));
  await Promise.all(found.filter(isSandbox).map(remove));
  const { Volumes } = await docker.listVolumes({ filters: { label: [filter] } });
  for (const { Name } of Volumes ?? []) await unless([404], docker.getVolume(Name).remove());
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
  const owners = new Set<string>();
  for (const { Labels } of [...containers, ...networks]) {
    const directory = Labels?.[labels.directory];
    const owner = Labels?.[labels.owner];
    if (directory !== undefined && owner !== undefined && isGone(directory)) owners.add(owner);
  }
  for (const id of owners) await removeOwned(docker, { id });
}
