/** One transaction holds what a command writes: its rows, its own event, and as many others as fit. */
import { describe, expect, it } from 'vitest';
import { conclude, type Happening } from '../../../../src/decide/commands/conclude.ts';
import type { Row, Stored } from '../../../../src/model/state.ts';
import { aGuard, anAppRow, anOperation, at } from '../../../support/rows.ts';

const stored = <R extends Row>(row: R): Stored<R> => ({ ...row, etag: 'etag' });
const happening = (n: number): Happening => ({
  type: n === 0 ? 'ServiceAdded' : 'ServiceScaled',
  service: `s${n}`,
  message: `s${n} changes.`,
});

/** A command that writes `services` rows and has as many things to tell. */
const eventsOf = (services: number, happenings: number, reason: 'InvalidDocument' | null = null) => {
  const app = stored(anAppRow());
  const writes = conclude(
    { app, guards: [], revisions: [], replicas: [], rollouts: [] },
    stored(anOperation()),
    {
      state: 'applied',
      app,
      services: Array.from({ length: services }, () => ({ row: aGuard(), etag: null })),
      happenings: Array.from({ length: happenings }, (_, n) => happening(n)),
      reason,
      problems: [],
      summary: 'Done.',
    },
    { now: at, txId: 'tx-1' },
  );
  return { writes, events: writes.flatMap(({ row }) => (row.kind === 'event' ? [row] : [])) };
};

describe('the events of a command', () => {
  it('stand each for itself up to the last row of the transaction', () => {
    const { writes, events } = eventsOf(90, 7);
    expect(writes).toHaveLength(100);
    expect(events.map(({ service }) => service)).toEqual([null, 's0', 's1', 's2', 's3', 's4', 's5', 's6']);
  });

  it('are told by type, with the names of all, where one more would not fit', () => {
    const { events } = eventsOf(90, 8);
    expect(events.map(({ message }) => message)).toEqual([
      'Done.',
      '1 services: s0.',
      '7 services: s1, s2, s3, s4, s5, s6, s7.',
    ]);
  });

  it('name no replica, and only the command’s own says why it ended so', () => {
    const { events } = eventsOf(1, 1, 'InvalidDocument');
    expect(events).toMatchObject([
      { type: 'OperationApplied', reason: 'InvalidDocument', replica: null },
      { type: 'ServiceAdded', reason: null, replica: null },
    ]);
  });
});
