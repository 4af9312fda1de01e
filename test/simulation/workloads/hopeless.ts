/**
 * An app that can never be what its user asks for: one container crashes for ever, one image does not exist. Its workflows are at work from the first minute
 * to the last.
 */
import type { Workload } from '../types.ts';

const small = { resources: { limits: { cpus: '1', memory: '1G' } } };

export const hopeless: Workload = {
  name: 'hopeless',
  async run(drive) {
    await drive.apply('shop', {
      name: 'shop',
      services: {
        crash: { image: 'flotilla/crash:1', ports: ['80'], deploy: { ...small, replicas: 1 } },
        missing: { image: 'flotilla/missing:1', deploy: { ...small, replicas: 1 } },
      },
    });
  },
};
