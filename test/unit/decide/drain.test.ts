import { describe, expect, it } from 'vitest';
import { drainedPools, drainTurn, hasToLeave } from '../../../src/decide/drain.ts';
import { reconcile } from '../../../src/decide/reconcile.ts';
import type { ReplicaRow, ReplicaState } from '../../../src/model/state.ts';
import { aGuard, aPool, at } from '../../support/rows.ts';
import { aSnapshot, inState } from '../../support/snapshots.ts';

/** `ready east`, in slots as they come. */
const rowsOf = (texts: readonly string[]): readonly ReplicaRow[] =>
  texts.map((text, slot) => {
    const [state = '', pool = 'east'] = text.split(' ');
    return inState(state as ReplicaState, { slot, incarnation: slot + 1, pool });
  });
const drained = new Set(['east']);

describe('whose turn it is in a drain', () => {
  it.each<{ name: string; rows: readonly string[]; desired?: number; surge: number; leaving?: readonly number[] }>([
    { name: 'nothing is in the pool', rows: ['ready west', 'ready west'], surge: 0 },
    { name: 'a successor first', rows: ['ready east', 'ready east'], surge: 1 },
    { name: 'not another one while that starts', rows: ['ready east', 'ready east', 'starting west'], surge: 1 },
    {
      name: 'it is ready: one may leave, and no more is created',
      rows: ['ready east', 'ready east', 'ready west'],
      surge: 0,
    },
    { name: 'not another one while that drains', rows: ['draining east', 'ready east', 'ready west'], surge: 0 },
    { name: 'the next one', rows: ['deleting east', 'ready east', 'ready west'], surge: 1 },
    { name: 'the last one', rows: ['ready east', 'ready west'], surge: 1 },
    { name: 'what is not ready goes at once', rows: ['starting east', 'ready west'], surge: 0, leaving: [0] },
    { name: 'and makes nothing else wait', rows: ['unready east', 'ready east'], surge: 1, leaving: [0] },
    {
      name: 'what leaves already is let be',
      rows: ['draining east', 'deleting east', 'ready west', 'ready west'],
      surge: 0,
    },
    { name: 'of a service that wants none', rows: ['ready east'], desired: 0, surge: 0 },
  ])('$name', ({ rows, desired = 2, surge, leaving = [] }) => {
    const turn = drainTurn(desired, rowsOf(rows), drained);
    expect({ surge: turn.surge, leaving: [...turn.leaving].map(({ slot }) => slot) }).toEqual({ surge, leaving });
  });

  it('a pool is drained by command, and left by the last replica that is not gone', () => {
    expect([...drainedPools([aPool({ pool: 'a', draining: true, cordoned: true }), aPool({ pool: 'b' })])]).toEqual([
      'a',
    ]);
    expect(hasToLeave(rowsOf(['deleting east']), drained)).toBe(true);
    expect(hasToLeave(rowsOf(['gone east', 'ready west']), drained)).toBe(false);
  });
});

describe('a plan while a pool is drained', () => {
  const east = aPool({ pool: 'east', order: 0, cordoned: true, draining: true });
  const west = aPool({ pool: 'west', order: 1 });
  const plan = (rows: readonly string[], over: Parameters<typeof aSnapshot>[0] = {}) =>
    reconcile(
      aSnapshot({
        guard: aGuard({
          desired: 2,
          dependenciesMetRevision: 1,
          observedGeneration: 1,
          nextIncarnation: 9,
          verifiedRevision: 1,
        }),
        replicas: rowsOf(rows),
        pools: [east, west],
        ...over,
      }),
      at + 60_000,
    );
  const told = (rows: readonly string[], over: Parameters<typeof aSnapshot>[0] = {}) => {
    const { replicas, done, guard } = plan(rows, over);
    const changes = replicas.map(({ insert, row }) => `${insert ? 'new ' : ''}${row.state} ${row.pool}`);
    return { changes, reasons: replicas.map(({ row }) => row.reason), done, reason: guard.reason };
  };

  it('creates one more elsewhere, and is not done', () => {
    expect(told(['ready east', 'ready east'])).toEqual({
      changes: ['new creating west'],
      reasons: [null],
      done: false,
      reason: 'PoolDraining',
    });
  });

  it('takes one away once that is ready, and says why', () => {
    const { changes, reasons } = told(['ready east', 'ready east', 'ready west']);
    expect({ changes, reasons }).toEqual({ changes: ['draining east'], reasons: ['PoolDraining'] });
  });

  it('keeps everything where no other pool has room, and says what is missing', () => {
    const full = { ...west, quota: { groups: 0, cores: 0 } };
    const { guard, replicas, done } = plan(['ready east', 'ready east'], { pools: [east, full] });
    expect({ replicas, done, reason: guard.reason }).toEqual({ replicas: [], done: false, reason: 'PoolDraining' });
    expect(guard.message).toMatch(/2 replicas have to leave east, one at a time\. .*west holds 0 of 0 groups/);
  });

  it('is done when nothing is left there', () => {
    expect(told(['ready west', 'ready west'])).toMatchObject({ changes: [], done: true, reason: null });
  });

  it('waits for a rollout, which leaves the pool by itself', () => {
    const guard = aGuard({ desired: 2, revision: 2, dependenciesMetRevision: 2, nextIncarnation: 9 });
    const { changes } = told(['ready east', 'ready east'], { guard });
    expect(changes).toEqual(['new creating west']);
  });

  it('goes on nowhere while the app is frozen', () => {
    expect(told(['ready east', 'ready east'], { frozen: true })).toMatchObject({ changes: [], reason: 'Frozen' });
  });
});
