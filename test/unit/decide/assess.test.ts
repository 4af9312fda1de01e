import { describe, expect, it } from 'vitest';
import { type AppView, assess, type Standing } from '../../../src/decide/assess.ts';
import { defaults } from '../../../src/model/defaults.ts';
import type { GuardRow, ReplicaRow } from '../../../src/model/state.ts';
import { aGuard, anAppRow, anOperation, aRevision, at } from '../../support/rows.ts';
import { inState } from '../../support/snapshots.ts';

const settings = { ...defaults, version: '0.2.0' };
const id = 'deployment:shop.web:4';
const minute = 60_000;
const own = (over: Partial<GuardRow> = {}) =>
  aGuard({ workflow: id, epoch: 4, claimedAt: at, claimedBy: '0.2.0', wakeAt: at, passAt: at + 1, ...over });
const settled: Partial<GuardRow> = { observedGeneration: 1 };
const view = (
  guard: GuardRow,
  standing: Standing = 'running',
  replicas: readonly ReplicaRow[] = [],
  over: Partial<AppView> = {},
): AppView => ({
  app: anAppRow({ updatedAt: at - 1 }),
  guards: [guard],
  replicas,
  revisions: [aRevision({ createdAt: at - 1 })],
  operations: [],
  drained: new Set(),
  standings: new Map(guard.workflow === null ? [] : [[guard.workflow, standing]]),
  ...over,
});
const summary = (given: AppView, now = at + 1_000) => {
  const { changes, orders } = assess(given, settings, now);
  return {
    workflows: changes.map(({ guard, event }) => `${event.type} ${guard.workflow}`),
    orders: orders.map(({ order }) => `${order.kind} ${order.id}`),
  };
};
const ready = [inState('ready')];
const none = { workflows: [], orders: [] };
const next = 'deployment:shop.web:5';

