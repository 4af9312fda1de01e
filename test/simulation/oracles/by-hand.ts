/**
 * L1 for what a person does to a group behind our back: one that somebody stopped never runs again by itself, so its replica is given up, and soon. Where
 * nothing else goes wrong that takes one read of a steady replica; otherwise also the time in which a broken workflow is noticed.
 */
import type { Oracle, View } from '../types.ts';

/** A steady replica that nobody can probe is read within 5 min. */
const readMs = 330_000;
/** A workflow that does not move is broken after 10 min, an app that nobody wakes is found by the scan that comes every 15. */
const noticeMs = 930_000;

const believedToRun: ReadonlySet<unknown> = new Set(['starting', 'ready', 'unready']);

export const byHand: Oracle = {
  name: 'by-hand',
  invariant: 'L1',
  create() {
    /** When a group was first seen stopped under a replica that counts. */
    const since = new Map<string, number>();
    let disturbedAt: number | null = null;
    return {
      onEvent(view, event) {
        const isDisturbance =
          (event.type === 'fault' && event.fault !== 'stoppedByHand') ||
          (event.type === 'host' && event.change !== 'started');
        if (isDisturbance) disturbedAt = event.at;
        if (event.type === 'tick') judge(view, event.at, since, disturbedAt);
      },
    };
  },
};

function judge(view: View, now: number, since: Map<string, number>, disturbedAt: number | null): void {
  const overlooked = view.rowsOf('replica').filter((row) => {
    if (!believedToRun.has(row['state']) || view.row(row.partitionKey, 'app')?.['frozen'] === true) return false;
    const group = view.group(String(row['group']));
    return group?.stopped === true && !group.deleting;
  });
  const names = new Set(overlooked.map((row) => String(row['group'])));
  for (const name of since.keys()) if (!names.has(name)) since.delete(name);
  for (const row of overlooked) {
    const name = String(row['group']);
    const from = since.get(name) ?? now;
    since.set(name, from);
    const boundMs = disturbedAt === null ? readMs : noticeMs + readMs;
    const waitedMs = now - Math.max(from, disturbedAt ?? from);
    if (waitedMs > boundMs)
      view.fail(`${view.group(name)?.label} is stopped since ${now - from} ms, and its replica still ${row['state']}`);
  }
}
