/** Each step against a real table and a recording ARM: carried out once, only for the attempt it was planned for, and every answer of ARM in the row. */
import { describe, expect, it } from 'vitest';
import { assess, settle, startWorkflow } from '../../../src/activities/assess.ts';
import { type CreateInput, createGroup } from '../../../src/activities/create-group.ts';
import { deleteGroup } from '../../../src/activities/delete-group.ts';
import { finish } from '../../../src/activities/finish.ts';
import { noteDue, wakeAssessor } from '../../../src/commands/wake.ts';
import { keys } from '../../../src/model/keys.ts';
import { err, ok } from '../../../src/model/result.ts';
import type { GuardRow, LogRow, ReplicaRow } from '../../../src/model/state.ts';
import { formatInstant } from '../../../src/model/units.ts';
import type { PortError } from '../../../src/ports/errors.ts';
import type { InstanceStatus } from '../../../src/ports/workflows.ts';
import { bench, refusal, settings } from '../../support/activity-bench.ts';
import { aDue, aGuard, at } from '../../support/rows.ts';
import { aGroup, inState } from '../../support/snapshots.ts';

const workflow = 'deployment:shop.web:1';
const claimed = inState('creating', { attempt: { id: 'a-1', startedAt: null, expiresAt: at + 360_000 } });
const create: CreateInput = {
  kind: 'createGroup',
  app: 'shop',
  service: 'web',
  slot: 0,
  incarnation: 1,
  epoch: 1,
  attempt: 'a-1',
  workflow,
};

