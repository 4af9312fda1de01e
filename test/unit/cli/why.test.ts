import { describe, expect, it } from 'vitest';
import type { WhyResource } from '../../../src/model/api.ts';
import { err, ok } from '../../../src/model/result.ts';
import { anApp, aReplica, aService, instant, refused, runCli } from '../../support/cli-fixture.ts';

const why: WhyResource = {
  app: 'shop',
  service: 'web',
  slot: 0,
  incarnation: 3,
  state: 'unready',
  since: instant(-60),
  reason: 'ProbeFailed',
  message: 'The readiness probe fails.',
  pool: 'east',
  group: 'f-0-web',
  evidence: [{ at: instant(0), source: 'probe', text: 'The readiness probe failed.' }],
  sees: 'we probe it over the network',
  because: 'it is as it should be',
  next: [
    { what: 'it is replaced', at: instant(540) },
    { what: 'it is told', at: null },
  ],
  workflow: null,
};

describe('flotilla why', () => {
  it('shows state, evidence, the rules, and what comes next and when', async () => {
    const ran = await runCli(['why', 'shop.web.0'], { overrides: { why: async () => ok([why]) } });
    expect(ran).toMatchObject({ code: 0, errors: [] });
    expect(ran.out).toEqual([
      'shop.web.0, incarnation 3: unready (ProbeFailed) for 1m',
      '  The readiness probe fails.',
      '  group     f-0-web in east',
      '  seen      we probe it over the network',
      '  planner   it is as it should be',
      '  workflow  none is at work',
      '  next      it is replaced, in 9m',
      '            it is told',
      '  evidence, newest first',
      '    2026-11-24T12:00:00Z  probe  The readiness probe failed.',
    ]);
  });

  it('says so when nothing comes next', async () => {
    const ran = await runCli(['why', 'shop.web.0'], { overrides: { why: async () => ok([{ ...why, next: [] }]) } });
    expect(ran.out).toContain('  next      nothing, unless something changes');
  });

  it('prints the resource with --json', async () => {
    const ran = await runCli(['why', 'shop.web.0', '--json'], { overrides: { why: async () => ok([why]) } });
    expect(JSON.parse(ran.out.join('\n'))).toEqual([why]);
  });

  it.each(['shop', 'shop.web', 'shop.web.x'])('wants a replica, not `%s`', async (target) => {
    expect((await runCli(['why', target], {})).code).toBe(2);
  });

  it('passes on what the API says', async () => {
    const ran = await runCli(['why', 'shop.web.0'], { overrides: { why: async () => err(refused(404, 'None.')) } });
    expect(ran.code).not.toBe(0);
    expect(ran.errors.join('\n')).toContain('None.');
  });
});

describe('flotilla replica', () => {
  const app = anApp({
    serviceList: [
      aService({
        replicas: [
          aReplica({ incarnation: 4, state: 'deleting' }),
          aReplica({ incarnation: 5 }),
          aReplica({ slot: 1, incarnation: 2 }),
        ],
      }),
    ],
  });

  it.each([
    ['replace', 'shop.web.0', 'replaceReplica', { slot: 0, incarnation: 5 }, 'replace incarnation 5, which is ready'],
    ['forget', 'shop.web.0', 'forgetReplica', { slot: 0, incarnation: 4 }, 'forget incarnation 4, which is deleting'],
    ['forget', 'shop.web.1', 'forgetReplica', { slot: 1, incarnation: 2 }, 'forget incarnation 2, which is ready'],
  ])('%s %s names the incarnation that is meant', async (action, target, command, which, shown) => {
    const ran = await runCli(['replica', action, target, '-d'], { apps: [app] });
    expect(ran.code).toBe(0);
    expect(ran.commands).toEqual([`${JSON.stringify({ command, replica: { service: 'web', ...which } })} shop`]);
    expect(ran.out.join('\n')).toContain(shown);
  });

  it('sends nothing where there is no such replica', async () => {
    const ran = await runCli(['replica', 'replace', 'shop.web.7'], { apps: [app] });
    expect(ran).toMatchObject({ code: 2, commands: [] });
    expect(ran.errors[0]).toContain('there is no replica shop.web.7');
  });

  it('knows no other action', async () => {
    expect((await runCli(['replica', 'kill', 'shop.web.0'], {})).code).toBe(2);
  });
});
