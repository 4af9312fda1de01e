/**
 * A disk that runs full under each store: what was acknowledged is there afterwards, what was not is refused by the name of the file. (The whole platform
 * on such a disk: test/crash.)
 */
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { claimDataDir } from '../../src/local/data-dir.ts';
import { createSqliteStore } from '../../src/local/host/engine/sqlite-store.ts';
import { Store } from '../../src/local/servicebus/store.ts';
import { draft } from '../support/queue-fixture.ts';
import { canMount, type SmallDisk, smallDisk } from '../support/small-disk.ts';

const large = 'x'.repeat(100_000);

describe.skipIf(!canMount)('a disk that runs full', () => {
  let disk: SmallDisk;
  afterEach(() => disk.remove());
  const open = (megabytes: number): string => {
    const opened = smallDisk(megabytes);
    if (!opened) throw new Error('mounting worked a moment ago');
    disk = opened;
    return disk.path;
  };

  it('makes the durable engine refuse a commit and keep every one before', async () => {
    const path = join(open(4), 'durable.db');
    const store = createSqliteStore(path);
    const commit = (id: number) =>
      store.commit([
        {
          op: 'putActivity',
          record: { id, instanceId: 'i', executionId: 'e', taskId: id, name: 'work', input: large, leaseUntilMs: null },
        },
      ]);
    let kept = 0;
    const error = await (async () => {
      for (;;) await commit(kept + 1).then(() => (kept += 1));
    })().catch((reason: Error) => reason);
    expect(String(error)).toContain(`${path} cannot be written`);
    expect(kept).toBeGreaterThan(3);
    store.close();
    const again = createSqliteStore(path);
    expect(again.activities().map(({ id }) => id)).toEqual(Array.from({ length: kept }, (_, n) => n + 1));
    again.close();
  });

  it('makes the broker refuse a message and keep every one before', async () => {
    const path = join(open(4), 'bus.db');
    const store = new Store(path);
    const queue = store.queue('q', false);
    let kept = 0;
    const error = await (async () => {
      for (;;) await queue.add([draft(large)], 0).then(() => (kept += 1));
    })().catch((reason: Error) => reason);
    expect(String(error)).toContain(`${path} cannot be written`);
    await store.close();
    const again = new Store(path);
    expect(again.queue('q', false).load(false)).toHaveLength(kept);
    await again.close();
  });

  it('refuses a data directory on a full disk, and on a read-only one, with what to do', () => {
    const path = open(1);
    disk.fill(0);
    expect(() => claimDataDir(path)).toThrow(/cannot be used.*Make room on its disk/);
    disk.makeRoom();
    disk.makeReadOnly();
    expect(() => claimDataDir(path)).toThrow(/Its file system is read-only: mount it for writing, or choose/);
  });
});