describe('createGroup', () => {
  it('writes that it starts, creates, and writes that ARM accepted', async () => {
    const { ports, called, replica, events } = await bench(claimed);
    expect(await createGroup(ports, settings, create)).toMatchObject({ outcome: 'done' });
    expect(called).toEqual([`create ${claimed.group}`]);
    expect(await replica()).toMatchObject({ state: 'starting', attempt: null });
    expect((await events()).toSorted()).toEqual([`GroupCreated by ${workflow}`, `GroupCreating by ${workflow}`]);
  });

  it('delivered again creates nothing', async () => {
    const { ports, called, answers } = await bench(claimed);
    answers.create = refusal('Unknown');
    expect(await createGroup(ports, settings, create)).toMatchObject({ outcome: 'unknown' });
    expect(await createGroup(ports, settings, create)).toMatchObject({ outcome: 'skipped' });
    expect(called).toHaveLength(1);
  });

  it('never puts a group that is there already, which a restored table may have forgotten: the next pass reads it back', async () => {
    const { ports, called, answers, replica } = await bench(claimed);
    answers.get = ok(aGroup(claimed));
    expect(await createGroup(ports, settings, create)).toMatchObject({ outcome: 'skipped' });
    expect(called).toEqual([]);
    expect((await replica())?.attempt?.startedAt).toBe(at + 1_000);
  });

  it('creates nothing while ARM does not say whether the group is there, and tries again soon', async () => {
    const { ports, called, answers, replica } = await bench(claimed);
    answers.get = refusal('Unavailable');
    expect(await createGroup(ports, settings, create)).toMatchObject({ outcome: 'refused' });
    expect(called).toEqual([]);
    expect((await replica())?.attempt).toMatchObject({ id: 'a-1', startedAt: null, expiresAt: at + 11_000 });
  });

  it('delivered twice at once creates once', async () => {
    const { ports, called } = await bench(claimed);
    await Promise.all([1, 2, 3, 4].map(() => createGroup(ports, settings, create)));
    expect(called).toHaveLength(1);
  });

  it.each<[string, Partial<ReplicaRow>]>([
    ['a newer epoch', { epoch: 2 }],
    ['another state', { state: 'deleting' }],
    ['another attempt', { attempt: { id: 'a-2', startedAt: null, expiresAt: at + 360_000 } }],
    ['an expired claim', { attempt: { id: 'a-1', startedAt: null, expiresAt: at + 1_000 } }],
    ['a started claim', { attempt: { id: 'a-1', startedAt: at, expiresAt: at + 360_000 } }],
    ['no claim', { attempt: null }],
  ])('touches nothing when the row has %s', async (_, over) => {
    const before = { ...claimed, ...over };
    const { ports, called, replica } = await bench(before);
    expect(await createGroup(ports, settings, create)).toMatchObject({ outcome: 'skipped' });
    expect(called).toEqual([]);
    expect(await replica()).toMatchObject(before);
  });

  it('renews the claim with the start, so that it outlives the PUT', async () => {
    const { ports, clock, answers, replica } = await bench(claimed);
    clock.now = at + 359_999;
    answers.create = refusal('Unknown');
    await createGroup(ports, settings, create);
    expect((await replica())?.attempt).toEqual({ id: 'a-1', startedAt: at + 359_999, expiresAt: at + 719_999 });
  });

  it.each<[PortError['kind'], string]>([
    ['Invalid', 'CreateRejected'],
    ['NotFound', 'CreateRejected'],
    ['QuotaExceeded', 'QuotaExceeded'],
    ['NoCapacity', 'NoCapacity'],
  ])('%s fails the replica: %s', async (kind, reason) => {
    const { ports, answers, replica } = await bench(claimed);
    answers.create = refusal(kind);
    expect(await createGroup(ports, settings, create)).toMatchObject({ outcome: 'refused' });
    expect(await replica()).toMatchObject({ state: 'failed', reason, failures: 1, attempt: null });
  });

  it('a refused image says so', async () => {
    const { ports, answers, replica } = await bench(claimed);
    answers.create = refusal('Invalid', { code: 'InaccessibleImage' });
    await createGroup(ports, settings, create);
    expect(await replica()).toMatchObject({ state: 'failed', reason: 'ImagePullFailed' });
  });

  it.each<[PortError['kind'], number | null, number]>([
    ['Throttled', 45_000, 45_000],
    ['Throttled', null, 10_000],
    ['Unavailable', null, 10_000],
  ])('%s with Retry-After %s ms is tried anew after %i ms', async (kind, retryAfterMs, waitMs) => {
    const { ports, clock, answers, replica } = await bench(claimed);
    answers.create = refusal(kind, { retryAfterMs });
    await createGroup(ports, settings, create);
    expect(await replica()).toMatchObject({
      state: 'creating',
      reason: 'PoolUnavailable',
      attempt: { startedAt: null, expiresAt: clock.now + waitMs },
    });
  });

  it('a refusal for now is told in words of ARM, and when the next attempt is due', async () => {
    const { ports, answers, audit } = await bench(claimed);
    answers.create = refusal('Throttled', { code: 'TooManyRequests', message: 'Slow down.', retryAfterMs: 45_000 });
    await createGroup(ports, settings, create);
    expect((await audit()).filter(({ type }) => type === 'CreateRefused')).toMatchObject([
      {
        replica: 'web/0/1',
        reason: 'PoolUnavailable',
        message: `ARM did not take the create: Slow down (TooManyRequests). It is tried again at ${formatInstant(at + 46_000)}.`,
        cause: workflow,
      },
    ]);
  });

  it.each<PortError['kind']>(['Unknown', 'Conflict'])(
    '%s leaves the claim for the read-back, and the row says so',
    async (kind) => {
      const { ports, answers, replica } = await bench(claimed);
      answers.create = refusal(kind);
      expect(await createGroup(ports, settings, create)).toMatchObject({ outcome: 'unknown' });
      expect(await replica()).toMatchObject({
        state: 'creating',
        attempt: { id: 'a-1', startedAt: at + 1_000, expiresAt: at + 361_000 },
        reason: 'CreateUnconfirmed',
        message: `ARM says ${kind}`,
      });
    },
  );
});

