/** A user who deploys one to three apps, scales and revises them, takes some down, and leaves them alone in the end. */
import type { Drive, Workload } from '../types.ts';

interface ServiceShape {
  replicas: number;
  tag: number;
}

const documentOf = (app: string, services: ReadonlyMap<string, ServiceShape>) => ({
  name: app,
  services: Object.fromEntries(
    [...services].map(([name, { replicas, tag }]) => [
      name,
      {
        image: `flotilla/http:${tag}`,
        ports: ['80'],
        deploy: { replicas, resources: { limits: { cpus: '1', memory: '1G' } } },
      },
    ]),
  ),
});

const gapsMs = [120_000, 5_000, 30_000, 60_000, 240_000];

export const changes: Workload = {
  name: 'changes',
  async run(drive) {
    const apps = ['shop', 'blog', 'wiki'].slice(0, 1 + drive.pick('apps', 3));
    await Promise.all(apps.map((app) => live(drive, app)));
  },
};

async function live(drive: Drive, app: string): Promise<void> {
  const services = new Map<string, ServiceShape>([['web', { replicas: 2, tag: 1 }]]);
  if (drive.pick(`${app} api`, 2) === 1) services.set('api', { replicas: 1, tag: 1 });
  await drive.apply(app, documentOf(app, services));
  for (let n = 0; n < 6; n += 1) {
    await drive.wait(gapsMs[drive.pick(`${app} gap`, gapsMs.length)] ?? 0);
    if (drive.pick(`${app} delete`, 6) === 5) {
      await drive.delete(app);
      continue;
    }
    change(drive, app, services);
    await drive.apply(app, documentOf(app, services));
  }
}

function change(drive: Drive, app: string, services: Map<string, ServiceShape>): void {
  const which = drive.pick(`${app} which`, 2) === 0 ? 'web' : 'api';
  const service = services.get(which) ?? services.get('web');
  if (!service) return;
  switch (drive.pick(`${app} what`, 4)) {
    case 1:
      service.tag += 1;
      break;
    case 2:
      service.replicas = 1 + drive.pick(`${app} replicas`, 4);
      break;
    case 3:
      if (services.size > 1) services.delete('api');
      else services.set('api', { replicas: 2, tag: 1 });
      break;
    default:
      service.replicas = 3;
  }
}
