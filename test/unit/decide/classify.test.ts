import { describe, expect, it } from 'vitest';
import { type Case, classify, rules } from '../../../src/decide/classify.ts';
import { judge, type Verdict } from '../../../src/decide/verdict.ts';
import { defaults } from '../../../src/model/defaults.ts';
import type { GuardRow, ReplicaRow } from '../../../src/model/state.ts';
import { aGuard, aTemplate, at } from '../../support/rows.ts';
import { identity, inState } from '../../support/snapshots.ts';

const still = (replica: ReplicaRow, over: Partial<Verdict> = {}): Verdict => ({
  ...judge(replica, aTemplate(), undefined, { identity, settings: defaults, now: at, peersReady: false }),
  ...over,
});
const one = (replica: ReplicaRow, over: Partial<Case> = {}, verdict: Partial<Verdict> = {}): Case => ({
  replica,
  verdict: still(replica, verdict),
  guard: aGuard(),
  keeper: true,
  leaving: false,
  restarting: false,
  drained: false,
  frozen: false,
  now: at,
  ...over,
});
const removed: GuardRow = aGuard({ removed: true });
const unstarted = (over: Partial<ReplicaRow> = {}) =>
  inState('creating', { attempt: { id: 'a', startedAt: null, expiresAt: at + 1_000 }, ...over });

type Row = [string, Case, string, string | null];