describe('what an assessment does about a service', () => {
  it.each<[string, AppView, number, ReturnType<typeof summary>]>([
    ['settled and unclaimed', view(aGuard(settled), 'absent', ready), at, none],
    [
      'work and no workflow',
      view(aGuard({ epoch: 4 })),
      at,
      { workflows: [`WorkflowStarted ${next}`], orders: [`start ${next}`] },
    ],
    [
      'a settled service that lost a replica',
      view(aGuard({ ...settled, epoch: 4 }), 'absent', [inState('unready')]),
      at,
      { workflows: [`WorkflowStarted ${next}`], orders: [`start ${next}`] },
    ],
    ['claimed, its start lost', view(own(), 'absent'), at + 6 * minute - 1, { workflows: [], orders: [`start ${id}`] }],
    [
      'claimed, absent for too long',
      view(own(), 'absent'),
      at + 6 * minute,
      { workflows: [`WorkflowReplaced ${next}`], orders: [`start ${next}`] },
    ],
    [
      'finished before the work was done',
      view(own(), 'finished'),
      at,
      { workflows: [`WorkflowReplaced ${next}`], orders: [`start ${next}`] },
    ],
    [
      'finished without letting go, work done',
      view(own(settled), 'finished', ready),
      at,
      { workflows: ['WorkflowEnded null'], orders: [] },
    ],
    ['overdue', view(own()), at + 10 * minute + 1, { workflows: [], orders: [`terminate ${id}`] }],
    ['due, but not long', view(own()), at + 10 * minute, none],
    [
      'a teardown is wanted and a deployment runs',
      view(own({ removed: true })),
      at,
      { workflows: ['WorkflowReplaced teardown:shop.web:5'], orders: ['start teardown:shop.web:5', `hint ${id}`] },
    ],
    [
      'a newer revision than the workflow was claimed for',
      view(own({ revision: 2 }), 'running', [], { revisions: [aRevision({ revision: 2, createdAt: at + 1 })] }),
      at + 2,
      { workflows: [`WorkflowReplaced ${next}`], orders: [`start ${next}`, `hint ${id}`] },
    ],
    [
      'the app changed since the last pass',
      view(own(), 'running', [], { app: anAppRow({ updatedAt: at + 2 }) }),
      at + 3,
      { workflows: [], orders: [`hint ${id}`] },
    ],
    [
      'a replica changed since the last pass',
      view(own(), 'running', [inState('unready', { stateAt: at + 2 })]),
      at + 3,
      { workflows: [], orders: [`hint ${id}`] },
    ],
    [
      'waiting for a dependency',
      view(own({ reason: 'AwaitingDependency' })),
      at + 3,
      { workflows: [], orders: [`hint ${id}`] },
    ],
    ['waiting for room', view(own({ reason: 'NoPoolWithRoom' })), at + 3, { workflows: [], orders: [`hint ${id}`] }],
    [
      'the app changed at the very instant of the last pass',
      view(own(), 'running', [], { app: anAppRow({ updatedAt: at + 1 }) }),
      at + 3,
      { workflows: [], orders: [`hint ${id}`] },
    ],
    [
      'a replica that the last pass itself changed (near miss)',
      view(own(), 'running', [inState('unready', { stateAt: at + 1 })]),
      at + 3,
      none,
    ],
    [
      'a replica of another service changed (near miss)',
      view(own(), 'running', [inState('unready', { service: 'db', stateAt: at + 2 })]),
      at + 3,
      none,
    ],
    ['claimed and never passed', view(own({ passAt: null })), at, { workflows: [], orders: [`hint ${id}`] }],
    ['at work, with no instant to look again', view(own({ wakeAt: null })), at + 60 * minute, none],
    [
      'a revision as old as the claim (near miss)',
      view(own({ revision: 2 }), 'running', [], { revisions: [aRevision({ revision: 2, createdAt: at })] }),
      at + 2,
      none,
    ],
    [
      'a newer revision that the service does not want (near miss)',
      view(own(), 'running', [], {
        revisions: [aRevision({ createdAt: at - 1 }), aRevision({ revision: 2, createdAt: at + 1 })],
      }),
      at + 2,
      none,
    ],
    [
      'a newer revision of another service (near miss)',
      view(own(), 'running', [], {
        revisions: [aRevision({ service: 'db', createdAt: at + 1 }), aRevision({ createdAt: at - 1 })],
      }),
      at + 2,
      none,
    ],
    [
      'a teardown at work, whatever the revision (near miss)',
      view(own({ workflow: 'teardown:shop.web:4', removed: true }), 'running', [inState('ready')], {
        revisions: [aRevision({ createdAt: at + 1 })],
      }),
      at + 2,
      none,
    ],
    [
      'a teardown runs and the service is wanted again',
      view(own({ workflow: 'teardown:shop.web:4' })),
      at + 2,
      { workflows: [`WorkflowReplaced ${next}`], orders: [`start ${next}`, 'hint teardown:shop.web:4'] },
    ],
    [
      'an instance nobody knows the standing of, claimed just now',
      view(own(), 'running', [], { standings: new Map() }),
      at + 2,
      { workflows: [], orders: [`start ${id}`] },
    ],
    ['at work, nothing new', view(own()), at + 3, none],
    ['settled, its workflow about to let go (near miss)', view(own(settled), 'running', ready), at + 3, none],
    [
      'an older revision that was made again later (near miss)',
      view(own({ revision: 2 }), 'running', [], {
        revisions: [aRevision({ createdAt: at + 1 }), aRevision({ revision: 2, createdAt: at - 1 })],
      }),
      at + 3,
      none,
    ],
    [
      'at work for an older version of Flotilla',
      view(own({ claimedBy: '0.1.9' })),
      at + 3,
      { workflows: [`WorkflowReplaced ${next}`], orders: [`start ${next}`, `hint ${id}`] },
    ],
    [
      'at work for a version that did not say so yet',
      view(own({ claimedBy: null })),
      at + 3,
      { workflows: [`WorkflowReplaced ${next}`], orders: [`start ${next}`, `hint ${id}`] },
    ],
    ['at work for a newer version, which runs beside this one', view(own({ claimedBy: '0.10.0' })), at + 3, none],
    [
      'settled, claimed by nobody, whatever the version',
      view(aGuard({ ...settled, claimedBy: '0.1.0' }), 'absent', ready),
      at + 3,
      none,
    ],
  ])('%s', (_, given, now, expected) => {
    expect(summary(given, now)).toEqual(expected);
  });

  it('a claim raises the epoch and makes the workflow due now', () => {
    const [change] = assess(view(aGuard({ epoch: 4, passAt: at - 1 })), settings, at).changes;
    expect(change?.guard).toMatchObject({ epoch: 5, claimedAt: at, claimedBy: '0.2.0', wakeAt: at, passAt: null });
  });

  it('letting go clears what the claim had set', () => {
    const [change] = assess(view(own(settled), 'finished', ready), settings, at).changes;
    expect(change?.guard).toMatchObject({ workflow: null, claimedAt: null, claimedBy: null, wakeAt: null, epoch: 4 });
    expect(change?.event.message).toBe(`${id} ended.`);
  });

  it.each<[string, AppView, object]>([
    ['a first start', view(aGuard({ epoch: 4 })), { type: 'WorkflowStarted', message: `${next} takes over.` }],
    [
      'a replacement of a broken one',
      view(own(), 'finished'),
      { type: 'WorkflowReplaced', reason: 'WorkflowBroken', message: `${next} takes over from ${id}.` },
    ],
    [
      'a replacement of one that is only superseded',
      view(own({ removed: true })),
      { type: 'WorkflowReplaced', message: `teardown:shop.web:5 takes over from ${id}.` },
    ],
    [
      'a replacement of one that an older version started',
      view(own({ claimedBy: '0.1.9' })),
      { type: 'WorkflowReplaced', message: `${next} takes over from ${id}, which Flotilla 0.1.9 started.` },
    ],
  ])('says why: %s', (_, given, event) => {
    expect(assess(given, settings, at).changes[0]?.event).toEqual(event);
  });

  it('a claim that never had its instant noted counts from the beginning of time', () => {
    expect(summary(view(own({ claimedAt: null }), 'absent'), at).workflows).toEqual([`WorkflowReplaced ${next}`]);
  });

  it('a broken workflow is ended now and replaced only by a later assessment', () => {
    const broken = assess(view(own()), settings, at + 11 * minute);
    expect(broken).toMatchObject({ changes: [], dueAt: at + 11 * minute });
    const later = assess(view(own(), 'finished'), settings, at + 12 * minute);
    expect(later.changes[0]?.guard.workflow).toBe(next);
  });
});

