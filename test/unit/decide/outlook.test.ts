import { describe, expect, it } from 'vitest';
import { type Outlook, outlookOf } from '../../../src/decide/outlook.ts';
import { unplaced } from '../../../src/model/placement.ts';
import type { RolloutSpec } from '../../../src/model/rollout.ts';
import type { GuardRow, ReplicaRow, ReplicaState } from '../../../src/model/state.ts';
import { aGuard, anApp, aPool, aService } from '../../support/rows.ts';
import { inState } from '../../support/snapshots.ts';

/** `ready`, `starting/2` with its revision, `ready/1/0` with its cycle; slots are numbered as they come. */
const rowsOf = (texts: readonly string[]): readonly ReplicaRow[] =>
  texts.map((text, slot) => {
    const [state = 'ready', revision = '1', cycle = '0'] = text.split('/');
    const over = { slot, incarnation: slot + 1, revision: Number(revision), cycle: Number(cycle) };
    return inState(state as ReplicaState, over);
  });

const look = (
  guard: Partial<GuardRow>,
  rows: readonly string[],
  over: { frozen?: boolean; guards?: GuardRow[]; rollout?: RolloutSpec | undefined } = {},
) => {
  const own = aGuard({ dependenciesMetRevision: guard.revision ?? 1, ...guard });
  const dependsOn = [{ service: 'store', condition: 'healthy' }] as const;
  const app = anApp('shop', [aService('web', { dependsOn, ...(over.rollout && { rollout: over.rollout }) })]);
  const guards = [own, ...(over.guards ?? [])];
  return outlookOf({ guard: own, app, frozen: over.frozen ?? false, replicas: rowsOf(rows), guards, pools: [aPool()] });
};

describe('what becomes of the replicas of a service', () => {
  it.each<{ name: string; guard: Partial<GuardRow>; rows: readonly string[]; expected: Partial<Outlook> }>([
    {
      name: 'nothing',
      guard: { desired: 2 },
      rows: ['ready', 'ready'],
      expected: { keep: 2, replace: 0, remove: 0, create: 0, notes: [] },
    },
    { name: 'a scale out', guard: { desired: 5 }, rows: ['ready', 'starting'], expected: { keep: 2, create: 3 } },
    {
      name: 'a scale in',
      guard: { desired: 1 },
      rows: ['ready', 'ready', 'ready'],
      expected: { keep: 1, remove: 2, reasons: [{ reason: 'Surplus', count: 2 }], notes: [] },
    },
    {
      name: 'a new revision',
      guard: { desired: 2, revision: 2 },
      rows: ['ready', 'ready'],
      expected: { keep: 0, replace: 2, create: 0, reasons: [{ reason: 'OldRevision', count: 2 }] },
    },
    {
      name: 'a new revision of fewer',
      guard: { desired: 1, revision: 2 },
      rows: ['ready', 'ready'],
      expected: { replace: 1, remove: 1 },
    },
    {
      name: 'a new revision of more',
      guard: { desired: 3, revision: 2 },
      rows: ['ready'],
      expected: { replace: 1, create: 2 },
    },
    {
      name: 'a restart',
      guard: { desired: 2, cycle: 1 },
      rows: ['ready', 'ready/1/1'],
      expected: { keep: 1, replace: 1, reasons: [{ reason: 'Restarting', count: 1 }] },
    },
    {
      name: 'a teardown',
      guard: { desired: 0, removed: true },
      rows: ['ready', 'ready'],
      expected: { keep: 0, replace: 0, remove: 2, create: 0 },
    },
    {
      name: 'what is on its way out already',
      guard: { desired: 1 },
      rows: ['ready', 'draining', 'deleting'],
      expected: { keep: 1, remove: 0 },
    },
  ])('after $name', ({ guard, rows, expected }) => {
    expect(look(guard, rows)).toMatchObject(expected);
  });

  const recreate: RolloutSpec = { strategy: 'recreate', maxSurge: 0, maxUnavailable: '100%' };
  const inPlace: RolloutSpec = { strategy: 'rolling', maxSurge: 0, maxUnavailable: 1 };
  it.each<[number, RolloutSpec | undefined, string]>([
    [
      1,
      recreate,
      'the only replica of the old revision must be gone before the first new one is created: nothing serves meanwhile.',
    ],
    [
      3,
      recreate,
      'all 3 replicas of the old revision must be gone before the first new one is created: nothing serves meanwhile.',
    ],
    [3, undefined, 'rolled, at most 4 at once and at least 3 ready all the time.'],
    [
      3,
      inPlace,
      'rolled in place, at least 2 ready all the time: an old replica is gone before its successor is created.',
    ],
    [
      1,
      inPlace,
      'rolled in place, none may be ready meanwhile: an old replica is gone before its successor is created.',
    ],
  ])('says how %d of an old revision are replaced', (count, rollout, note) => {
    const rows = Array.from({ length: count }, () => 'ready');
    expect(look({ desired: count, revision: 2 }, rows, { rollout }).notes).toEqual([note]);
  });

  it.each([
    ['one of each region stays where the service is spread over them', ['region'], 1],
    ['by the first rule of several', ['region', 'pool'], 1],
    ['the older stay where it is not spread', [], 0],
  ] as const)('%s', (_, topologies, restarted) => {
    const spread = topologies.map((topology) => ({ topology, maxSkew: 1 }));
    const service = aService('web', { placement: { ...unplaced, spread } });
    const pools = [aPool(), aPool({ pool: 'westus2', region: 'westus2' })];
    const replicas = rowsOf(['ready/1/1', 'ready/1/1', 'ready/1/0']).map((row, slot) =>
      slot === 2 ? { ...row, pool: 'westus2' } : row,
    );
    const guard = aGuard({ desired: 2, cycle: 1 });
    const outlook = outlookOf({
      guard,
      app: anApp('shop', [service]),
      frozen: false,
      replicas,
      guards: [guard],
      pools,
    });
    // The one in the other region was not restarted yet.
    expect(outlook).toMatchObject({ remove: 1, replace: restarted });
  });

  it('waits for nothing where nothing is wanted', () => {
    const nothing = { desired: 0, dependenciesMetRevision: null };
    expect(look(nothing, [], { guards: [aGuard({ service: 'store' })] }).notes).toEqual([]);
  });

  it('says what is waited for: a dependency, or a thaw', () => {
    const store = aGuard({ service: 'store' });
    const waiting = { desired: 1, dependenciesMetRevision: null };
    expect(look(waiting, [], { guards: [store] }).notes).toEqual(['Waiting for store to be healthy.']);
    expect(look(waiting, [], { guards: [{ ...store, stopped: true }] }).notes).toEqual([
      'Waiting for store to be healthy (it is stopped).',
    ]);
    expect(look({ desired: 1 }, [], { frozen: true }).notes).toEqual([
      'The app is frozen: nothing happens until `flotilla thaw shop`.',
    ]);
  });
});
