import { describe, expect, it } from 'vitest';
import type { CommandView, Write } from '../../../../src/decide/commands/conclude.ts';
import { planApply } from '../../../../src/decide/commands/plan-apply.ts';
import { planFreeze } from '../../../../src/decide/commands/plan-freeze.ts';
import { planRestart, planScale, planStart, planStop } from '../../../../src/decide/commands/plan-services.ts';
import { keyOf } from '../../../../src/model/keys.ts';
import type { AppRow, GuardRow, Row, Stored } from '../../../../src/model/state.ts';
import { revisionHash } from '../../../../src/spec/revision.ts';
import { aGuard, anApp, anAppRow, anOperation, aRevision, aService, at } from '../../../support/rows.ts';

const stored = <R extends Row>(row: R): Stored<R> => ({ ...row, etag: `etag of ${keyOf(row).row}` });
const moment = { now: at + 60_000, txId: 'tx-1' };
const operation = stored(anOperation({ seq: 2, command: 'scale' }));
const web = aService('web', { replicas: 3 });
const api = aService('api', { replicas: 1 });

const viewOf = (web: Partial<GuardRow> = {}, app: Partial<AppRow> = {}): CommandView => ({
  app: stored(
    anAppRow({ nextSeq: 3, spec: anApp('shop', [aService('api'), aService('web', { replicas: 3 })]), ...app }),
  ),
  guards: [aGuard({ service: 'api' }), aGuard({ desired: 3, ...web })].map(stored),
  revisions: [
    aRevision({ hash: revisionHash(aService('web').template) }),
    aRevision({ service: 'api', hash: revisionHash(aService('api').template) }),
  ].map(stored),
  replicas: [],
  rollouts: [],
});

const rowsOf = <K extends Row['kind']>(writes: readonly Write[], kind: K) =>
  writes.map(({ row }) => row).filter((row) => row.kind === kind) as Extract<Row, { kind: K }>[];
const guardOf = (writes: readonly Write[], service = 'web') =>
  rowsOf(writes, 'service').find((row) => row.service === service);
const finished = (writes: readonly Write[]) => rowsOf(writes, 'op')[0];
const types = (writes: readonly Write[]) => rowsOf(writes, 'event').map(({ type }) => type);

describe('scaling', () => {
  it.each<{ name: string; guard: Partial<GuardRow>; to: number; expected: Partial<GuardRow> | null }>([
    { name: 'sets what is wanted', guard: {}, to: 5, expected: { desired: 5, scaledTo: 5, generation: 2 } },
    { name: 'to zero, too', guard: {}, to: 0, expected: { desired: 0, scaledTo: 0, generation: 2 } },
    {
      name: 'to what is there remembers it, and stirs nobody',
      guard: {},
      to: 3,
      expected: { desired: 3, scaledTo: 3, generation: 1 },
    },
    { name: 'twice to the same changes nothing', guard: { scaledTo: 5, desired: 5 }, to: 5, expected: null },
    {
      name: 'what is stopped keeps it stopped',
      guard: { stopped: true, desired: 0 },
      to: 5,
      expected: { desired: 0, scaledTo: 5, stopped: true, generation: 1 },
    },
  ])('$name', ({ guard, to, expected }) => {
    const writes = planScale(viewOf(guard), operation, { web: to }, moment);
    if (expected === null) expect(guardOf(writes)).toBeUndefined();
    else expect(guardOf(writes)).toMatchObject(expected);
    expect(guardOf(writes, 'api')).toBeUndefined();
    expect(rowsOf(writes, 'app')[0]?.generation).toBe(expected?.generation ?? 1);
    expect(finished(writes)).toMatchObject({ state: 'applied' });
  });

  it('is told with both numbers, and leaves the spec as it is', () => {
    const writes = planScale(viewOf(), operation, { web: 5, api: 2 }, moment);
    expect(rowsOf(writes, 'event').map(({ message }) => message)).toEqual([
      'Scaled api, web as generation 2.',
      'api is scaled from 1 to 2 by command.',
      'web is scaled from 3 to 5 by command.',
    ]);
    expect(rowsOf(writes, 'app')[0]?.spec).toEqual(viewOf().app.spec);
  });

  it('tells that a stopped service has no replicas until it is started', () => {
    const writes = planScale(viewOf({ stopped: true, desired: 0 }), operation, { web: 5 }, moment);
    expect(finished(writes)?.problems).toMatchObject([{ severity: 'warning', path: 'services.web' }]);
    expect(finished(writes)?.problems[0]?.remedy).toContain('flotilla start shop.web');
    expect(rowsOf(writes, 'event').map(({ message }) => message)).toContain(
      'web is to have 5 replicas once it is started.',
    );
  });

  it('to the remembered number repairs a guard that wants another one', () => {
    const writes = planScale(viewOf({ scaledTo: 5, desired: 2 }), operation, { web: 5 }, moment);
    expect(guardOf(writes)).toMatchObject({ desired: 5, scaledTo: 5, generation: 2 });
  });
});

