import { describe, expect, it } from 'vitest';
import type { CommandView, Write } from '../../../../src/decide/commands/conclude.ts';
import { planApply } from '../../../../src/decide/commands/plan-apply.ts';
import type { AppSpec } from '../../../../src/model/app-spec.ts';
import { keyOf } from '../../../../src/model/keys.ts';
import type {
  AppRow,
  EventRow,
  GuardRow,
  OperationRow,
  RevisionRow,
  Row,
  Stored,
} from '../../../../src/model/state.ts';
import { revisionHash } from '../../../../src/spec/revision.ts';
import { aGuard, anApp, anAppRow, anOperation, aRevision, aService, aTemplate, at } from '../../../support/rows.ts';

const stored = <R extends Row>(row: R): Stored<R> => ({ ...row, etag: `etag of ${keyOf(row).row}` });
const now = at + 60_000;
const moment = { now, txId: 'tx-1' };
const operation = stored(anOperation({ seq: 2 }));

interface Given {
  readonly app?: Partial<AppRow>;
  readonly guards?: readonly GuardRow[];
  readonly revisions?: readonly RevisionRow[];
}

const viewOf = ({ app = {}, guards = [], revisions = [] }: Given): CommandView => ({
  app: stored(anAppRow({ nextSeq: 3, ...app })),
  guards: guards.map(stored),
  revisions: revisions.map(stored),
  replicas: [],
  rollouts: [],
});

const apply = (given: Given, spec: AppSpec) => planApply(viewOf(given), operation, { app: spec, warnings: [] }, moment);

const rowsOf = <K extends Row['kind']>(writes: readonly Write[], kind: K) =>
  writes.map(({ row }) => row).filter((row) => row.kind === kind) as Extract<Row, { kind: K }>[];
const guardOf = (writes: readonly Write[], service = 'web') =>
  rowsOf(writes, 'service').find((guard) => guard.service === service);
const eventTypes = (writes: readonly Write[]) => rowsOf(writes, 'event').map(({ type }) => type);

/** An app with the one service web, converged at generation 1 and revision 1. */
const web = aService('web', { replicas: 3 });
const settled: Given = {
  app: { spec: anApp('shop', [web]), observedGeneration: 1 },
  guards: [
    aGuard({
      desired: 3,
      epoch: 4,
      workflow: 'deployment:shop.web:4',
      nextIncarnation: 7,
      healthyRevision: 1,
      startedRevision: 1,
      dependenciesMetRevision: 1,
      verifiedRevision: 1,
      observedGeneration: 1,
    }),
  ],
  revisions: [aRevision({ hash: revisionHash(web.template) })],
};

describe('a new service', () => {
  const writes = apply({}, anApp('shop', [web]));

  it('gets a guard that nobody has claimed, counting from 1', () => {
    expect(guardOf(writes)).toMatchObject({
      desired: 3,
      removed: false,
      workflow: null,
      epoch: 0,
      nextIncarnation: 1,
      revision: 1,
      generation: 2,
      observedGeneration: 0,
      drainMs: web.drainMs,
      lastTx: 'tx-1',
    });
  });

  it('gets its first revision', () => {
    expect(rowsOf(writes, 'revision')).toEqual([
      aRevision({
        cause: 'op-1',
        hash: revisionHash(web.template),
        template: web.template,
        generation: 2,
        createdAt: now,
      }),
    ]);
  });

  it('is inserted, while app and operation replace what was read', () => {
    expect(writes.map(({ row, etag }) => [row.kind, etag])).toEqual([
      ['app', 'etag of app'],
      ['op', 'etag of op|op-1'],
      ['service', null],
      ['revision', null],
      ['event', null],
      ['event', null],
    ]);
  });

  it('is told with its cause', () => {
    expect(rowsOf(writes, 'event')).toMatchObject([
      { type: 'OperationApplied', cause: 'op-1', n: 0, at: now, txId: 'tx-1', service: null },
      { type: 'ServiceAdded', cause: 'op-1', n: 1, at: now, txId: 'tx-1', service: 'web' },
    ]);
  });
});

describe('the app and the operation', () => {
  it('move on by one generation and one command', () => {
    const writes = apply({}, anApp('shop', [web]));
    expect(rowsOf(writes, 'app')).toEqual([
      anAppRow({
        nextSeq: 3,
        generation: 2,
        appliedSeq: 2,
        spec: anApp('shop', [web]),
        updatedAt: now,
        lastTx: 'tx-1',
      }),
    ]);
    const finished: Partial<OperationRow> = { state: 'applied', finishedAt: now, generation: 2, body: null };
    expect(rowsOf(writes, 'op')).toEqual([anOperation({ seq: 2, ...finished })]);
  });

  it('keep the warnings of the document', () => {
    const warning = { severity: 'warning', path: 'x', problem: 'p', remedy: 'r' } as const;
    const writes = planApply(viewOf({}), operation, { app: anApp('shop', [web]), warnings: [warning] }, moment);
    expect(rowsOf(writes, 'op')[0]?.problems).toEqual([warning]);
  });

  it('stay at the generation when nothing differs', () => {
    const writes = apply(settled, anApp('shop', [web]));
    expect(rowsOf(writes, 'app')).toMatchObject([{ generation: 1, appliedSeq: 2, updatedAt: at }]);
    expect(rowsOf(writes, 'op')).toMatchObject([{ state: 'applied', generation: 1 }]);
    expect(writes.map(({ row }) => row.kind)).toEqual(['app', 'op', 'event']);
  });

  it('never give back a place in the order that was passed', () => {
    const late = stored(anOperation({ seq: 1 }));
    const writes = planApply(
      viewOf({ app: { appliedSeq: 2 } }),
      late,
      { app: anApp('shop', [web]), warnings: [] },
      moment,
    );
    expect(rowsOf(writes, 'app')[0]?.appliedSeq).toBe(2);
  });
});

