/** A pass against a real table: what it commits and says, and what it does at once instead of being called again. */
import { describe, expect, it } from 'vitest';
import { pass } from '../../../src/activities/pass.ts';
import { keyOf } from '../../../src/model/keys.ts';
import { ok } from '../../../src/model/result.ts';
import type { StateStore } from '../../../src/ports/state-store.ts';
import { bench, settings } from '../../support/activity-bench.ts';
import { aGuard, at } from '../../support/rows.ts';
import { aGroup, inState } from '../../support/snapshots.ts';

const workflow = 'deployment:shop.web:1';
const input = { app: 'shop', service: 'web', workflow };
const guard = aGuard({ workflow, epoch: 1, claimedAt: at, desired: 0, nextIncarnation: 2 });

const ready = inState('ready', { epoch: 1 });

/** Tells of each commit that is done, and whether it took a replica out of the endpoints. */
const watched = (store: StateStore, done: (removes: boolean) => Promise<void>): StateStore => ({
  ...store,
  async commit(transaction) {
    const written = await store.commit(transaction);
    const rows = transaction.changes.flatMap((change) => (change.type === 'update' ? [change.row] : []));
    await done(rows.some((row) => row.kind === 'replica' && row.state === 'draining' && row.drainUntil === null));
    return written;
  },
});

describe('a pass', () => {
  it('begins the drain in the same go, counted from the commit that removed the endpoint', async () => {
    const { ports, clock, replica, guard: read, audit } = await bench(guard, ready);
    let removedAt = 0;
    const store = watched(ports.store, async (removes) => {
      // A table that takes a second for each write.
      clock.now += 1_000;
      if (removes) removedAt = clock.now;
    });
    const result = await pass({ ...ports, store }, settings, input);
    expect(result).toMatchObject({ outcome: 'continue', steps: [], atOnce: false, guardEtag: (await read())?.etag });
    expect(removedAt).toBeGreaterThan(at + 1_000);
    expect(await replica()).toMatchObject({ endpoint: false, drainUntil: removedAt + guard.drainMs });
    expect((await audit()).map(({ type }) => type)).toEqual(['EndpointRemoved', 'ReplicaDraining']);
  });

  it('leaves what follows to the next one when the commit was found only by its witness', async () => {
    const { ports, replica } = await bench(guard, ready);
    const commit = ports.store.commit.bind(ports.store);
    const witnessed: typeof commit = async (transaction) => {
      const written = await commit(transaction);
      const witness = transaction.witness?.row ?? '';
      return written.ok ? ok({ etags: new Map([[witness, written.value.etags.get(witness) ?? '']]) }) : written;
    };
    const result = await pass({ ...ports, store: { ...ports.store, commit: witnessed } }, settings, input);
    expect(result).toMatchObject({ outcome: 'continue', atOnce: true });
    expect(await replica()).toMatchObject({ state: 'draining', drainUntil: null });
  });

  it('leaves what follows to the next one when somebody else wrote in between', async () => {
    const { ports, replica, change, guard: read } = await bench(guard, ready);
    const store = watched(ports.store, async (removes) => {
      if (removes) await change({ ...guard, desired: 1 }, keyOf(guard));
    });
    expect(await pass({ ...ports, store }, settings, input)).toMatchObject({ outcome: 'continue', atOnce: true });
    expect(await replica()).toMatchObject({ state: 'draining', drainUntil: null });
    expect(await read()).toMatchObject({ desired: 1 });
  });

  it('does not plan with budget that it has just given back: others may have taken it', async () => {
    const deleting = inState('deleting', { missing: 1, epoch: 1 });
    const { ports, replica } = await bench({ ...guard, desired: 1 }, deleting);
    const result = await pass(ports, settings, input);
    expect([result.atOnce, result.steps]).toEqual([true, []]);
    expect(await replica()).toMatchObject({ state: 'gone' });
  });

  it('acts for no workflow but the one that the guard names', async () => {
    const { ports, answers } = await bench({ ...guard, workflow: 'teardown:shop.web:2' }, ready);
    answers.get = ok(aGroup(ready));
    expect(await pass(ports, settings, input)).toMatchObject({ outcome: 'superseded', steps: [] });
  });
});
