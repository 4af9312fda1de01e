import { describe, expect, it } from 'vitest';
import type { RevisionResource, RolloutSummary } from '../../../src/model/api.ts';
import { ok } from '../../../src/model/result.ts';
import { anEvent, anOperation, aRollout, instant, runCli } from '../../support/cli-fixture.ts';

const applied = anOperation({ state: 'applied', generation: 2 });
const failed = aRollout({
  phase: 'failed',
  reason: 'BreakerTripped',
  message: '3 failures of revision 2. The last, in slot 0: it ended with exit code 1.',
  failed: 1,
  strikes: 3,
  endedAt: '2026-01-02T03:05:05.000Z',
  successor: 'web.3',
});
const back = aRollout({
  id: 'web.3',
  purpose: 'rollback',
  from: 2,
  to: 1,
  phase: 'succeeded',
  cause: 'web.2',
  why: 'Back.',
});

describe('the status of rollouts', () => {
  it('shows the newest of each service, where it stands and why it was begun', async () => {
    const older = aRollout({ id: 'web.1', to: 1, from: null, phase: 'succeeded' });
    const { out, code } = await runCli(['rollout', 'status', 'shop'], { rollouts: [[aRollout(), older]] });
    expect(out.join('\n')).toMatch(/^web\.2 {2}deploy r1 → r2 {2}rolling {2}progressing/);
    expect(out.join('\n')).toContain('1/2 new ready, 1 old left');
    expect(out.join('\n')).toContain('why: web moves to revision 2. (op-2)');
    expect(out.join('\n')).not.toContain('web.1');
    expect(code).toBe(0);
  });

  it.each([
    ['that failed', [failed], 1],
    ['that leads back', [back], 1],
    ['that is paused', [aRollout({ phase: 'paused', reason: 'PausedByCommand' })], 3],
    ['that came to a good end', [aRollout({ phase: 'succeeded' })], 0],
    ['of which there are none', [], 0],
  ])('of one %s ends with a code for scripts', async (_, rollouts, expected) => {
    expect((await runCli(['rollout', 'status', 'shop.web'], { rollouts: [rollouts] })).code).toBe(expected);
  });

  it('is followed until nothing is under way any more, and tells what is new', async () => {
    const leading: RolloutSummary = { ...back, phase: 'progressing' };
    const looks = [[aRollout()], [aRollout()], [aRollout({ ready: 2 })], [leading, failed], [back, failed]];
    const { out, code, tookMs } = await runCli(['rollout', 'status', 'shop.web', '-w'], { rollouts: looks });
    expect(out.filter((line) => line.startsWith('web.2'))).toHaveLength(2);
    expect(out.filter((line) => line.startsWith('web.3'))).toHaveLength(2);
    expect(out.at(-3)).toContain('rollback r2 → r1  rolling  succeeded');
    expect([code, tookMs]).toEqual([1, 4_000]);
  });
});

it('the history lists them all', async () => {
  const { out } = await runCli(['rollout', 'history', 'shop.web'], { rollouts: [[back, failed]] });
  expect(out).toHaveLength(3);
  expect(out[2]).toContain('failed (BreakerTripped)');
});

it('one is shown with its decisions and what they were made from', async () => {
  const facts = { desired: 2, fresh: 1, ready: 0, old: 2, failed: 1, strikes: 3, step: 0 };
  const resource = {
    ...failed,
    failures: [{ at: failed.startedAt, replica: 'web/0/3', reason: 'ContainerCrashed', message: 'boom', restarts: 3 }],
    decisions: [{ at: failed.startedAt, what: 'fail', because: 'too many', facts }],
  };
  const overrides = { rollout: async () => ok(resource) };
  const lines = (await runCli(['rollout', 'show', 'shop.web.2'], { overrides })).out.join('\n');
  expect(lines).toMatch(/fail {2}0\/2 ready, 2 old, 1 failed, 3 strikes {2}too many/);
  expect(lines).toMatch(/web\/0\/3 {2}ContainerCrashed {2}3 {9}boom/);
  const { out } = await runCli(['rollout', 'show', 'shop.web.2', '--json'], { overrides });
  expect(JSON.parse(out.join('\n'))).toEqual(resource);
});

