/** What the ARM core is told of real containers: what to run. What they do, it observes. */
import type { Containers } from '../../aci/containers-port.ts';

export const realContainers: Containers = {
  cachedImages: [],
  behaviour: ({ command, environment, mounts }, limits) => ({ process: { command, environment, mounts, ...limits } }),
  exec() {
    throw new Error('a real container is probed by its engine');
  },
};
