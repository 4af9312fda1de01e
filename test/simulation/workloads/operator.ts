/**
 * An operator's days: an app that is scaled, restarted, stopped, started, frozen and thawed by command, and has replicas replaced or forgotten, between documents that state a number of replicas
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
    if (drive.pick(`${app} by hand`, 4) === 3) await byHand(drive, app);
  }
  await drive.command(app, { command: 'thaw' });
  if (drive.pick(`${app} stays stopped`, 4) !== 3) await drive.command(app, { command: 'start' });
}

interface Shown {
  readonly serviceList: readonly {
    readonly name: string;
    readonly replicas: readonly { readonly slot: number; readonly incarnation: number; readonly state: string }[];
  }[];
}

/** One replica that the operator sees is replaced, or forgotten where it can be. */
async function byHand(drive: Drive, app: string): Promise<void> {
  const answer = await drive.request('GET', `/api/v1/apps/${app}`);
  if (answer?.status !== 200) return;
  const replicas = (JSON.parse(answer.body) as Shown).serviceList.flatMap(({ name, replicas }) =>
    replicas.map(({ slot, incarnation, state }) => ({ state, ref: { service: name, slot, incarnation } })),
  );
  const one = replicas[drive.pick(`${app} which replica`, Math.max(1, replicas.length))];
  if (one === undefined) return;
  await drive.request('GET', `/api/v1/apps/${app}/replicas/${one.ref.service}/${one.ref.slot}`);
  const isStuck = one.state === 'deleting' || one.state === 'failed';
  await drive.command(app, { command: isStuck ? 'forgetReplica' : 'replaceReplica', replica: one.ref });
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