describe('the log of a replica that is deleted', () => {
  const step = { ...create, kind: 'deleteGroup' as const };
  const deleting = inState('deleting');
  const log = () => keys.log('shop', 'web', 0);

  it('is kept as it was right before, and read no longer than a few seconds', async () => {
    const { ports, answers, called } = await bench(deleting);
    answers.get = ok(aGroup(deleting));
    const queries: unknown[] = [];
    const groups = {
      ...ports.groups,
      logs: async (...[, group, container, query]: Parameters<typeof ports.groups.logs>) => {
        queries.push([group, container, query]);
        return ok('2026-01-02T03:04:05Z one\ntwo\n');
      },
    };
    await deleteGroup({ ...ports, groups }, settings, step);
    expect(queries).toEqual([[deleting.group, 'web', { tail: 1_000, timestamps: true, timeoutMs: 5_000 }]]);
    expect(called).toEqual([`delete ${deleting.group}`]);
    expect(await ports.store.read(log())).toMatchObject({
      value: {
        incarnation: 1,
        lines: [
          { at: '2026-01-02T03:04:05Z', text: 'one' },
          { at: null, text: 'two' },
        ],
      },
    });
  });

  it.each([
    { name: 'that ARM does not hand out', answer: refusal('Unavailable'), state: 'Succeeded' },
    { name: 'that is empty', answer: ok(''), state: 'Succeeded' },
    { name: 'of a group that ARM is deleting already', answer: ok('late\n'), state: 'Deleting' },
  ])('$name is not kept, and the group is deleted all the same', async ({ answer, state }) => {
    const { ports, answers, called } = await bench(deleting);
    answers.get = ok(aGroup(deleting, { provisioningState: state }));
    await deleteGroup({ ...ports, groups: { ...ports.groups, logs: async () => answer } }, settings, step);
    expect(called).toEqual([`delete ${deleting.group}`]);
    expect(await ports.store.read(log())).toEqual({ ok: true, value: null });
  });

  it('never takes the place of that of a later replica of its slot', async () => {
    const later: LogRow = {
      kind: 'log',
      app: 'shop',
      service: 'web',
      slot: 0,
      incarnation: 2,
      revision: 1,
      container: 'web',
      takenAt: at,
      lines: [],
      truncated: false,
    };
    const { ports, answers } = await bench(deleting, later);
    answers.get = ok(aGroup(deleting));
    await deleteGroup({ ...ports, groups: { ...ports.groups, logs: async () => ok('old\n') } }, settings, step);
    expect(await ports.store.read(log())).toMatchObject({ value: { incarnation: 2, lines: [] } });
  });
});

describe('deleteGroup', () => {
  const deleting = inState('deleting');
  const step = { ...create, kind: 'deleteGroup' as const };

  it('deletes the group whose tags name this incarnation', async () => {
    const { ports, called, answers } = await bench(deleting);
    answers.get = ok(aGroup(deleting));
    expect(await deleteGroup(ports, settings, step)).toMatchObject({ outcome: 'done' });
    expect(called).toEqual([`delete ${deleting.group}`]);
  });

  it.each<[string, Partial<ReplicaRow>]>([
    ['a newer epoch', { epoch: 2 }],
    ['another state', { state: 'draining' }],
  ])('touches nothing when the row has %s', async (_, over) => {
    const { ports, called, answers } = await bench({ ...deleting, ...over });
    answers.get = ok(aGroup(deleting));
    expect(await deleteGroup(ports, settings, step)).toMatchObject({ outcome: 'skipped' });
    expect(called).toEqual([]);
  });

  it.each<[string, Record<string, string>]>([
    ['no tags', {}],
    ['another installation', { ...aGroup(deleting).tags, 'flotilla-installation': 'other' }],
    ['another incarnation', { ...aGroup(deleting).tags, 'flotilla-incarnation': '2' }],
    ['another app of the same name', { ...aGroup(deleting).tags, 'flotilla-app-uid': 'uid-2' }],
  ])('never deletes a group with %s', async (_, tags) => {
    const { ports, called, answers } = await bench(deleting);
    answers.get = ok(aGroup(deleting, { tags }));
    expect(await deleteGroup(ports, settings, step)).toMatchObject({ outcome: 'skipped' });
    expect(called).toEqual([]);
  });

  it('deletes nothing that it cannot see', async () => {
    const { ports, called, answers } = await bench(deleting);
    answers.get = refusal('Unavailable');
    expect(await deleteGroup(ports, settings, step)).toMatchObject({ outcome: 'unknown' });
    expect(called).toEqual([]);
  });
});