interface Case {
  readonly name: string;
  readonly spec: AppSpec;
  readonly guard: Partial<GuardRow> | null;
  readonly newRevision: number | null;
  readonly generation: number;
  readonly events: readonly EventRow['type'][];
}

const revised = { ...web, template: aTemplate({ image: 'nginx:1.28' }) };

describe('a service that is there', () => {
  it.each<Case>([
    {
      name: 'is left alone when only another one changes',
      spec: anApp('shop', [aService('api'), web]),
      guard: null,
      newRevision: null,
      generation: 2,
      events: ['OperationApplied', 'ServiceAdded'],
    },
    {
      name: 'is scaled without a new revision',
      spec: anApp('shop', [{ ...web, replicas: 5 }]),
      guard: { desired: 5, revision: 1, generation: 2 },
      newRevision: null,
      generation: 2,
      events: ['OperationApplied', 'ServiceScaled'],
    },
    {
      name: 'gets a new revision when its template differs',
      spec: anApp('shop', [revised]),
      guard: { desired: 3, revision: 2, generation: 2 },
      newRevision: 2,
      generation: 2,
      events: ['OperationApplied', 'ServiceRevised'],
    },
    {
      name: 'is revised and scaled in one step, told as the revision',
      spec: anApp('shop', [{ ...revised, replicas: 1 }]),
      guard: { desired: 1, revision: 2, generation: 2 },
      newRevision: 2,
      generation: 2,
      events: ['OperationApplied', 'ServiceRevised'],
    },
    {
      name: 'takes a new drain time along without an event of its own',
      spec: anApp('shop', [{ ...web, drainMs: 30_000 }]),
      guard: { desired: 3, revision: 1, drainMs: 30_000, generation: 2 },
      newRevision: null,
      generation: 2,
      events: ['OperationApplied'],
    },
    {
      name: 'is not touched by a dependency, which only makes a new generation of the app',
      spec: anApp('shop', [{ ...web, dependsOn: [{ service: 'db', condition: 'started' }] }]),
      guard: null,
      newRevision: null,
      generation: 2,
      events: ['OperationApplied'],
    },
    {
      name: 'is not touched by other pools, which only make a new generation of the app',
      spec: anApp('shop', [web], ['east']),
      guard: null,
      newRevision: null,
      generation: 2,
      events: ['OperationApplied'],
    },
    {
      name: 'is torn down when the document no longer names it, and keeps its counters',
      spec: anApp('shop', []),
      guard: {
        desired: 0,
        removed: true,
        generation: 2,
        revision: 1,
        epoch: 4,
        nextIncarnation: 7,
        reason: 'Removing',
      },
      newRevision: null,
      generation: 2,
      events: ['OperationApplied', 'ServiceRemoved'],
    },
  ])('$name', ({ spec, guard, newRevision, generation, events }) => {
    const writes = apply(settled, spec);
    if (guard === null) expect(guardOf(writes)).toBeUndefined();
    else expect(guardOf(writes)).toMatchObject({ ...guard, workflow: 'deployment:shop.web:4' });
    const revisions = rowsOf(writes, 'revision').filter(({ service }) => service === 'web');
    expect(revisions.map(({ revision }) => revision)).toEqual(newRevision === null ? [] : [newRevision]);
    expect(rowsOf(writes, 'app')[0]?.generation).toBe(generation);
    expect(eventTypes(writes)).toEqual(events);
  });

  it('gets a number above every earlier revision, also when its guard points at an older one', () => {
    const writes = apply(
      {
        ...settled,
        revisions: [aRevision({ hash: revisionHash(web.template) }), aRevision({ revision: 5, hash: 'other' })],
      },
      anApp('shop', [revised]),
    );
    expect(guardOf(writes)?.revision).toBe(6);
  });

  it('gets a new revision when the row of its own is missing', () => {
    const writes = apply({ ...settled, revisions: [] }, anApp('shop', [web]));
    expect([guardOf(writes)?.revision, rowsOf(writes, 'revision').length]).toEqual([2, 1]);
  });
});

