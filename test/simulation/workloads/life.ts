/** One service through its life: created with two replicas, scaled up, revised, scaled down. Small, so that it can be run once per call it makes. */
import type { Workload } from '../types.ts';

const document = (replicas: number, tag: number) => ({
  name: 'shop',
  services: {
    web: {
      image: `flotilla/http:${tag}`,
      ports: ['80'],
      deploy: { replicas, resources: { limits: { cpus: '1', memory: '1G' } } },
    },
  },
});

export const life: Workload = {
  name: 'life',
  async run(drive) {
    for (const [replicas, tag] of [
      [2, 1],
      [3, 1],
      [3, 2],
      [1, 2],
    ] as const) {
      await drive.apply('shop', document(replicas, tag));
      await drive.converged(150_000);
    }
  },
};
