/** Which replica a terminal is opened in, as a table. */
import { describe, expect, it } from 'vitest';
import { pickExecTarget } from '../../../src/decide/exec-target.ts';
import type { ReplicaRow } from '../../../src/model/state.ts';
import { aReplica } from '../../support/rows.ts';

const at = (slot: number, state: ReplicaRow['state'], over: Partial<ReplicaRow> = {}): ReplicaRow =>
  aReplica({ slot, state, ...over });

describe('a terminal is opened in', () => {
  it.each<{ name: string; replicas: ReplicaRow[]; slot?: number; expect: string }>([
    {
      name: 'the lowest slot that is ready',
      replicas: [at(2, 'ready'), at(1, 'ready'), at(0, 'unready')],
      expect: '1/1',
    },
    { name: 'one that is unready where none is ready', replicas: [at(0, 'starting'), at(1, 'unready')], expect: '1/1' },
    { name: 'one that starts before one that leaves', replicas: [at(0, 'draining'), at(3, 'starting')], expect: '3/1' },
    { name: 'one of a pool that is down, where there is no other', replicas: [at(0, 'lost')], expect: '0/1' },
    {
      name: 'the slot that is named, though others are ready',
      replicas: [at(0, 'ready'), at(1, 'unready')],
      slot: 1,
      expect: '1/1',
    },
    {
      name: 'the newest of two that overlap in their slot',
      replicas: [at(0, 'ready', { incarnation: 4 }), at(0, 'ready', { incarnation: 7 })],
      slot: 0,
      expect: '0/7',
    },
    {
      name: 'the ready one of two that overlap, though it is older',
      replicas: [at(0, 'ready', { incarnation: 4 }), at(0, 'starting', { incarnation: 7 })],
      slot: 0,
      expect: '0/4',
    },
  ])('$name', ({ replicas, slot = null, expect: expected }) => {
    const picked = pickExecTarget('web', replicas, slot);
    expect(picked.ok && `${picked.value.slot}/${picked.value.incarnation}`).toBe(expected);
  });

  it.each<{ name: string; replicas: ReplicaRow[]; slot?: number; kind: string; detail: string }>([
    { name: 'none at all', replicas: [], kind: 'notRunning', detail: 'web has no replicas.' },
    {
      name: 'only one that is gone',
      replicas: [at(0, 'gone')],
      slot: 0,
      kind: 'notRunning',
      detail: 'web has no replicas.',
    },
    {
      name: 'none that runs',
      replicas: [at(1, 'creating'), at(0, 'failed', { reason: 'ImagePullFailed' })],
      kind: 'notRunning',
      detail: 'web.0 is failed (ImagePullFailed), web.1 is creating: no container of it runs.',
    },
    {
      name: 'many of which none runs, and says so briefly',
      replicas: [0, 1, 2, 3, 4, 5, 6].map((slot) => at(slot, 'planned')),
      kind: 'notRunning',
      detail:
        'web.0 is planned, web.1 is planned, web.2 is planned, web.3 is planned, web.4 is planned and 2 more: no container of it runs.',
    },
    {
      name: 'the slot that is named',
      replicas: [at(1, 'ready'), at(0, 'ready'), at(0, 'draining', { incarnation: 2 })],
      slot: 5,
      kind: 'noSuchSlot',
      detail: 'web has no replica in slot 5; slots: 0, 1.',
    },
  ])('nothing where there is not $name', ({ replicas, slot = null, kind, detail }) => {
    expect(pickExecTarget('web', replicas, slot)).toEqual({ ok: false, error: { kind, detail } });
  });
});
