/**
 * An operator who cordons, drains and opens pools under apps that go on living: they are scaled and revised meanwhile. In the end one pool may stay
 * drained.
 */
import type { Drive, Workload } from '../types.ts';

const gapsMs = [180_000, 5_000, 60_000, 400_000];
const regions = ['eastus', 'westus2'];
const words = ['drain', 'uncordon', 'cordon'];

const documentOf = (app: string, tag: number, replicas: number) => ({
  name: app,
  services: {
    web: {
      image: `flotilla/http:${tag}`,
      ports: ['80'],
      healthcheck: { test: ['CMD', 'wget', '-qO-', 'http://localhost/'], interval: '5s', retries: 2 },
      deploy: { replicas, resources: { limits: { cpus: '1', memory: '1G' } } },
    },
  },
});

export const drains: Workload = {
  name: 'drains',
  async run(drive) {
    const apps = ['shop', 'blog'].slice(0, 1 + drive.pick('apps', 2));
    await Promise.all([...apps.map((app) => live(drive, app)), operate(drive)]);
  },
};

async function live(drive: Drive, app: string): Promise<void> {
  await drive.apply(app, documentOf(app, 1, 3));
  let tag = 1;
  for (let n = 0; n < 4; n += 1) {
    await drive.wait(gapsMs[drive.pick(`${app} gap`, gapsMs.length)] ?? 0);
    if (drive.pick(`${app} revises`, 3) === 2) tag += 1;
    await drive.apply(app, documentOf(app, tag, 2 + drive.pick(`${app} replicas`, 3)));
  }
}

async function operate(drive: Drive): Promise<void> {
  for (let n = 0; n < 6; n += 1) {
    await drive.wait(gapsMs[drive.pick('pool gap', gapsMs.length)] ?? 0);
    const pool = regions[drive.pick('pool', regions.length)] ?? '';
    await tell(drive, pool, words[drive.pick('pool word', words.length)] ?? '');
  }
  const last = drive.pick('stays drained', 3);
  for (const [index, pool] of regions.entries()) await tell(drive, pool, last === index + 1 ? 'drain' : 'uncordon');
}

/** Until it is answered: a host may be down. */
async function tell(drive: Drive, pool: string, command: string): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    const answer = await drive.request('POST', `/api/v1/pools/${pool}/commands`, { command });
    if (answer !== null && answer.status < 500) return;
    await drive.wait(10_000);
  }
}
