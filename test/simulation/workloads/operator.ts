/**
 * An operator's days: an app that is scaled, restarted, stopped, started, frozen and thawed by command, between documents that state a number of replicas
 * and documents that do not. In the end it is thawed, and mostly started.
 */
import type { Drive, Imperative, Workload } from '../types.ts';

const small = { resources: { limits: { cpus: '1', memory: '1G' } } };
const gapsMs = [120_000, 3_000, 20_000, 60_000, 300_000];

const documentOf = (app: string, tag: number, replicas: number | null) => ({
  name: app,
  services: {
    web: {
      image: `flotilla/http:${tag}`,
      ports: ['80'],
      healthcheck: { test: ['CMD', 'wget', '-qO-', 'http://localhost/'], interval: '5s', retries: 2 },
      deploy: { ...small, ...(replicas !== null && { replicas }) },
    },
    worker: { image: 'flotilla/worker:1', deploy: { ...small, replicas: 2 } },
  },
});

export const operator: Workload = {
  name: 'operator',
  async run(drive) {
    await Promise.all(['shop', 'blog'].slice(0, 1 + drive.pick('apps', 2)).map((app) => live(drive, app)));
  },
};

async function live(drive: Drive, app: string): Promise<void> {
  await drive.apply(app, documentOf(app, 1, 3));
  for (let n = 2; n < 10; n += 1) {
    await drive.wait(gapsMs[drive.pick(`${app} gap`, gapsMs.length)] ?? 0);
    await change(drive, app, n);
  }
  await drive.command(app, { command: 'thaw' });
  if (drive.pick(`${app} stays stopped`, 4) !== 3) await drive.command(app, { command: 'start' });
}

async function change(drive: Drive, app: string, n: number): Promise<void> {
  const services = [['web'], ['worker'], undefined][drive.pick(`${app} which`, 3)];
  const named = (command: 'restart' | 'stop' | 'start'): Imperative => ({ command, ...(services && { services }) });
  switch (drive.pick(`${app} what`, 10)) {
    case 1:
      return void (await drive.command(app, { command: 'scale', services: { web: drive.pick(`${app} web`, 5) } }));
    case 2:
      return void (await drive.command(app, named('stop')));
    case 3:
    case 4:
      return void (await drive.command(app, named('start')));
    case 5:
      return void (await drive.command(app, { command: 'freeze' }));
    case 6:
      return void (await drive.command(app, { command: 'thaw' }));
    case 7:
      return void (await drive.apply(app, documentOf(app, n, null)));
    case 8:
      return void (await drive.apply(app, documentOf(app, 1, 1 + (n % 3))));
    case 9:
      if (drive.pick(`${app} delete`, 4) === 3) await drive.delete(app);
      return;
    default:
      return void (await drive.command(app, named('restart')));
  }
}