describe('a deletion that ARM turns away', () => {
  const deleting = inState('deleting', { reason: 'Surplus' });
  const step = { ...create, kind: 'deleteGroup' as const };

  it.each<[PortError['kind'], number | null, number | null]>([
    ['Throttled', 45_000, 45_000],
    ['Unavailable', 120_000, 120_000],
    ['Throttled', null, null],
    ['Unknown', 45_000, null],
  ])('%s with Retry-After %s ms: the row says not before %s ms', async (kind, retryAfterMs, waitMs) => {
    const { ports, clock, answers, replica } = await bench(deleting);
    answers.get = ok(aGroup(deleting));
    answers.delete = refusal(kind, { retryAfterMs });
    await deleteGroup(ports, settings, step);
    const redeleteAt = waitMs === null ? null : clock.now + waitMs;
    expect(await replica()).toMatchObject({ state: 'deleting', reason: 'Surplus', redeleteAt });
  });

  it('is not begun again before the wait is over', async () => {
    const { ports, clock, called, answers } = await bench({ ...deleting, redeleteAt: at + 60_000 });
    answers.get = ok(aGroup(deleting));
    clock.now = at + 59_999;
    expect(await deleteGroup(ports, settings, step)).toMatchObject({ outcome: 'skipped' });
    clock.now = at + 60_000;
    expect(await deleteGroup(ports, settings, step)).toMatchObject({ outcome: 'done' });
    expect(called).toHaveLength(1);
  });

  it('remembers the wait also when only the look before it was turned away', async () => {
    const { ports, clock, answers, replica } = await bench(deleting);
    answers.get = refusal('Throttled', { retryAfterMs: 45_000 });
    expect(await deleteGroup(ports, settings, step)).toMatchObject({ outcome: 'unknown' });
    expect(await replica()).toMatchObject({ redeleteAt: clock.now + 45_000 });
  });
});

describe('finish', () => {
  const guard = aGuard({ workflow, epoch: 1, claimedAt: at });
  const input = { app: 'shop', service: 'web', workflow };

  it('lets go of the guard it saw, and wakes the app', async () => {
    const { ports, called, guard: read, due } = await bench(guard);
    const guardEtag = (await read())?.etag ?? '';
    expect(await finish(ports, { ...input, guardEtag })).toEqual({ outcome: 'released' });
    expect(await read()).toMatchObject({ workflow: null, claimedAt: null, wakeAt: null });
    expect(called).toEqual(['start app:shop']);
    expect(await due()).toMatchObject({ dueAt: at + 1_000 });
    expect(await finish(ports, { ...input, guardEtag })).toEqual({ outcome: 'released' });
  });

  it('asks for one more pass when the guard has changed since', async () => {
    const { ports, called, change, guard: read } = await bench(guard);
    const guardEtag = (await read())?.etag ?? '';
    await change({ ...guard, desired: 5 }, keys.guard('shop', 'web'));
    expect(await finish(ports, { ...input, guardEtag })).toEqual({ outcome: 'again' });
    expect(await read()).toMatchObject({ workflow, desired: 5 });
    expect(called).toEqual([]);
  });

  it('leaves a guard alone that names another workflow', async () => {
    const { ports, guard: read } = await bench({ ...guard, workflow: 'teardown:shop.web:2' });
    const guardEtag = (await read())?.etag ?? '';
    await finish(ports, { ...input, guardEtag });
    expect(await read()).toMatchObject({ workflow: 'teardown:shop.web:2' });
  });
});

