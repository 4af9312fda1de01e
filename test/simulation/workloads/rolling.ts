/** Two services that are revised together, again and again: one whose old replicas go first, and one of which nobody may be missing. */
import type { Workload } from '../types.ts';

const service = (tag: number, deploy: object) => ({
  image: `flotilla/http:${tag}`,
  ports: ['80'],
  deploy: { replicas: 3, resources: { limits: { cpus: '1', memory: '1G' } }, ...deploy },
});

export const rolling: Workload = {
  name: 'rolling',
  async run(drive) {
    for (let tag = 1; tag <= 4; tag += 1) {
      await drive.apply('shop', {
        name: 'shop',
        services: {
          abrupt: service(tag, { update_config: { order: 'stop-first', parallelism: 2 } }),
          gentle: service(tag, {}),
        },
      });
      await drive.converged(600_000);
    }
  },
};
