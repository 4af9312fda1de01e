/**
 * One-off commands beside the services of an app: short and long ones, such that fail, that are too slow for their deadline, that are ended by command,
 * while the app is revised, scaled, frozen and sometimes deleted around them.
 */
import type { Drive, Workload } from '../types.ts';

const small = { resources: { limits: { cpus: '1', memory: '1G' } } };
const gapsMs = [20_000, 1_000, 60_000, 5_000, 180_000];

const documentOf = (app: string, tag: number, replicas: number) => ({
  name: app,
  services: {
    web: { image: `flotilla/http:${tag}`, ports: ['80'], deploy: { ...small, replicas } },
    worker: { image: 'flotilla/worker:1', deploy: { ...small, replicas: 1 } },
  },
});

export const errands: Workload = {
  name: 'errands',
  async run(drive) {
    const app = 'shop';
    await drive.apply(app, documentOf(app, 1, 2));
    for (let n = 2; n < 16; n += 1) {
      await drive.wait(gapsMs[drive.pick('gap', gapsMs.length)] ?? 0);
      await change(drive, app, n);
    }
    await drive.command(app, { command: 'thaw' });
  },
};

async function change(drive: Drive, app: string, n: number): Promise<void> {
  switch (drive.pick('what', 12)) {
    case 6:
      return void (await drive.command(app, { command: 'cancel', run: await newestRun(drive, app) }));
    case 7:
      return void (await drive.apply(app, documentOf(app, n, 1 + (n % 3))));
    case 8:
      return void (await drive.command(app, { command: 'freeze' }));
    case 9:
      return void (await drive.command(app, { command: 'thaw' }));
    case 10:
      return void (await drive.command(app, { command: drive.pick('halt', 2) === 1 ? 'stop' : 'start' }));
    case 11:
      if (drive.pick('delete', 3) === 2) {
        await drive.delete(app);
        await drive.wait(gapsMs[drive.pick('gap', gapsMs.length)] ?? 0);
        await drive.apply(app, documentOf(app, n, 2));
      }
      return;
    default:
      return await run(drive, app);
  }
}

/** It ends after so many seconds, with a code that says which it was. */
async function run(drive: Drive, app: string): Promise<void> {
  const seconds = [3, 20, 90, 600][drive.pick('seconds', 4)] ?? 0;
  const code = [0, 0, 3, 42][drive.pick('code', 4)] ?? 0;
  await drive.command(app, {
    command: 'run',
    service: ['web', 'worker'][drive.pick('service', 2)] ?? '',
    environment: { STANDIN_CRASH_AFTER_S: String(seconds), STANDIN_EXIT_CODE: String(code) },
    timeoutMs: [600_000, 240_000, 60_000, 5_000][drive.pick('timeout', 4)] ?? 0,
  });
}

/** As somebody sees it who looks; one that is not there is refused. */
async function newestRun(drive: Drive, app: string): Promise<string> {
  const answer = await drive.request('GET', `/api/v1/apps/${app}/runs`);
  const { runs = [] } = answer?.status === 200 ? (JSON.parse(answer.body) as { runs?: { id: string }[] }) : {};
  return runs[0]?.id ?? 'web.1';
}
