/** Names a plan by what it was made from, so that it can be applied only while the world is what it was. Nothing is stored. */
import { createHash } from 'node:crypto';
import type { AppSpec } from '../model/app-spec.ts';
import { replicaKey } from '../model/snapshot.ts';
import type { PoolRow } from '../model/state.ts';
import type { AppRows } from '../ports/state-store.ts';
import { canonicalJson } from '../spec/json.ts';

export const planIdPattern = /^p[0-9a-f]{16}$/;

/**
 * Of the spec that would be applied, the app's place in the order of commands, which replicas it has and where, and what the pools offer. What other
 * apps hold of the pools is left out: it changes all the time, and placement looks at it anyway.
 */
export function planIdOf(spec: AppSpec, rows: AppRows, pools: readonly PoolRow[]): string {
  const facts = {
    spec,
    uid: rows.app?.uid ?? null,
    nextSeq: nextSeqOf(rows),
    frozen: rows.app?.frozen ?? false,
    replicas: rows.replicas
      .filter(({ state }) => state !== 'gone')
      .map((row) => `${row.service}/${replicaKey(row)} ${row.revision} ${row.pool}`)
      .sort(),
    pools: pools
      .filter(({ retired }) => !retired)
      .map(({ pool, region, subscriptionId, quota, labels, price, cordoned, order }) =>
        canonicalJson({ pool, region, subscriptionId, quota, labels, price, cordoned, order }),
      )
      .sort(),
  };
  return `p${createHash('sha256').update(canonicalJson(facts)).digest('hex').slice(0, 16)}`;
}

/** What the next command of the app gets as its place in their order. */
export const nextSeqOf = ({ app }: AppRows): number => app?.nextSeq ?? 1;
