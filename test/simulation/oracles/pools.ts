/** S11: a new replica is placed in a pool that its app allows, and in no other. */
import type { Oracle, RowEvent, View } from '../types.ts';
import { isReplica, nameOf } from './rows.ts';

/** A pass may have read the app shortly before it was changed. */
const readMs = 180_000;

interface Allowed {
  readonly at: number;
  /** Empty = every pool. */
  readonly pools: readonly string[];
}

export const pools: Oracle = {
  name: 'pools',
  invariant: 'S11',
  create() {
    /** What each app has allowed, oldest first. */
    const allowed = new Map<string, Allowed[]>();
    return {
      onEvent(view, event) {
        if (event.type !== 'row') return;
        if (event.after?.['kind'] === 'app') note(view, event, allowed);
        // A run has its row before it has a place.
        const isPlaced = (event.before?.['pool'] ?? '') === '' && (event.after?.['pool'] ?? '') !== '';
        if (!event.foreign && isPlaced && isReplica(event.after)) judge(view, event, allowed);
      },
    };
  },
};

function note(view: View, { at, partition, after }: RowEvent, allowed: Map<string, Allowed[]>): void {
  const spec = after ? (view.json(after, 'spec') as { readonly pools: readonly string[] } | null) : null;
  const known = allowed.get(partition) ?? [];
  allowed.set(partition, known);
  if (spec) known.push({ at, pools: spec.pools });
}

function judge(view: View, { at, partition, after }: RowEvent, allowed: ReadonlyMap<string, readonly Allowed[]>): void {
  if (after === null) return;
  const known = allowed.get(partition) ?? [];
  const recent = known.filter((_, index) => (known[index + 1]?.at ?? at) >= at - readMs);
  const pool = String(after['pool']);
  if (recent.some(({ pools }) => pools.length === 0 || pools.includes(pool))) return;
  const names = recent.map(({ pools }) => pools.join(', ')).join('; before that ');
  view.fail(`${nameOf(after)} is placed in ${pool}; its app allows ${names || 'nothing'}`);
}
