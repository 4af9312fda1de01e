/** New replicas: where they are placed, by which rules, and what they inherit from the last incarnation of their slot. */
import { describe, expect, it } from 'vitest';
import { reconcile } from '../../../src/decide/reconcile.ts';
import { type PlacementSpec, unplaced } from '../../../src/model/placement.ts';
import type { GuardRow, PoolRow, ReplicaRow } from '../../../src/model/state.ts';
import { aGuard, anApp, aPool, aService, at } from '../../support/rows.ts';
import { aSnapshot, inState } from '../../support/snapshots.ts';

const west: Partial<PoolRow> = { pool: 'west', order: 1, region: 'westus2' };
const held = (owner: string) => ({ owner, cores: 1, at });

interface World {
  readonly placement?: Partial<PlacementSpec>;
  readonly replicas?: readonly ReplicaRow[];
  readonly guard?: Partial<GuardRow>;
  /** Owners of what stands in the eastern pool, which is the first. */
  readonly inEast?: readonly string[];
  /** The app's user has no preference among the pools. */
  readonly unordered?: boolean;
}

/** What is planned of a service beside which another one of no rules stands in the document. */
function grown({ placement, replicas = [], guard = {}, inEast = [], unordered = false }: World) {
  const web = aService('web', placement === undefined ? {} : { placement: { ...unplaced, ...placement } });
  const snapshot = aSnapshot({
    app: anApp('shop', [web, aService('api')]),
    guard: aGuard({ workflow: 'deployment:shop.web:1', epoch: 1, nextIncarnation: 9, ...guard }),
    pools: [aPool({ reservations: inEast.map(held) }), aPool({ ...west, ...(unordered && { order: 0 }) })],
    replicas,
  });
  return reconcile(snapshot, at).replicas.filter(({ insert }) => insert);
}

const poolsOf = (world: World): readonly string[] => grown(world).map(({ row }) => row.pool);
const away = (service: string) => ({ service, topology: 'region', anti: true, required: true, weight: 100 });

describe('a new replica is placed', () => {
  it.each<{ name: string; world: World; expected: readonly string[] }>([
    { name: 'in the first pool where its service has no rules', world: {}, expected: ['east'] },
    {
      name: 'by the constraints of its own service',
      world: {
        placement: {
          constraints: [
            { attribute: 'pool.region', operator: '==', values: ['westus2'], text: 'pool.region == westus2' },
          ],
        },
      },
      expected: ['west'],
    },
    {
      name: 'away from a service of its app that it shall not be near',
      world: { placement: { affinity: [away('api')] }, inEast: ['shop/api/0/1'] },
      expected: ['west'],
    },
    {
      name: 'wherever a service of that name of another app is (near miss)',
      world: { placement: { affinity: [away('api')] }, inEast: ['blog/api/0/1'] },
      expected: ['east'],
    },
    {
      name: 'evenly over the regions, counting only those that stay',
      world: {
        placement: { spread: [{ topology: 'region', maxSkew: 1 }] },
        guard: { desired: 2 },
        replicas: [
          inState('ready', { pool: 'east' }),
          inState('draining', { pool: 'west', slot: 1, incarnation: 2, reason: 'Surplus' }),
          inState('draining', { pool: 'west', slot: 2, incarnation: 3, reason: 'Surplus' }),
        ],
      },
      expected: ['west'],
    },
    {
      name: 'where the last one of its slot was, if we ended that one',
      world: { unordered: true, replicas: [inState('gone', { pool: 'west', reason: 'Restarting', failures: 3 })] },
      expected: ['west'],
    },
    {
      name: 'anew, if the last one of its slot ended by itself (near miss)',
      world: { unordered: true, replicas: [inState('gone', { pool: 'west', reason: 'GroupMissing', failures: 0 })] },
      expected: ['east'],
    },
  ])('$name', ({ world, expected }) => {
    expect(poolsOf(world)).toEqual(expected);
  });

  it('without the failures of an incarnation that we ended', () => {
    const [planned] = grown({ replicas: [inState('gone', { reason: 'Restarting', failures: 3 })] });
    expect(planned?.row.failures).toBe(0);
  });

  it('also while nothing is known of the app but its guard', () => {
    const plan = reconcile(aSnapshot({ app: null }), at);
    expect(plan.replicas.map(({ row }) => row.pool)).toEqual(['east']);
  });

  it('and told with its pool, and with why another one was passed over', () => {
    const told = (world: World) => grown(world)[0]?.events[0]?.message;
    const refused = inState('gone', { reason: 'NoCapacity', failures: 1, stateAt: at - 60 * 60_000, pool: 'east' });
    expect(told({ replicas: [refused] })).toMatch(/^Placed in pool west as container group f-[0-9a-f]+-web: .+\.$/);
    expect(told({})).toMatch(/^Placed in pool east as container group f-[0-9a-f]+-web\.$/);
  });
});
