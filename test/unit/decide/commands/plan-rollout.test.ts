/** Steering a rollout by command: what each of them changes, and when it is refused. */
import { describe, expect, it } from 'vitest';
import type { CommandView, Write } from '../../../../src/decide/commands/conclude.ts';
import { planApply } from '../../../../src/decide/commands/plan-apply.ts';
import { planSteering, type Steering, type SteeringBody } from '../../../../src/decide/commands/plan-rollout.ts';
import { keyOf } from '../../../../src/model/keys.ts';
import type { RolloutRow } from '../../../../src/model/rollout-record.ts';
import type { GuardRow, RevisionRow, Row, Stored } from '../../../../src/model/state.ts';
import { revisionHash } from '../../../../src/spec/revision.ts';
import {
  aGuard,
  anApp,
  anAppRow,
  anOperation,
  aRevision,
  aRollout,
  aService,
  aTemplate,
  at,
} from '../../../support/rows.ts';

const stored = <R extends Row>(row: R): Stored<R> => ({ ...row, etag: `etag of ${keyOf(row).row}` });
const now = at + 60_000;
const moment = { now, txId: 'tx-1' };
const operation = stored(anOperation({ id: 'op-9', seq: 2, command: 'pause' }));
const bad = aTemplate({ image: 'nginx:2' });

interface Given {
  readonly guard?: Partial<GuardRow>;
  /** null = none is under way. */
  readonly rollout?: Partial<RolloutRow> | null;
  readonly revisions?: readonly Partial<RevisionRow>[];
}

function viewOf({
  guard,
  rollout,
  revisions = [{ revision: 1, verifiedAt: at }, { revision: 2 }],
}: Given): CommandView {
  const isUnderWay = rollout !== null;
  return {
    app: stored(anAppRow({ generation: 4, nextSeq: 3 })),
    guards: [
      stored(aGuard({ service: 'api', rollouts: 1 })),
      stored(aGuard({ revision: 2, verifiedRevision: 1, rollouts: 3, rollout: isUnderWay ? 3 : null, ...guard })),
    ],
    revisions: revisions.map((over) => stored(aRevision({ hash: revisionHash(bad), template: bad, ...over }))),
    replicas: [],
    rollouts: isUnderWay ? [stored(aRollout({ number: 3, ...rollout }))] : [],
  };
}

const rowsOf = <K extends Row['kind']>(writes: readonly Write[], kind: K) =>
  writes.map(({ row }) => row).filter((row) => row.kind === kind) as Extract<Row, { kind: K }>[];

function steer(steering: Steering, given: Given = {}, body: Partial<SteeringBody> = {}) {
  const view = viewOf(given);
  const writes = planSteering(view, operation, steering, { services: ['web'], to: null, ...body }, moment);
  return {
    writes,
    app: rowsOf(writes, 'app')[0],
    operation: rowsOf(writes, 'op')[0],
    guard: rowsOf(writes, 'service')[0],
    rollout: rowsOf(writes, 'rollout')[0],
    revisions: rowsOf(writes, 'revision'),
    events: rowsOf(writes, 'event').map(({ type }) => type),
  };
}

describe('pause', () => {
  it('stops the rollout with a reason, wakes the app, and makes no generation', () => {
    const { app, guard, rollout, events, writes } = steer('pause');
    expect(rollout).toMatchObject({ phase: 'paused', reason: 'PausedByCommand', held: null });
    expect(rollout?.decisions.map(({ what }) => what)).toEqual(['pause']);
    expect(app).toMatchObject({ generation: 4, updatedAt: now });
    // The guard too: a pass that has not seen it cannot be committed.
    expect(guard).toMatchObject({ service: 'web', rollout: 3, lastTx: 'tx-1' });
    expect(events).toEqual(['OperationApplied', 'RolloutPaused']);
    expect(writes.filter(({ row }) => row.kind === 'rollout')).toMatchObject([
      { etag: expect.stringContaining('etag') },
    ]);
  });

  it('without a service means those that have a rollout', () => {
    expect(steer('pause', {}, { services: null }).guard).toMatchObject({ service: 'web' });
  });
});

describe('resume', () => {
  it('goes on, and forgives what failed before', () => {
    const { rollout } = steer('resume', {
      rollout: { phase: 'paused', reason: 'BreakerTripped', strikes: 3, failed: 2 },
    });
    expect(rollout).toMatchObject({ phase: 'progressing', reason: null, strikes: 0, failed: 0, held: null });
  });
});

describe('promote', () => {
  it.each(['Baking', 'AwaitingPromotion'] as const)('opens what waits for reason %s', (reason) => {
    expect(steer('promote', { rollout: { reason } }).rollout).toMatchObject({ promoted: true });
  });
});