describe('the app as a whole', () => {
  it('is converged once every service is', () => {
    const app = assess(view(aGuard(settled), 'absent', ready), settings, at).app;
    expect(app).toMatchObject({ row: { observedGeneration: 1 }, event: { type: 'AppConverged' } });
  });

  it('is not converged while one service is not', () => {
    const guards = [aGuard(settled), aGuard({ service: 'db' })];
    expect(assess(view(aGuard(), 'absent', ready, { guards }), settings, at).app).toBeNull();
  });

  it('is deleted once every service is gone', () => {
    const app = anAppRow({ state: 'deleting', generation: 2 });
    const gone = view(aGuard({ ...settled, removed: true }), 'absent', [inState('gone')], { app });
    expect(assess(gone, settings, at).app).toMatchObject({ row: { state: 'deleted', observedGeneration: 2 } });
    const going = view(aGuard({ ...settled, removed: true }), 'absent', [inState('deleting')], { app });
    expect(assess(going, settings, at).app).toBeNull();
  });

  it.each<[string, Parameters<typeof anAppRow>[0]]>([
    ['seen converged already', { observedGeneration: 1 }],
    ['deleted already', { state: 'deleted', generation: 2, observedGeneration: 1 }],
  ])('is written no more when it was %s', (_, over) => {
    expect(assess(view(aGuard(settled), 'absent', ready, { app: anAppRow(over) }), settings, at).app).toBeNull();
  });

  it('that is deleted is frozen no more: what comes after it is another life', () => {
    const app = anAppRow({ state: 'deleting', generation: 2, frozen: true });
    const gone = view(aGuard({ ...settled, removed: true }), 'absent', [inState('gone')], { app });
    expect(assess(gone, settings, at).app?.row).toMatchObject({ state: 'deleted', frozen: false });
  });

  it('is not deleted a second time', () => {
    const app = anAppRow({ state: 'deleted', generation: 2, observedGeneration: 2 });
    const gone = view(aGuard({ ...settled, removed: true }), 'absent', [inState('gone')], { app });
    expect(assess(gone, settings, at).app).toBeNull();
  });

  it('is not deleted while a service is wanted', () => {
    const app = anAppRow({ state: 'deleting', generation: 2 });
    const guards = [aGuard({ ...settled, removed: true, service: 'db' }), aGuard(settled)];
    expect(assess(view(aGuard(), 'absent', ready, { guards, app }), settings, at).app).toBeNull();
  });

  it('of several services looks at the replicas of each', () => {
    const guards = [aGuard(settled), aGuard({ ...settled, service: 'db' })];
    const replicas = [inState('ready'), inState('ready', { service: 'db' })];
    const all = assess(view(aGuard(), 'absent', replicas, { guards }), settings, at);
    expect(all).toMatchObject({ changes: [], app: { event: { type: 'AppConverged' } } });
  });

  it('that nothing was ever applied to is left alone', () => {
    const empty = view(aGuard(), 'absent', [], { guards: [], app: anAppRow({ generation: 0 }) });
    expect(assess(empty, settings, at)).toEqual({ changes: [], orders: [], app: null, dueAt: null });
  });
});

describe('when to look again', () => {
  it('never, when no work is left', () => {
    expect(assess(view(aGuard(settled), 'absent', ready), settings, at).dueAt).toBeNull();
  });

  it('when the earliest workflow would count as broken', () => {
    expect(assess(view(own({ wakeAt: at + 5_000 })), settings, at).dueAt).toBe(at + 5_000 + 10 * minute);
  });

  it('when the workflow that it just claimed would count as broken', () => {
    expect(assess(view(aGuard({ epoch: 4 })), settings, at).dueAt).toBe(at + 10 * minute);
  });

  it('when the message of an accepted operation would count as lost', () => {
    const waiting = view(aGuard(settled), 'absent', ready, { operations: [anOperation()] });
    expect(assess(waiting, settings, at).dueAt).toBe(at + minute);
  });
});