describe('a service that was removed', () => {
  const tombstone: Given = {
    app: { state: 'deleted', generation: 6, observedGeneration: 6 },
    guards: [
      aGuard({
        removed: true,
        desired: 0,
        epoch: 9,
        nextIncarnation: 12,
        healthyRevision: 1,
        startedRevision: 1,
        dependenciesMetRevision: 1,
        verifiedRevision: 1,
        generation: 6,
        observedGeneration: 6,
        reason: 'Removing',
        message: 'The service is being torn down.',
      }),
    ],
    revisions: [aRevision({ hash: revisionHash(web.template) })],
  };

  it('continues its tombstone: epoch, incarnations and revisions go on', () => {
    const writes = apply(tombstone, anApp('shop', [web]));
    expect(guardOf(writes)).toMatchObject({
      removed: false,
      desired: 3,
      epoch: 9,
      nextIncarnation: 12,
      revision: 1,
      verifiedRevision: 1,
      generation: 7,
      observedGeneration: 6,
      reason: null,
      message: null,
    });
    expect(writes.find(({ row }) => row.kind === 'service')?.etag).toBe('etag of service|web');
    expect(eventTypes(writes)).toEqual(['OperationApplied', 'ServiceAdded']);
  });

  it('is waited for anew by those who depend on it, and waits for its own dependencies anew', () => {
    expect(guardOf(apply(tombstone, anApp('shop', [web])))).toMatchObject({
      healthyRevision: null,
      startedRevision: null,
      dependenciesMetRevision: null,
    });
  });

  it('stays as it is when the document does not name it', () => {
    const writes = apply(tombstone, anApp('shop', [aService('api')]));
    expect(guardOf(writes)).toBeUndefined();
  });

  it.each(['deleting', 'deleted'] as const)('comes back with its app when that is %s, and the uid is kept', (state) => {
    const [app] = rowsOf(apply({ ...tombstone, app: { ...tombstone.app, state } }, anApp('shop', [web])), 'app');
    expect(app).toMatchObject({ state: 'active', uid: 'uid-1', generation: 7 });
  });
});

describe('a change of everything at once', () => {
  const names = (prefix: string) => Array.from({ length: 30 }, (_, n) => `${prefix}${String(n).padStart(2, '0')}`);
  const given: Given = {
    app: {
      spec: anApp(
        'shop',
        names('old').map((name) => aService(name)),
      ),
    },
    guards: names('old').map((service) => aGuard({ service })),
    revisions: names('old').map((service) => aRevision({ service })),
  };
  const writes = apply(
    given,
    anApp(
      'shop',
      names('new').map((name) => aService(name)),
    ),
  );

  it('fits into one transaction', () => {
    expect(writes.length).toBeLessThanOrEqual(100);
    expect([rowsOf(writes, 'service').length, rowsOf(writes, 'revision').length]).toEqual([60, 30]);
    expect(new Set(writes.map(({ row }) => keyOf(row).row)).size).toBe(writes.length);
  });

  it('still names every service in its events', () => {
    const text = rowsOf(writes, 'event')
      .map(({ message }) => message)
      .join('\n');
    for (const name of [...names('old'), ...names('new')]) expect(text).toContain(name);
  });
});

describe('what an application says', () => {
  const messages = (writes: readonly Write[]) => rowsOf(writes, 'event').map(({ message }) => message);

  it('of a change: its generation, and what became of each service', () => {
    const writes = apply(settled, anApp('shop', [{ ...web, replicas: 5 }]));
    expect(messages(writes)).toEqual(['Applied as generation 2.', 'web is scaled from 3 to 5.']);
  });

  it('of none: from what nothing differs', () => {
    expect(messages(apply(settled, anApp('shop', [web])))).toEqual(['Nothing differs from generation 1.']);
  });
});

describe('a revision', () => {
  it('is made anew, with a generation of its own, though the document is the same', () => {
    const writes = apply({ ...settled, revisions: [] }, anApp('shop', [web]));
    expect(rowsOf(writes, 'app')).toMatchObject([{ generation: 2 }]);
    expect(rowsOf(writes, 'revision')).toMatchObject([{ revision: 2 }]);
  });

  it('is numbered after those of its own service alone', () => {
    const others = [aRevision({ service: 'db', revision: 7 }), ...(settled.revisions ?? [])];
    const changed = { ...web, template: { ...web.template, image: 'nginx:2' } };
    const writes = apply({ ...settled, revisions: others }, anApp('shop', [changed]));
    expect(rowsOf(writes, 'revision')).toMatchObject([{ service: 'web', revision: 2 }]);
  });

  it('that the guard points back at stays when only the count changes', () => {
    const newer = aRevision({ revision: 2, hash: 'another' });
    const writes = apply(
      { ...settled, revisions: [...(settled.revisions ?? []), newer] },
      anApp('shop', [{ ...web, replicas: 5 }]),
    );
    expect(guardOf(writes)).toMatchObject({ revision: 1, desired: 5, healthyRevision: 1, dependenciesMetRevision: 1 });
    expect(rowsOf(writes, 'revision')).toEqual([]);
  });
});

it('a removed service that comes back with no replicas is wanted again', () => {
  const none = { ...web, replicas: 0 };
  const guards = [aGuard({ removed: true, desired: 0 })];
  const writes = apply({ ...settled, guards }, anApp('shop', [none]));
  expect(guardOf(writes)).toMatchObject({ removed: false, desired: 0, generation: 2 });
});