describe('the difference of two revisions', () => {
  const revision = (number: number, fields: Readonly<Record<string, string>>): RevisionResource => ({
    service: 'web',
    revision: number,
    image: fields['image'] ?? '',
    createdAt: failed.startedAt,
    cause: 'op-1',
    isCurrent: number === 2,
    verifiedAt: null,
    rolledBackAt: null,
    fields,
  });
  const revisions = [
    revision(2, { image: 'nginx:2', cpuCores: '1', 'environment.MODE': 'value 1' }),
    revision(1, { image: 'nginx:1', cpuCores: '1' }),
  ];

  it('is what differs', async () => {
    const { out } = await runCli(['rollout', 'diff', 'shop.web', '1', '2'], { revisions });
    expect(out).toEqual([
      'FIELD             r1       r2',
      'environment.MODE  -        value 1',
      'image             nginx:1  nginx:2',
    ]);
  });

  it('of one that is not stored is refused, with those that are', async () => {
    const { errors, code } = await runCli(['rollout', 'diff', 'shop.web', '1', '7'], { revisions });
    expect([code, errors[0]]).toEqual([2, 'error: shop.web has no such revision; stored are: 2, 1.']);
  });
});

describe('steering', () => {
  it.each(['pause', 'resume', 'promote', 'abort', 'undo', 'restart'])(
    '%s is sent, and done when it is applied',
    async (action) => {
      const { out, code, commands } = await runCli(['rollout', action, 'shop.web'], { operations: [applied] });
      expect(commands).toHaveLength(1);
      expect(out[0]).toContain(`shop.web: ${action} is applied.`);
      expect(code).toBe(0);
    },
  );

  it('that the API rejects ends with its reason', async () => {
    const rejected = anOperation({ state: 'rejected', reason: 'NoRollout' });
    const { errors, code } = await runCli(['rollout', 'pause', 'shop.web'], { operations: [rejected] });
    expect(errors.join('\n')).toContain('NoRollout');
    expect(code).toBe(1);
  });
});

it.each([
  [['rollout', 'stop', 'shop'], 'has no `stop`'],
  [['rollout', 'show', 'shop.web'], 'needs APP.SERVICE.N'],
  [['rollout', 'pause', 'shop.web.3'], 'only `show` takes one'],
  [['rollout', 'pause', 'shop.web', '-w'], '--watch belongs to'],
  [['rollout', 'pause', 'shop.web', '--to', '3'], '--to belongs to'],
  [['rollout', 'undo', 'shop', '--to', '3'], 'name APP.SERVICE'],
  [['rollout', 'undo', 'shop.web', '--to', 'x'], 'is not a revision'],
  [['rollout', 'diff', 'shop.web', '1'], 'needs APP.SERVICE REV1 REV2'],
  [['rollout', 'pause', 'shop.web', '2'], 'is too much'],
])('%j is refused', async (argv, expected) => {
  const { errors, code } = await runCli(argv);
  expect([errors.join('\n').includes(expected), code]).toEqual([true, 2]);
});

it('`up` does not take a rollback for its own success', async () => {
  const { anApp } = await import('../../support/cli-fixture.ts');
  const event = anEvent({
    at: instant(0),
    type: 'RolloutFailed',
    service: 'web',
    reason: 'BreakerTripped',
    message: 'web.2: it crashes.',
  });
  const { code, errors } = await runCli(['scale', 'shop.web=3'], {
    apps: [anApp({ generation: 3, observedGeneration: 3, converged: true })],
    operations: [applied],
    events: [event],
  });
  expect([code, errors[0]]).toEqual([1, 'error: rollout web.2: it crashes.']);
});
