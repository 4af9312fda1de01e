/**
 * Releases, good and bad: a service is revised again and again, to images that run, that crash, that cannot be pulled, under every strategy and with every
 * answer to a failure; scaled meanwhile, and steered by somebody who pauses, resumes, promotes, aborts and undoes at any moment. It ends with a good one.
 */
import type { Drive, Workload } from '../types.ts';

const small = { resources: { limits: { cpus: '1', memory: '1G' } } };
const gapsMs = [90_000, 2_000, 12_000, 40_000, 240_000];
const bad = ['flotilla/crash', 'flotilla/missing'];

type Mapping = Readonly<Record<string, unknown>>;
/** Each is `deploy` and `x-flotilla` of a service. */
const manners: readonly { readonly deploy?: Mapping; readonly own?: Mapping }[] = [
  {},
  { deploy: { update_config: { order: 'start-first', failure_action: 'rollback', max_failure_ratio: 0.3 } } },
  { deploy: { update_config: { order: 'stop-first', failure_action: 'pause' } } },
  { deploy: { update_config: { order: 'start-first', failure_action: 'rollback', max_failure_ratio: 1 } } },
  {
    own: {
      strategy: 'canary',
      steps: [
        { replicas: 1, bake: '1m' },
        { replicas: '60%', bake: '10s' },
      ],
      bake: '30s',
    },
  },
  { own: { strategy: 'blueGreen', bake: '1m' } },
  { own: { strategy: 'recreate', bake: '20s' } },
  { own: { maxSurge: 0, maxUnavailable: 1, whenNoSurge: 'stopFirst' } },
];

const documentOf = (image: string, replicas: number, manner: (typeof manners)[number]) => ({
  name: 'shop',
  services: {
    web: {
      image,
      ports: ['80'],
      healthcheck: { test: ['CMD', 'wget', '-qO-', 'http://localhost/'], interval: '5s', retries: 2 },
      deploy: { ...small, replicas, ...manner.deploy },
      ...(manner.own && { 'x-flotilla': { rollout: manner.own } }),
    },
  },
});

export const releases: Workload = {
  name: 'releases',
  async run(drive) {
    const manner = manners[drive.pick('manner', manners.length)] ?? {};
    const state = { image: 'flotilla/http:1', replicas: 3 };
    const apply = () => drive.apply('shop', documentOf(state.image, state.replicas, manner));
    await apply();
    for (let n = 2; n < 12; n += 1) {
      await drive.wait(gapsMs[drive.pick('gap', gapsMs.length)] ?? 0);
      await change(drive, state, apply, n);
    }
    state.image = 'flotilla/http:99';
    await apply();
    // Whatever a fault made of it: somebody is there who lets it go on.
    for (let n = 0; n < 4; n += 1) {
      await drive.wait(120_000);
      await drive.command('shop', { command: 'resume' });
    }
  },
};

async function change(
  drive: Drive,
  state: { image: string; replicas: number },
  apply: () => Promise<unknown>,
  n: number,
): Promise<void> {
  switch (drive.pick('what', 9)) {
    case 1:
    case 2:
      state.image = `${bad[drive.pick('bad', bad.length)]}:${n}`;
      return void (await apply());
    case 3:
      state.replicas = 1 + drive.pick('replicas', 5);
      return void (await drive.command('shop', { command: 'scale', services: { web: state.replicas } }));
    case 4:
      return void (await drive.command('shop', { command: 'pause' }));
    case 5:
      return void (await drive.command('shop', { command: 'resume', services: ['web'] }));
    case 6:
      return void (await drive.command('shop', { command: 'promote' }));
    case 7:
      return void (await drive.command('shop', { command: 'abort' }));
    case 8:
      return void (await drive.command('shop', { command: 'undo', services: ['web'] }));
    default:
      state.image = `flotilla/http:${n}`;
      return void (await apply());
  }
}
