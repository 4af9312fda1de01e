import { describe, expect, it } from 'vitest';
import type { CommandView, Write } from '../../../../src/decide/commands/conclude.ts';
import { isConfirmed, isProtected, planDelete } from '../../../../src/decide/commands/plan-delete.ts';
import { planRejection, planSupersession } from '../../../../src/decide/commands/plan-refusal.ts';
import type { AppRow, GuardRow, Row, Stored } from '../../../../src/model/state.ts';
import { aGuard, anApp, anAppRow, anOperation, at } from '../../../support/rows.ts';

const stored = <R extends Row>(row: R): Stored<R> => ({ ...row, etag: 'etag' });
const now = at + 60_000;
const moment = { now, txId: 'tx-1' };
const operation = stored(anOperation({ seq: 2, command: 'delete' }));
const viewOf = (app: Partial<AppRow>, guards: readonly GuardRow[]): CommandView => ({
  app: stored(anAppRow({ nextSeq: 3, ...app })),
  guards: guards.map(stored),
  revisions: [],
  replicas: [],
  rollouts: [],
});
const rowsOf = <K extends Row['kind']>(writes: readonly Write[], kind: K) =>
  writes.map(({ row }) => row).filter((row) => row.kind === kind) as Extract<Row, { kind: K }>[];

describe('deleting an app', () => {
  const guards = [aGuard({ epoch: 3 }), aGuard({ service: 'old', removed: true, desired: 0 })];
  const writes = planDelete(viewOf({ spec: anApp('shop', []) }, guards), operation, moment);

  it('tears down every service that is not going already', () => {
    expect(rowsOf(writes, 'service')).toMatchObject([
      { service: 'web', removed: true, desired: 0, generation: 2, epoch: 3, lastTx: 'tx-1' },
    ]);
  });

  it('forgets what was commanded of them: they begin anew if they ever come back', () => {
    const view = viewOf({}, [aGuard({ stopped: true, desired: 0, scaledTo: 5 })]);
    expect(rowsOf(planDelete(view, operation, moment), 'service')).toMatchObject([
      { removed: true, stopped: false, scaledTo: null },
    ]);
  });

  it('makes a new generation without a spec', () => {
    expect(rowsOf(writes, 'app')).toMatchObject([
      { state: 'deleting', generation: 2, spec: null, appliedSeq: 2, uid: 'uid-1', updatedAt: now, lastTx: 'tx-1' },
    ]);
  });

  it('finishes its operation and tells what it did', () => {
    expect(rowsOf(writes, 'op')).toMatchObject([{ state: 'applied', finishedAt: now, generation: 2, body: null }]);
    expect(rowsOf(writes, 'event').map(({ type, service }) => [type, service])).toEqual([
      ['OperationApplied', null],
      ['ServiceRemoved', 'web'],
    ]);
  });

  it.each(['deleting', 'deleted'] as const)('changes nothing when the app is %s', (state) => {
    const again = planDelete(viewOf({ state, generation: 5, updatedAt: at }, guards), operation, moment);
    expect(again.map(({ row }) => row.kind)).toEqual(['app', 'op', 'event']);
    expect(rowsOf(again, 'app')).toMatchObject([{ state, generation: 5, appliedSeq: 2, updatedAt: at }]);
    expect(rowsOf(again, 'op')).toMatchObject([{ state: 'applied', generation: 5 }]);
  });

  it('of an app without services leaves it to the assessor to call it deleted', () => {
    const empty = planDelete(viewOf({ generation: 0 }, []), operation, moment);
    expect(rowsOf(empty, 'app')).toMatchObject([{ state: 'deleting', generation: 1 }]);
  });
});

describe('an app that is protected', () => {
  it.each([
    [{ ...anApp('shop', []), protected: true }, true],
    [anApp('shop', []), false],
    [null, false],
  ] as const)('is so by its spec: %#', (spec, expected) => {
    expect(isProtected({ spec })).toBe(expected);
  });

  it.each<[unknown, boolean]>([
    [{ confirm: 'shop' }, true],
    [{ confirm: 'blog' }, false],
    [{}, false],
    [null, false],
  ])('is deleted on its own name alone: %j', (body, expected) => {
    expect(isConfirmed('shop', body)).toBe(expected);
  });
});

