import { describe, expect, it } from 'vitest';
import { planIdOf, planIdPattern } from '../../../src/commands/plan-id.ts';
import type { PoolRow, Row, Stored } from '../../../src/model/state.ts';
import type { AppRows } from '../../../src/ports/state-store.ts';
import { anApp, anAppRow, aPool, aReplica, aService } from '../../support/rows.ts';

const stored = <R extends Row>(row: R): Stored<R> => ({ ...row, etag: 'e' });
const spec = anApp('shop', [aService('web')]);
const rows: AppRows = {
  app: stored(anAppRow()),
  guards: [],
  revisions: [],
  replicas: [stored(aReplica()), stored(aReplica({ slot: 1, incarnation: 2 }))],
  operations: [],
  rollouts: [],
};
const pools = [aPool({ pool: 'eastus' }), aPool({ pool: 'westus2', order: 1 })];
const known = planIdOf(spec, rows, pools);
const withPool = (over: Partial<PoolRow>) => planIdOf(spec, rows, [{ ...pools[0]!, ...over }, pools[1]!]);
const withApp = (over: Parameters<typeof anAppRow>[0]) =>
  planIdOf(spec, { ...rows, app: stored(anAppRow(over)) }, pools);
const withReplicas = (...replicas: readonly Parameters<typeof aReplica>[0][]) =>
  planIdOf(spec, { ...rows, replicas: replicas.map((over) => stored(aReplica(over))) }, pools);

describe('the id of a plan', () => {
  it.each<[string, string]>([
    ['the document', planIdOf(anApp('shop', [aService('web', { replicas: 2 })]), rows, pools)],
    ['a command was accepted', withApp({ nextSeq: 3 })],
    ['the app is another of that name', withApp({ uid: 'uid-2' })],
    ['the app is frozen', withApp({ frozen: true })],
    ['a replica is gone', withReplicas({}, { slot: 1, incarnation: 2, state: 'gone' })],
    ['a replica was replaced', withReplicas({}, { slot: 1, incarnation: 3 })],
    ['a pool is cordoned', withPool({ cordoned: true })],
    ['a pool has another quota', withPool({ quota: { groups: 3, cores: 3 } })],
    ['a pool is no longer configured', withPool({ retired: true })],
  ])('is another one when %s changes', (_, id) => {
    expect(id).toMatch(planIdPattern);
    expect(id).not.toBe(known);
  });

  it.each<[string, string]>([
    ['in which order rows come', planIdOf(spec, { ...rows, replicas: rows.replicas.toReversed() }, pools.toReversed())],
    ['what a replica is at', withReplicas({ state: 'unready' }, { slot: 1, incarnation: 2 })],
    ['what other apps hold', withPool({ reservations: [{ owner: 'blog/web/0/1', cores: 1, at: 0 }] })],
  ])('does not depend on %s', (_, id) => {
    expect(id).toBe(known);
  });
});