const cases: readonly Row[] = [
  ['gone', one(inState('gone'), { guard: removed }), 'none', null],
  ['deleting, absent', one(inState('deleting'), {}, { absent: true }), 'confirmGone', null],
  ['deleting, standing for 10 s', one(inState('deleting'), { now: at + 10_000 }, { standing: true }), 'redelete', null],
  ['deleting, standing for less', one(inState('deleting'), { now: at + 9_999 }, { standing: true }), 'none', null],
  [
    'deleting, asked again less than 10 s ago',
    one(inState('deleting', { observedAt: at + 10_000 }), { now: at + 19_999 }, { standing: true }),
    'none',
    null,
  ],
  [
    'deleting, standing, but ARM asked to wait',
    one(inState('deleting', { redeleteAt: at + 60_000 }), { now: at + 59_999 }, { standing: true }),
    'none',
    null,
  ],
  [
    'deleting, standing, the wait that ARM asked for is over',
    one(inState('deleting', { redeleteAt: at + 60_000 }), { now: at + 60_000 }, { standing: true }),
    'redelete',
    null,
  ],
  ['deleting, nothing known', one(inState('deleting')), 'none', null],
  ['draining, its removal just committed', one(inState('draining', { drainUntil: null })), 'beginDrain', null],
  ['draining, not over', one(inState('draining'), { now: at + 9_999 }), 'none', null],
  ['draining, over', one(inState('draining'), { now: at + 10_000 }), 'delete', null],
  ['failed', one(inState('failed', { reason: 'ImagePullFailed' })), 'delete', null],
  ['failed by its restart policy', one(inState('failed', { reason: 'ContainerExited' })), 'none', null],
  [
    'failed by its restart policy, and not wanted',
    one(inState('failed', { reason: 'ContainerExited' }), { keeper: false }),
    'delete',
    null,
  ],
  ['planned, wanted', one(inState('planned')), 'create', null],
  ['planned, not wanted', one(inState('planned'), { keeper: false }), 'release', 'Surplus'],
  ['creating, not wanted', one(inState('creating'), { keeper: false }), 'delete', 'Surplus'],
  ['starting, service removed', one(inState('starting'), { guard: removed }), 'delete', 'ServiceRemoved'],
  ['ready, service removed', one(inState('ready'), { guard: removed }), 'drain', 'ServiceRemoved'],
  ['ready, surplus', one(inState('ready'), { keeper: false }), 'drain', 'Surplus'],
  [
    'ready, surplus in a pool that is drained',
    one(inState('ready'), { keeper: false, drained: true }),
    'drain',
    'PoolDraining',
  ],
  ['ready, wanted in a pool that is drained: not its turn', one(inState('ready'), { drained: true }), 'none', null],
  [
    'starting, not wanted in a pool that is drained',
    one(inState('starting'), { keeper: false, drained: true }),
    'delete',
    'PoolDraining',
  ],
  [
    'ready, removed from a pool that is drained (conflict): the removal says why',
    one(inState('ready'), { keeper: false, drained: true, guard: removed }),
    'drain',
    'ServiceRemoved',
  ],
  ['ready, its turn in the rollout', one(inState('ready', { revision: 0 }), { leaving: true }), 'drain', 'OldRevision'],
  ['ready, not its turn yet', one(inState('ready', { revision: 0 })), 'none', null],
  ['starting, its turn in the rollout', one(inState('starting'), { leaving: true }), 'delete', 'OldRevision'],
  ['ready, its turn in a restart', one(inState('ready'), { restarting: true }), 'drain', 'Restarting'],
  ['starting, its turn in a restart', one(inState('starting'), { restarting: true }), 'delete', 'Restarting'],
  [
    'failed by its restart policy, its turn in a restart',
    one(inState('failed', { reason: 'ContainerExited' }), { restarting: true }),
    'delete',
    null,
  ],
  [
    'ready, old and its turn in a restart (conflict): old says why',
    one(inState('ready', { revision: 0 }), { leaving: true, restarting: true }),
    'drain',
    'OldRevision',
  ],
  ['frozen, not wanted', one(inState('ready'), { frozen: true, keeper: false }), 'none', null],
  ['frozen, failed', one(inState('failed', { reason: 'ImagePullFailed' }), { frozen: true }), 'none', null],
  ['frozen, its drain over', one(inState('draining'), { frozen: true, now: at + 10_000 }), 'none', null],
  ['frozen, waiting for its create', one(inState('planned'), { frozen: true }), 'none', null],
  [
    'frozen, deleting, standing for 10 s',
    one(inState('deleting'), { frozen: true, now: at + 10_000 }, { standing: true }),
    'none',
    null,
  ],
  [
    'frozen, not wanted, and seen to be unready: what is seen is written',
    one(inState('ready'), { frozen: true, keeper: false }, { row: inState('unready') }),
    'observe',
    null,
  ],
  [
    'frozen, deleting, absent: also that is seen',
    one(inState('deleting'), { frozen: true }, { absent: true }),
    'confirmGone',
    null,
  ],
  ['ready, wanted', one(inState('ready')), 'none', null],
  [
    'unready, not wanted, out for less than a drain',
    one(inState('unready'), { keeper: false, now: at + 9_999 }),
    'drain',
    'Surplus',
  ],
  [
    'unready, not wanted, out for a drain',
    one(inState('unready'), { keeper: false, now: at + 10_000 }),
    'delete',
    'Surplus',
  ],
  [
    'unready, never ready, not wanted',
    one(inState('unready', { readyAt: null }), { keeper: false }),
    'delete',
    'Surplus',
  ],
  ['lost, not wanted', one(inState('lost'), { keeper: false }), 'drain', 'Surplus'],
  ['claimed but not started', one(unstarted()), 'create', null],
  ['claimed but not started, expired', one(unstarted(), { now: at + 1_000 }), 'retry', null],
  ['refused for now', one(unstarted({ reason: 'PoolUnavailable' })), 'none', null],
  ['refused, wait over', one(unstarted({ reason: 'PoolUnavailable' }), { now: at + 1_000 }), 'retry', null],
  ['started, nothing known', one(inState('creating')), 'none', null],
  [
    'started, no answer to the create: not asked again while its claim lives',
    one(inState('creating', { reason: 'CreateUnconfirmed' }), { now: at + 359_999 }),
    'none',
    null,
  ],
  [
    'unready although its container exited before (near miss): what is seen now counts',
    one(inState('unready', { reason: 'ContainerExited' }), {}, { row: inState('ready') }),
    'observe',
    null,
  ],
  ['started, its claim expired, nothing known', one(inState('creating'), { now: at + 360_000 }), 'none', null],
  [
    'started, no answer to the create, but read back since',
    one(inState('creating', { reason: 'CreateUnconfirmed' }), {}, { row: inState('starting') }),
    'observe',
    null,
  ],
  [
    'draining, over, and surplus by now: it keeps why it drained',
    one(inState('draining', { reason: 'OldRevision' }), { keeper: false, now: at + 10_000 }),
    'delete',
    null,
  ],
  ['started, twice 404 after expiry', one(inState('creating'), {}, { retry: true }), 'retry', null],
  ['changed', one(inState('starting'), {}, { row: inState('ready') }), 'observe', null],
  [
    'changed for the better, but not wanted (conflict): it goes',
    one(inState('starting'), { keeper: false }, { row: inState('ready') }),
    'delete',
    'Surplus',
  ],
  [
    'removed and surplus and old (conflict): removed says why',
    one(inState('ready', { revision: 0 }), { guard: removed, keeper: false }),
    'drain',
    'ServiceRemoved',
  ],
];

describe('what is done about a replica', () => {
  it.each(cases)('%s', (_, given, action, reason) => {
    expect(classify(given)).toMatchObject({ action, reason });
  });

  it.each<[string, Case]>([
    ['it is gone', one(inState('gone'))],
    ['it drains', one(inState('draining'), { now: at + 9_999 })],
  ])('says why nothing is done: %s', (because, given) => {
    expect(classify(given)).toMatchObject({ action: 'none', because });
  });

  it('the last rule takes everything, so that no replica falls through', () => {
    expect(rules.at(-1)?.when(one(inState('ready')))).toBe(true);
  });

  it('every rule is reached by one of these cases', () => {
    const reached = new Set(cases.map(([, given]) => classify(given).because));
    expect([...reached].toSorted()).toEqual(rules.map(({ because }) => because).toSorted());
  });
});