describe('a command without effect', () => {
  const problems = [{ severity: 'error', path: 'services.web', problem: 'is wrong.', remedy: 'mend it.' }] as const;
  const reject = (app: Partial<AppRow>) =>
    planRejection(viewOf(app, [aGuard()]), operation, { reason: 'InvalidDocument', problems }, moment);

  it('is rejected with its reason and every fault, and passes on its turn', () => {
    const writes = reject({});
    expect(rowsOf(writes, 'op')).toMatchObject([
      { state: 'rejected', reason: 'InvalidDocument', problems, generation: null, finishedAt: now, body: null },
    ]);
    expect(rowsOf(writes, 'app')).toEqual([anAppRow({ nextSeq: 3, appliedSeq: 2, lastTx: 'tx-1' })]);
    expect(writes.map(({ row }) => row.kind)).toEqual(['app', 'op', 'event']);
    expect(rowsOf(writes, 'event')).toMatchObject([{ type: 'OperationRejected', reason: 'InvalidDocument' }]);
  });

  it('leaves an empty tombstone when it was the first of its app', () => {
    expect(rowsOf(reject({ generation: 0 }), 'app')).toMatchObject([{ state: 'deleted', generation: 0 }]);
  });

  it('is superseded when a later one was applied, without taking the order back', () => {
    const writes = planSupersession(viewOf({ appliedSeq: 5, nextSeq: 6 }, []), operation, moment);
    expect(rowsOf(writes, 'op')).toMatchObject([{ state: 'superseded', reason: 'NewerCommandApplied' }]);
    expect(rowsOf(writes, 'app')).toMatchObject([{ appliedSeq: 5 }]);
    expect(rowsOf(writes, 'event')).toMatchObject([{ type: 'OperationSuperseded' }]);
  });
});

describe('what a command without changes says', () => {
  const messages = (writes: readonly Write[]) => rowsOf(writes, 'event').map(({ message }) => message);

  it('of a deletion: that it began, or how the app stands', () => {
    const deleted = planDelete(viewOf({}, [aGuard()]), operation, moment);
    expect(messages(deleted)).toEqual(['The app is being deleted as generation 2.', 'web is torn down.']);
    expect(rowsOf(deleted, 'service')).toMatchObject([
      { reason: 'Removing', message: 'The service is being torn down.' },
    ]);
    const again = planDelete(viewOf({ state: 'deleting' }, []), operation, moment);
    expect(messages(again)).toEqual(['The app is deleting already.']);
  });

  const fault = (path: string, problem: string) => ({ severity: 'error', path, problem, remedy: '' }) as const;

  it.each<[string, readonly ReturnType<typeof fault>[], string]>([
    ['its reason, when there is no fault to name', [], 'Rejected: AppNotFound.'],
    ['one fault', [fault('services.web', 'is wrong.')], 'Rejected: services.web: is wrong.'],
    ['a fault of the whole document', [fault('', 'It is empty.')], 'Rejected: It is empty.'],
    [
      'the first three of many',
      ['a', 'b', 'c', 'd'].map((path) => fault(path, 'is wrong.')),
      'Rejected: a: is wrong. b: is wrong. c: is wrong.',
    ],
  ])('of a refusal: %s', (_, problems, message) => {
    const writes = planRejection(viewOf({}, []), operation, { reason: 'AppNotFound', problems }, moment);
    expect(messages(writes)).toEqual([message]);
  });

  it('of a refusal that was the first of its app: when', () => {
    const writes = planRejection(
      viewOf({ generation: 0 }, []),
      operation,
      { reason: 'AppNotFound', problems: [] },
      moment,
    );
    expect(rowsOf(writes, 'app')).toMatchObject([{ state: 'deleted', updatedAt: now }]);
  });
});
