import { describe, expect, it } from 'vitest';
import { reconcile } from '../../../../src/decide/reconcile.ts';
import type { PoolRow, ReplicaRow } from '../../../../src/model/state.ts';
import { aGuard, aPool, at } from '../../../support/rows.ts';
import { aSnapshot, inState } from '../../../support/snapshots.ts';

const now = at + 60_000;
const made = (count: number): readonly number[] => Array.from({ length: count }, () => now - 60_000);
const pool = (creates: number, over: Partial<PoolRow> = {}): PoolRow =>
  aPool({ quota: { groups: 400, cores: 400 }, creates: made(creates), ...over });
const plan = (pools: readonly PoolRow[], desired: number, replicas: readonly ReplicaRow[] = []) =>
  reconcile(
    aSnapshot({
      guard: aGuard({ desired, dependenciesMetRevision: 1, nextIncarnation: 200 }),
      replicas,
      pools,
    }),
    now,
  );
const created = ({ replicas }: ReturnType<typeof plan>): number => replicas.filter(({ insert }) => insert).length;
const failed = inState('gone', { reason: 'GroupMissing', incarnation: 1, slot: 0 });

describe('creates in the window of a region', () => {
  it.each<[string, number, number]>([
    ['all that are missing, while there are enough', created(plan([pool(70)], 3)), 3],
    ['as many as there are, but for what is kept', created(plan([pool(78)], 3)), 2],
    ['none when only what is kept is left', created(plan([pool(80)], 3)), 0],
    ['a repair from what is kept', created(plan([pool(80)], 1, [failed])), 1],
    ['not even a repair when nothing is left', created(plan([pool(100)], 1, [failed])), 0],
    [
      'what another pool of the region has used counts',
      created(plan([pool(40), pool(40, { pool: 'twin', order: 1 })], 3)),
      0,
    ],
    [
      'another region has its own',
      created(plan([pool(0), pool(90, { pool: 'west', region: 'westus2', order: 1 })], 3)),
      3,
    ],
    [
      'a successor of what leaves a drained pool, from what is kept',
      created(
        plan([pool(80, { cordoned: true, draining: true }), pool(0, { pool: 'twin', order: 1 })], 1, [
          inState('ready', { incarnation: 1 }),
        ]),
      ),
      1,
    ],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });

  it('what waits says when, and looks again then', () => {
    const { guard, wakeAt } = plan([pool(80)], 3);
    expect(guard.reason).toBe('CreateBudget');
    expect(guard.message).toMatch(/east takes no more creates for now.*The next one is at 2026-01-02T03:0/);
    expect(wakeAt).toBeLessThanOrEqual(now + 30_000);
  });

  it('a plan that is made again keeps what it has taken', () => {
    const reservations = [{ owner: 'shop/web/0/200', cores: 1, at: now }];
    expect(created(plan([pool(80, { reservations })], 1))).toBe(1);
  });
});