describe('a command for services', () => {
  it.each<{ name: string; view: CommandView; reason: string; remedy?: string }>([
    {
      name: 'that the app does not have',
      view: viewOf({ service: 'wob' }),
      reason: 'ServiceNotFound',
      remedy: 'Did you mean wob?',
    },
    {
      name: 'that was removed',
      view: viewOf({ removed: true }),
      reason: 'ServiceNotFound',
      remedy: 'Name one of: api.',
    },
    { name: 'of an app that is being deleted', view: viewOf({}, { state: 'deleting' }), reason: 'AppBeingDeleted' },
    { name: 'of an app that is gone', view: viewOf({}, { state: 'deleted' }), reason: 'AppNotFound' },
    { name: 'of an app that never came to be', view: viewOf({}, { generation: 0 }), reason: 'AppNotFound' },
  ])('$name is rejected and changes nothing', ({ view, reason, remedy }) => {
    for (const writes of [
      planScale(view, operation, { api: 2, web: 2 }, moment),
      planRestart(view, operation, ['web'], moment),
      planStop(view, operation, ['web'], moment),
      planStart(view, operation, ['web'], moment),
    ]) {
      expect(finished(writes)).toMatchObject({ state: 'rejected', reason });
      expect(rowsOf(writes, 'service')).toEqual([]);
      if (remedy) expect(finished(writes)?.problems[0]?.remedy).toBe(remedy);
    }
  });

  it('begins a new convergence of what it stirs, and leaves the word on the rest as it is', () => {
    const waiting = { reason: 'BackingOff', message: 'It rests.' } as const;
    const stirred = planScale(viewOf(waiting), operation, { web: 5 }, moment);
    expect(guardOf(stirred)).toMatchObject({ reason: null, message: null, lastTx: 'tx-1' });
    expect(rowsOf(stirred, 'app')[0]?.updatedAt).toBe(moment.now);
    expect(rowsOf(stirred, 'event').map(({ service }) => service)).toEqual([null, 'web']);
    const remembered = planScale(viewOf(waiting), operation, { web: 3 }, moment);
    expect(guardOf(remembered)).toMatchObject({ ...waiting, lastTx: 'tx-1' });
    expect(rowsOf(remembered, 'app')[0]?.updatedAt).toBe(at);
  });

  it('without names means all that are not removed', () => {
    const names = (writes: readonly Write[]) => rowsOf(writes, 'service').map(({ service }) => service);
    expect(names(planRestart(viewOf(), operation, null, moment))).toEqual(['api', 'web']);
    expect(names(planStop(viewOf({ removed: true }), operation, null, moment))).toEqual(['api']);
  });
});

describe('restarting', () => {
  it('begins a new cycle each time, at the same revision', () => {
    const writes = planRestart(viewOf({ cycle: 4 }), operation, ['web'], moment);
    expect(guardOf(writes)).toMatchObject({ cycle: 5, revision: 1, desired: 3, generation: 2 });
    expect(types(writes)).toEqual(['OperationApplied', 'ServiceRestarted']);
    expect(rowsOf(writes, 'revision')).toEqual([]);
  });

  it('has nothing to do where the service is stopped, and says so; where it runs there is nothing to say', () => {
    const problems = (guard: Partial<GuardRow>) =>
      finished(planRestart(viewOf(guard), operation, ['web'], moment))?.problems.map(({ problem }) => problem);
    expect(problems({ stopped: true, desired: 0 })).toEqual(['web is stopped and has nothing to restart.']);
    expect(problems({})).toEqual([]);
  });

  it('begins the first cycle of a guard that was written before there were any', () => {
    const before = { cycle: null } as unknown as Partial<GuardRow>;
    expect(guardOf(planRestart(viewOf(before), operation, ['web'], moment))).toMatchObject({ cycle: 1 });
  });
});

