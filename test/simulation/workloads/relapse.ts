/**
 * One service that is revised in the second minute, and perhaps again at the start of the third. A table that is restored in between forgets the first
 * revision, whose groups stand: its incarnations, and with the second change its number, are given out again.
 */
import type { Drive, Workload } from '../types.ts';

const document = (tag: number) => ({
  name: 'shop',
  services: {
    web: {
      image: `flotilla/http:${tag}`,
      ports: ['80'],
      deploy: { replicas: 2, resources: { limits: { cpus: '1', memory: '1G' } } },
    },
  },
});

const waitUntil = (drive: Drive, ms: number): Promise<void> => drive.wait(ms - drive.now);

export const relapse: Workload = {
  name: 'relapse',
  async run(drive) {
    await drive.apply('shop', document(1));
    await waitUntil(drive, 70_000);
    await drive.apply('shop', document(2));
    await waitUntil(drive, 120_500);
    if (drive.pick('revises again', 2) === 1) await drive.apply('shop', document(3));
  },
};
