import { describe, expect, it } from 'vitest';
import type { ApplyPreview, ForecastResource, ServicePlanResource } from '../../../src/model/api.ts';
import { ok } from '../../../src/model/result.ts';
import { aPreview, nothingForecast, planId, refused, runCli } from '../../support/cli-fixture.ts';

const files = { 'compose.yaml': 'name: shop\nservices:\n  web:\n    image: nginx:1.28\n    ports: ["8080"]\n' };
const aPlan = (over: Partial<ServicePlanResource> = {}): ServicePlanResource => ({
  service: 'web',
  change: 'unchanged',
  from: { revision: 1, image: 'nginx:1.27', replicas: 3 },
  to: { revision: 1, image: 'nginx:1.27', replicas: 3 },
  fields: [],
  keep: 3,
  replace: 0,
  remove: 0,
  create: 0,
  reasons: [],
  notes: [],
  ...over,
});
const preview = (...services: readonly ServicePlanResource[]): ApplyPreview =>
  aPreview({ changes: services.map(({ service, change }) => ({ service, change, fields: [] })), services });
const run = (answer: ApplyPreview, ...args: readonly string[]) =>
  runCli(['plan', ...args], { files, overrides: { preview: async () => ok(answer) } });

describe('flotilla plan', () => {
  const everything = preview(
    aPlan({
      service: 'api',
      change: 'added',
      from: null,
      to: { revision: 1, image: 'api:2', replicas: 2 },
      keep: 0,
      create: 2,
      notes: ['Waiting for web to be healthy.'],
    }),
    aPlan({
      service: 'old',
      change: 'removed',
      to: null,
      keep: 0,
      remove: 1,
      reasons: [{ reason: 'ServiceRemoved', count: 1 }],
    }),
    aPlan({ service: 'store' }),
    aPlan({
      change: 'revised',
      to: { revision: 2, image: 'nginx:1.28', replicas: 2 },
      fields: [
        { field: 'template.image', from: 'nginx:1.27', to: 'nginx:1.28' },
        { field: 'template.environment.MODE', from: null, to: null },
        { field: 'replicas', from: '3', to: '2' },
      ],
      keep: 0,
      replace: 2,
      remove: 1,
      reasons: [
        { reason: 'OldRevision', count: 2 },
        { reason: 'Surplus', count: 1 },
      ],
      notes: [
        'all 2 replicas of the old revision must be gone before the first new one is created: nothing serves meanwhile.',
      ],
    }),
  );

  it('shows per service what differs, what becomes of the replicas, and why; and changes nothing', async () => {
    const ran = await run(everything);
    expect(ran).toMatchObject({ code: 0, errors: [], commands: [] });
    expect(ran.out).toEqual([
      'shop → http://127.0.0.1:7071',
      '  + api: new, 2 replicas of api:2',
      '      create 2 replicas',
      '      ! Waiting for web to be healthy.',
      '  - old: not in the file any more',
      '      remove 1 replica (1 its service is removed)',
      '  = store: nothing to change',
      '  ~ web: revision 1 → 2, scale 3 → 2',
      '      image: nginx:1.27 → nginx:1.28',
      '      environment.MODE changes',
      '      replicas: 3 → 2',
      '      replace 2 replicas, remove 1 replica (2 of an older revision, 1 more than wanted)',
      '      ! all 2 replicas of the old revision must be gone before the first new one is created: nothing serves meanwhile.',
      'Replicas: 2 to create, 2 to replace, 2 to remove, 3 to keep.',
      `\`flotilla up --plan ${planId}\` makes this so, or refuses if the world has moved.`,
    ]);
  });

  it('tells what it comes to: quota, availability, cost, time, and what does not get there', async () => {
    const web = aPlan({
      change: 'revised',
      to: { revision: 2, image: 'nginx:1.28', replicas: 3 },
      keep: 0,
      replace: 3,
    });
    const forecast: ForecastResource = {
      durationMs: 95_000,
      services: [{ service: 'web', lowestReady: 3, startMs: 12_400, startMeasured: true }],
      pools: [
        {
          pool: 'eastus',
          create: 3,
          delete: 3,
          peak: { groups: 9, cores: 4.5 },
          quota: { groups: 100, cores: 100 },
        },
      ],
      costPerHour: { before: 0.135, peak: 0.18, after: 0.135 },
      waits: [],
    };
    const told = async (over: Partial<ForecastResource>) =>
      (await run({ ...preview(web), forecast: { ...forecast, ...over } })).out.slice(-6);
    expect(await told({})).toEqual([
      'Replicas: 0 to create, 3 to replace, 0 to remove, 0 to keep.',
      'Pool eastus: create 3 groups, delete 3; at most 9 of 100 groups and 4.5 of 100 cores are in use on the way.',
      'Ready on the way: web at least 3 of 3.',
      'Cost per hour: 0.1350 → 0.1350, at most 0.1800 on the way.',
      'Time: about 1m35s, if a replica starts in: web 12s.',
      `\`flotilla up --plan ${planId}\` makes this so, or refuses if the world has moved.`,
    ]);
    const waits = [{ service: 'web', reason: 'NoPoolWithRoom', message: 'eastus holds 2 of 2 groups.' }];
    const guessed = [{ service: 'web', lowestReady: 0, startMs: 20_000, startMeasured: false }];
    expect(await told({ ...nothingForecast, durationMs: null, services: guessed, waits })).toContain(
      'Time: it does not get there by itself, if a replica starts in: web 20s (a guess).',
    );
    expect(await told({ ...nothingForecast, durationMs: null, waits })).toContain(
      '  ! web does not get there: NoPoolWithRoom: eastus holds 2 of 2 groups.',
    );
  });

  it('is applied by its id, which `up` sends along', async () => {
    const ran = await runCli(['up', '--plan', planId, '-d'], { files });
    expect(ran).toMatchObject({ code: 0, commands: [`apply ${planId} shop`] });
    const wrong = await runCli(['up', '--plan', 'latest'], { files });
    expect(wrong).toMatchObject({ code: 2, commands: [] });
  });

  it('ends with 6 for a script that asks, if there is anything to change', async () => {
    expect((await run(everything, '--exit-code')).code).toBe(6);
    expect((await run(preview(aPlan()), '--exit-code')).code).toBe(0);
    expect((await run(preview(aPlan({ change: 'scaled', create: 1 })), '--exit-code')).code).toBe(6);
  });

  it('gives the whole plan with --json', async () => {
    const ran = await run(everything, '--json');
    expect(JSON.parse(ran.out.join('\n'))).toEqual(everything);
  });

  it('says that other commands are on their way', async () => {
    const ran = await run({ ...preview(aPlan()), pending: 2 });
    expect(ran.out[2]).toBe('  2 commands not applied yet: what follows from them is not in this plan.');
  });

  it('reports a wrong file, and what only the API knows to be wrong', async () => {
    const wrong = await runCli(['plan'], { files: { 'compose.yaml': 'name: shop\nservices: {web: {imag: x}}\n' } });
    expect(wrong.code).toBe(2);
    const error = refused(422, 'no');
    if (error.kind !== 'refused') throw new Error('a refusal');
    const problems = [{ severity: 'error' as const, path: 'services.web', problem: 'no pool.', remedy: 'Name one.' }];
    const answer = { ...error, problem: { ...error.problem, problems } };
    const ran = await runCli(['plan'], { files, overrides: { preview: async () => ({ ok: false, error: answer }) } });
    expect(ran).toMatchObject({ code: 2, out: [] });
    expect(ran.errors[0]).toContain('services.web: no pool.');
  });
});
