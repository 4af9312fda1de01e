/** What the ARM core is told of real containers: what to run. What they do, it observes. */
import type { Containers } from '../../aci/containers-port.ts';
import type { GroupSecrets } from '../../aci/model.ts';
import type { Vault } from '../../vault.ts';

export const realContainers = (vault: Vault): Containers => ({
  vault,
  cachedImages: [],
  behaviour: ({ command, environment, mounts }, limits) => ({ process: { command, environment, mounts, ...limits } }),
  exec() {
    throw new Error('a real container is probed by its engine');
  },
});

/** A group's secrets cannot be had; the message is for its events. */
export class SealBroken extends Error {}

export const NO_SECRETS: GroupSecrets = { variables: {}, files: {}, registries: [] };

/** @throws SealBroken */
export function openSecrets(vault: Vault, sealed: string | undefined, uid: string): GroupSecrets {
  if (sealed === undefined) return NO_SECRETS;
  const text = vault.open(sealed, uid);
  if (text !== undefined) return JSON.parse(text) as GroupSecrets;
  throw new SealBroken(
    'the secure values of the container group cannot be opened: they were sealed with another key. Remedy: deploy it again',
  );
}
