/** A bad upgrade through `npm start`: the breaker trips, the old revision comes back by itself, and the CLI tells why. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AppResource, RolloutResource } from '../../src/model/api.ts';
import { platformForTests } from '../support/flotilla-process.ts';

const waitMs = 200_000;

describe('an upgrade to an image that crashes', { shuffle: false }, () => {
  const here = platformForTests();

  const compose = (image: string): string => {
    const path = join(here.place.directory, 'compose.yaml');
    const limits = 'deploy: { replicas: 2, resources: { limits: { cpus: "1", memory: 1G } } }';
    writeFileSync(path, `name: shop\nservices:\n  web:\n    image: ${image}\n    ports: ["8080"]\n    ${limits}\n`);
    return path;
  };
  const flotilla = (...args: readonly string[]) => here.place.flotilla(...args, '--api', here.api);
  const web = async () => {
    const { out } = await flotilla('ps', 'shop', '--json').finished;
    return (JSON.parse(out.join('\n')) as AppResource).serviceList[0];
  };

  it('finds a revision that was watched and verified', { timeout: waitMs }, async () => {
    expect((await flotilla('up', '-f', compose('flotilla/http:1')).finished).code).toBe(0);
    const { code, out } = await flotilla('rollout', 'status', 'shop.web', '-w').finished;
    expect([code, out.join('\n')]).toEqual([
      0,
      expect.stringContaining('Revision 1 is verified: 2 replicas stayed ready.'),
    ]);
  });

  it('is led back, and `up` fails with the reason', { timeout: waitMs }, async () => {
    const { code, errors } = await flotilla('up', '-f', compose('flotilla/crash:2')).finished;
    expect(code).toBe(1);
    expect(errors.join('\n')).toMatch(
      /rollout web\.2: \d+ failures of revision 2|was restarted \d+ times|failed \d+ times/,
    );
    const { code: ended, out } = await flotilla('rollout', 'status', 'shop.web', '-w').finished;
    expect(ended).toBe(1);
    expect(out.join('\n')).toMatch(/web\.3 {2}rollback r2 → r1 {2}rolling {2}succeeded/);
    const service = await web();
    expect(service).toMatchObject({ revision: 1, ready: 2, desired: 2, rollout: null });
    expect(service?.replicas.map(({ revision }) => revision)).toEqual([1, 1]);
  });

  it('left the old replicas as they were: none of them was ever replaced', async () => {
    expect((await web())?.replicas.map(({ incarnation }) => incarnation)).toEqual([1, 2]);
  });

  it('stands in the record with every decision and what it was made from', async () => {
    const { out } = await flotilla('rollout', 'show', 'shop.web.2', '--json').finished;
    const record = JSON.parse(out.join('\n')) as RolloutResource;
    expect(record).toMatchObject({ phase: 'failed', reason: 'BreakerTripped', from: 1, to: 2, successor: 'web.3' });
    expect(record.decisions.map(({ what }) => what)).toEqual(['begin', 'fail']);
    expect(record.decisions.at(-1)?.facts.strikes).toBeGreaterThanOrEqual(3);
    expect(record.failures[0]).toMatchObject({ reason: expect.stringMatching(/^Crash|^Container/) });
    const history = (await flotilla('rollout', 'history', 'shop.web').finished).out;
    expect(history.map((line) => line.split(/ +/)[0])).toEqual(['ROLLOUT', 'web.3', 'web.2', 'web.1']);
  });

  it('is not tried again when the same file is applied again, and says so', async () => {
    const { code, errors } = await flotilla('up', '-f', compose('flotilla/crash:2')).finished;
    expect(code).toBe(3);
    expect(errors.join('\n')).toContain('RevisionRolledBack');
    expect(await web()).toMatchObject({ revision: 1, ready: 2 });
  });

  it('can be told apart from what was there before', async () => {
    const { out } = await flotilla('rollout', 'diff', 'shop.web', '1', '2').finished;
    expect(out.at(-1)?.split(/ {2,}/)).toEqual(['image', 'flotilla/http:1', 'flotilla/crash:2']);
  });
});