describe('stopping and starting', () => {
  it('a stop wants no replicas, and remembers the rest', () => {
    const writes = planStop(viewOf({ scaledTo: 7, desired: 7 }), operation, ['web'], moment);
    expect(guardOf(writes)).toMatchObject({ stopped: true, desired: 0, scaledTo: 7, removed: false, generation: 2 });
    expect(types(writes)).toEqual(['OperationApplied', 'ServiceStopped']);
  });

  it.each<{ name: string; guard: Partial<GuardRow>; desired: number }>([
    { name: 'what the spec says', guard: {}, desired: 3 },
    { name: 'what was commanded', guard: { scaledTo: 7 }, desired: 7 },
    { name: 'none, if none was commanded', guard: { scaledTo: 0 }, desired: 0 },
  ])('a start wants $name', ({ guard, desired }) => {
    const writes = planStart(viewOf({ stopped: true, desired: 0, ...guard }), operation, ['web'], moment);
    expect(guardOf(writes)).toMatchObject({ stopped: false, desired, generation: 2 });
  });

  it('a start of a service that the spec does not name wants none', () => {
    const view = viewOf({ stopped: true, desired: 0 }, { spec: anApp('shop', [api]) });
    expect(guardOf(planStart(view, operation, ['web'], moment))).toMatchObject({ stopped: false, desired: 0 });
  });

  it('again, each changes nothing', () => {
    for (const writes of [
      planStop(viewOf({ stopped: true, desired: 0 }), operation, ['web'], moment),
      planStart(viewOf(), operation, ['web'], moment),
    ]) {
      expect(rowsOf(writes, 'service')).toEqual([]);
      expect(rowsOf(writes, 'app')[0]?.generation).toBe(1);
      expect(rowsOf(writes, 'event')[0]?.message).toBe('Nothing differs.');
    }
  });
});

describe('applying a document after that', () => {
  const apply = (guard: Partial<GuardRow>, service = web, app: Partial<AppRow> = {}) =>
    planApply(viewOf(guard, app), operation, { app: anApp('shop', [api, service]), warnings: [] }, moment);
  const unstated = aService('web', { replicas: 1, replicasByDefault: true });

  it.each<{ name: string; guard: Partial<GuardRow>; service: typeof web; expected: Partial<GuardRow> | null }>([
    {
      name: 'that states a number ends a manual scale',
      guard: { scaledTo: 5, desired: 5 },
      service: web,
      expected: { desired: 3, scaledTo: null },
    },
    { name: 'that states none leaves it', guard: { scaledTo: 5, desired: 5 }, service: unstated, expected: null },
    {
      name: 'that states none means one where nothing was commanded',
      guard: {},
      service: unstated,
      expected: { desired: 1, scaledTo: null },
    },
    { name: 'keeps what is stopped stopped', guard: { stopped: true, desired: 0 }, service: web, expected: null },
    {
      name: 'with a new image keeps it stopped, at the new revision',
      guard: { stopped: true, desired: 0 },
      service: { ...web, template: { ...web.template, image: 'nginx:2' } },
      expected: { stopped: true, desired: 0, revision: 2 },
    },
    {
      name: 'ends the manual scale of what is stopped, for when it is started',
      guard: { stopped: true, desired: 0, scaledTo: 5 },
      service: web,
      expected: { stopped: true, desired: 0, scaledTo: null },
    },
    {
      name: 'that brings a removed service back begins anew',
      guard: { removed: true, desired: 0, stopped: true, scaledTo: 5 },
      service: web,
      expected: { removed: false, stopped: false, desired: 3, scaledTo: null },
    },
  ])('$name', ({ guard, service, expected }) => {
    const writes = apply(guard, service);
    if (expected === null) expect(guardOf(writes)).toBeUndefined();
    else expect(guardOf(writes)).toMatchObject(expected);
    // What it changes of one service alone is a new generation, too.
    expect(rowsOf(writes, 'app')[0]?.generation).toBe(expected !== null || service !== web ? 2 : 1);
  });

  it('says what does not become as the document says', () => {
    const problems = (writes: readonly Write[]) => finished(writes)?.problems.map(({ problem }) => problem);
    expect(problems(apply({ stopped: true, desired: 0 }))).toEqual(['web is stopped and stays so.']);
    expect(problems(apply({ scaledTo: 5, desired: 5 }, unstated))).toEqual([
      'web stays at the 5 replicas that were commanded, because the file states no number.',
    ]);
    expect(problems(apply({ scaledTo: 5, desired: 5 }))).toEqual([]);
    expect(problems(apply({ scaledTo: 1, desired: 1 }, unstated))).toEqual([]);
  });

  it('adds a service that nobody has scaled or restarted', () => {
    const added = { ...unstated, name: 'new' };
    const writes = planApply(viewOf(), operation, { app: anApp('shop', [api, web, added]), warnings: [] }, moment);
    expect(guardOf(writes, 'new')).toMatchObject({ scaledTo: null, cycle: 0 });
  });

  it('does not count what was removed among the services that are stopped', () => {
    const guards = [aGuard({ service: 'api', removed: true }), aGuard({ stopped: true, desired: 0 })].map(stored);
    const document = { app: anApp('shop', [aService('new'), web]), warnings: [] };
    const writes = planApply({ ...viewOf(), guards }, operation, document, moment);
    expect(guardOf(writes, 'new')).toMatchObject({ stopped: true, desired: 0 });
  });

  it('adds a service as stopped to an app of which every service is', () => {
    const view = viewOf({ stopped: true, desired: 0 });
    const all = { ...view, guards: view.guards.map((guard) => ({ ...guard, stopped: true, desired: 0 })) };
    const document = { app: anApp('shop', [api, aService('new'), web]), warnings: [] };
    expect(guardOf(planApply(all, operation, document, moment), 'new')).toMatchObject({ stopped: true, desired: 0 });
    expect(guardOf(planApply(view, operation, document, moment), 'new')).toMatchObject({ stopped: false, desired: 1 });
  });
});