describe('abort', () => {
  it('leads back to the verified revision, at a new generation', () => {
    const { app, guard, rollout, revisions, events } = steer('abort');
    expect(rollout).toMatchObject({ phase: 'aborted', reason: null, endedAt: now, successor: 4 });
    expect(guard).toMatchObject({
      revision: 1,
      generation: 5,
      rollout: null,
      dependenciesMetRevision: 1,
      change: { purpose: 'undo', cause: 'op-9', at: now },
    });
    expect(app?.generation).toBe(5);
    expect(revisions.map(({ revision, rolledBackAt }) => [revision, rolledBackAt])).toEqual([
      [2, now],
      [1, null],
    ]);
    expect(events).toEqual(['OperationApplied', 'RolloutAborted']);
  });
});

describe('undo', () => {
  it('after a rollout goes to the revision that was verified before this one', () => {
    const revisions = [
      { revision: 1, verifiedAt: at - 9_000 },
      { revision: 2, verifiedAt: at - 5_000 },
      { revision: 3, verifiedAt: at - 1_000 },
    ];
    const { guard } = steer('undo', { guard: { revision: 3, verifiedRevision: 3 }, rollout: null, revisions });
    expect(guard).toMatchObject({ revision: 2, change: { purpose: 'undo' } });
  });

  it('during a rollout is the same as an abort', () => {
    expect(steer('undo').guard).toMatchObject({ revision: 1, change: { purpose: 'undo' } });
  });

  it('goes to the revision that is named, and tries one that was never verified as if it were new', () => {
    const given = { guard: { revision: 1, verifiedRevision: 1 }, rollout: null };
    expect(steer('undo', given, { to: 2 }).guard).toMatchObject({ revision: 2, change: { purpose: 'deploy' } });
  });
});

describe('a command that cannot have an effect is rejected, and says what to do', () => {
  it.each<[string, Steering, Given, Partial<SteeringBody>, string, string]>([
    ['nothing is under way', 'pause', { rollout: null }, {}, 'NoRollout', 'no rollout of web is under way.'],
    ['none of the services has one', 'resume', { rollout: null }, { services: null }, 'NoRollout', 'no rollout of'],
    ['one of those named has none', 'pause', {}, { services: ['web', 'api'] }, 'NoRollout', 'no rollout of api'],
    ['it is paused already', 'pause', { rollout: { phase: 'paused' } }, {}, 'NoRollout', 'is paused already.'],
    ['it is not paused', 'resume', {}, {}, 'NoRollout', 'is not paused.'],
    ['it waits for nobody', 'promote', {}, {}, 'NoRollout', 'neither bakes nor waits at a gate'],
    ['it is paused and promoted', 'promote', { rollout: { phase: 'paused' } }, {}, 'NoRollout', 'is paused.'],
    ['it is a way back', 'abort', { rollout: { purpose: 'rollback' } }, {}, 'NoRollout', 'is itself a way back.'],
    [
      'nothing was verified',
      'abort',
      { guard: { verifiedRevision: null } },
      {},
      'NoVerifiedRevision',
      'nothing to go back',
    ],
    [
      'nothing else was verified',
      'undo',
      { guard: { revision: 1, verifiedRevision: 1 }, rollout: null, revisions: [{ revision: 1, verifiedAt: at }] },
      {},
      'NoVerifiedRevision',
      'nothing to go back',
    ],
    ['there is no such revision', 'undo', {}, { to: 7 }, 'NoSuchRevision', 'web has no revision 7.'],
    ['it is there already', 'undo', { rollout: null }, { to: 2 }, 'NoRollout', 'is at revision 2 already.'],
  ])('because %s', (_, steering, given, body, reason, problem) => {
    const { operation: op, guard, rollout, app } = steer(steering, given, body);
    expect(op).toMatchObject({ state: 'rejected', reason });
    expect(op?.problems.some((one) => one.problem.includes(problem))).toBe(true);
    expect([guard, rollout, app?.generation]).toEqual([undefined, undefined, 4]);
  });
});

describe('a document that asks for a revision that was rolled back', () => {
  const web = aService('web', { template: bad });
  const given = (rolledBackAt: number | null) =>
    viewOf({
      guard: { revision: 1, verifiedRevision: 1 },
      rollout: null,
      revisions: [
        { revision: 1, hash: 'other', verifiedAt: at },
        { revision: 2, rolledBackAt },
      ],
    });
  const applied = (rolledBackAt: number | null) =>
    planApply(given(rolledBackAt), operation, { app: anApp('shop', [aService('api'), web]), warnings: [] }, moment);

  it('leaves the service as it is, with a warning that says how to try it once more', () => {
    const writes = applied(at);
    expect(rowsOf(writes, 'revision').filter(({ service }) => service === 'web')).toEqual([]);
    const [problem] = rowsOf(writes, 'op')[0]?.problems ?? [];
    expect(problem?.problem).toMatch(/^RevisionRolledBack: .*revision 2 of web.*stays at revision 1\.$/);
    expect(problem?.remedy).toContain('flotilla rollout undo shop.web --to 2');
  });

  it('is a new revision where the same was superseded and never failed', () => {
    expect(rowsOf(applied(null), 'revision')).toMatchObject([{ service: 'api' }, { service: 'web', revision: 3 }]);
  });
});
