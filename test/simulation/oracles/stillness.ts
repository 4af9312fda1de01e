/** Once everything has converged and nobody asks for anything, nothing is written: not to ARM, not to an app's rows, not to the queue. */
import type { Oracle, SimEvent, View } from '../types.ts';
import { healthOf } from './rows.ts';

/**
 * After the last app had converged for the first time since the world last moved: what was on its way settles, and what only a read shows (a restart in
 * place) is known within 5 min. Our own writes are no reason for more of them.
 */
const settleMs = 330_000;

export const stillness: Oracle = {
  name: 'stillness',
  invariant: 'L1',
  create() {
    let since: number | null = null;
    return {
      onEvent(view, event) {
        if (event.at < view.calmFrom) return;
        if (event.type === 'tick' && since === null && isStill(view)) since = event.at;
        if (event.type === 'command' || (event.type === 'group' && event.change !== 'gone')) since = null;
        if (since === null || event.at - since < settleMs) return;
        const written = writtenBy(event);
        if (written) view.fail(`${written} although everything had converged`);
      },
    };
  },
};

function writtenBy(event: SimEvent): string | null {
  if (event.type === 'row' && !event.partition.startsWith('~'))
    return `${event.cause?.fn} wrote ${event.partition} ${event.row}`;
  if (event.type !== 'effect' || event.moment !== 'sent' || !event.writes) return null;
  return event.target === 'arm' || event.target === 'bus' ? `${event.cause?.fn} sent ${event.key}` : null;
}

/** A pool that recovers is told to be healthy 10 min later, which is news to the apps that are in it. */
function isStill(view: View): boolean {
  const heads = view.rowsOf('app');
  const settled = heads.every((row) => row['state'] === 'deleted' || row['observedGeneration'] === row['generation']);
  const busy = view.rowsOf('service').some((row) => row['workflow'] !== undefined);
  const unwell = view.rows('~pools').some((pool) => (healthOf(view, pool) ?? 'healthy') !== 'healthy');
  return settled && !busy && !unwell;
}
