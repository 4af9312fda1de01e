/** The measures of speed: one app of 20 replicas in four services whose spec changes every minute, counts mostly, an image every eighth time; or never. */
import type { Drive, Workload } from '../types.ts';

const services = ['web', 'api', 'jobs', 'mail'];

export const busy: Workload = {
  name: 'busy',
  async run(drive) {
    for (let n = 0; n < 60; n += 1) {
      await apply(drive, n);
      await drive.wait(60_000);
    }
  },
};

export const idle: Workload = {
  name: 'idle',
  async run(drive) {
    await apply(drive, 0);
  },
};

const apply = (drive: Drive, n: number) =>
  drive.apply('shop', {
    name: 'shop',
    services: Object.fromEntries(services.map((name, index) => [name, shape(n, index)])),
  });

const shape = (n: number, index: number) => ({
  image: `flotilla/http:${Math.floor((n + index * 8) / 32)}`,
  ports: ['80'],
  deploy: { replicas: n % 4 === index ? 6 : 5, resources: { limits: { cpus: '1', memory: '1G' } } },
});