describe('freezing and thawing', () => {
  it.each([
    { frozen: true, to: true, types: ['OperationApplied'] },
    { frozen: false, to: true, types: ['OperationApplied', 'AppFrozen'] },
    { frozen: true, to: false, types: ['OperationApplied', 'AppThawed'] },
    { frozen: false, to: false, types: ['OperationApplied'] },
  ])('from $frozen to $to touches the app row alone, at the same generation', ({ frozen, to, types: told }) => {
    const writes = planFreeze(viewOf({}, { frozen }), operation, to, moment);
    const [app] = rowsOf(writes, 'app');
    expect(app).toMatchObject({ frozen: to, generation: 1, updatedAt: frozen === to ? at : moment.now });
    expect(rowsOf(writes, 'service')).toEqual([]);
    expect(types(writes)).toEqual(told);
    expect(finished(writes)).toMatchObject({ state: 'applied', reason: null });
  });

  it.each([
    [false, true, 'The app is frozen: no container group of it is created or deleted until it is thawed.'],
    [true, false, 'The app is thawed.'],
    [true, true, 'The app is frozen already.'],
    [false, false, 'The app is not frozen already.'],
  ])('from %s to %s says: %s', (frozen, to, message) => {
    expect(rowsOf(planFreeze(viewOf({}, { frozen }), operation, to, moment), 'event')[0]?.message).toBe(message);
  });

  it('an app row that was written before apps could be frozen is not frozen', () => {
    const before = { frozen: undefined } as unknown as Partial<AppRow>;
    expect(types(planFreeze(viewOf({}, before), operation, true, moment))).toContain('AppFrozen');
    expect(types(planFreeze(viewOf({}, before), operation, false, moment))).toEqual(['OperationApplied']);
  });

  it('is possible in the middle of a teardown, and not for an app that is gone', () => {
    expect(finished(planFreeze(viewOf({}, { state: 'deleting' }), operation, true, moment))).toMatchObject({
      state: 'applied',
    });
    expect(finished(planFreeze(viewOf({}, { state: 'deleted' }), operation, true, moment))).toMatchObject({
      state: 'rejected',
      reason: 'AppNotFound',
    });
  });

  it('makes other commands take effect and wait, which their operations say', () => {
    const writes = planScale(viewOf({}, { frozen: true }), operation, { web: 5 }, moment);
    expect(guardOf(writes)).toMatchObject({ desired: 5 });
    expect(finished(writes)).toMatchObject({ state: 'applied', reason: 'Frozen' });
    expect(finished(writes)?.problems[0]?.remedy).toContain('flotilla thaw shop');
    const stopped = planRestart(viewOf({ stopped: true, desired: 0 }, { frozen: true }), operation, ['web'], moment);
    expect(finished(stopped)?.problems.map(({ remedy }) => remedy)).toEqual([
      expect.stringContaining('flotilla start shop.web'),
      expect.stringContaining('flotilla thaw shop'),
    ]);
    expect(
      finished(planScale(viewOf({ scaledTo: 3 }, { frozen: true }), operation, { web: 3 }, moment))?.reason,
    ).toBeNull();
  });
});