describe('the assessor', () => {
  it('claims before it orders a start, and loses to a faster one', async () => {
    const { ports, guard } = await bench(aGuard());
    const results = await Promise.all([1, 2].map(() => assess(ports, settings, { app: 'shop' })));
    expect(await guard()).toMatchObject({ workflow, epoch: 1 });
    expect(results.flatMap(({ orders }) => orders)).toHaveLength(1);
    expect(results.map(({ again }) => again).toSorted()).toEqual([false, true]);
  });

  it.each<[string, Partial<GuardRow>, InstanceStatus | null, string[]]>([
    ['starts what is claimed and absent', {}, null, [`start ${workflow}`]],
    ['never starts what has run before', {}, 'Completed', []],
    ['starts nothing that another workflow has taken over', { workflow: 'deployment:shop.web:2' }, null, []],
  ])('%s', async (_, over, status, expected) => {
    const { ports, answers, called } = await bench(aGuard({ workflow, ...over }));
    answers.status = status;
    const order = { kind: 'start', service: 'web', workflow: 'deployment', id: workflow } as const;
    await startWorkflow(ports, settings, { app: 'shop', service: 'web', order });
    expect(called).toEqual(expected);
  });

  it('ends a broken workflow only while it is still overdue', async () => {
    const order = { kind: 'terminate', id: workflow, reason: 'broken' } as const;
    const moved = await bench(aGuard({ workflow, wakeAt: at }));
    await startWorkflow(moved.ports, settings, { app: 'shop', service: 'web', order });
    expect(moved.called).toEqual([]);
    const stuck = await bench(aGuard({ workflow, wakeAt: at - 600_000 }));
    await startWorkflow(stuck.ports, settings, { app: 'shop', service: 'web', order });
    expect(stuck.called).toEqual([`terminate ${workflow}`]);
  });

  it.each<[string, { status?: PortError; start?: PortError }]>([
    ['cannot be read', { status: refusal('Unavailable').error }],
    ['is not started', { start: refusal('Unknown').error }],
  ])('says so when the instance %s', async (_, { status, start }) => {
    const { ports } = await bench(aGuard({ workflow }));
    if (status) ports.workflows.status = async () => err(status);
    if (start) ports.workflows.start = async () => err(start);
    const order = { kind: 'start', service: 'web', workflow: 'deployment', id: workflow } as const;
    expect(await startWorkflow(ports, settings, { app: 'shop', service: 'web', order })).toMatchObject({
      outcome: 'refused',
    });
  });

  it('looks again at a change that was committed after it had read, though it was running when it was woken', async () => {
    const { ports, change } = await bench(aGuard(), aDue());
    ports.workflows.start = async () => ok('existing');
    await noteDue(ports, 'shop');
    const seen = await assess(ports, settings, { app: 'shop' });
    await change(aGuard({ desired: 5 }), keys.guard('shop', 'web'));
    expect(await wakeAssessor(ports, ports.workflows, 'shop')).toMatchObject({ ok: true });
    expect(await settle(ports, settings, { app: 'shop', ...seen })).toEqual({ again: true });
  });

  it('leaves a due row behind when it could not see the app through', async () => {
    const { ports, due, clock } = await bench(aGuard());
    expect(await settle(ports, settings, { app: 'shop', due: null, dueAt: null, again: true })).toEqual({
      again: true,
    });
    expect(await due()).toMatchObject({ dueAt: clock.now });
  });

  const settled = async (dueAt: number | null, since: number, changed = false) => {
    const { ports, due, change } = await bench(aDue({ since }));
    const before = await due();
    if (changed) await change(aDue({ dueAt: at + 5 }), keys.due('shop'));
    const noted = before === null ? null : { etag: before.etag, since: before.since };
    const result = await settle(ports, settings, { app: 'shop', due: noted, dueAt, again: false });
    return { result, due: await due() };
  };

  it('re-arms the due row while work is left', async () => {
    expect(await settled(at + 600_000, at - 600_000)).toMatchObject({
      result: { again: false },
      due: { dueAt: at + 600_000, since: at - 600_000 },
    });
  });

  it('keeps a young due row for five minutes: the change it announces may still be on its way', async () => {
    expect(await settled(null, at)).toMatchObject({ due: { dueAt: at + 301_000 } });
  });

  it('deletes it when no work is left', async () => {
    expect(await settled(null, at - 299_000)).toMatchObject({ result: { again: false }, due: null });
  });

  it('looks again when somebody woke the app meanwhile', async () => {
    expect(await settled(null, at - 299_000, true)).toMatchObject({ result: { again: true }, due: { dueAt: at + 5 } });
    expect(await settled(at + 600_000, at, true)).toMatchObject({ result: { again: true } });
  });
});
