/** What every embedded service relies on when it opens its file and writes to it: a damaged file, and a disk without room. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Store } from '../../../src/local/servicebus/store.ts';
import { GroupCommit, openDatabase } from '../../../src/local/sqlite.ts';
import { draft } from '../../support/queue-fixture.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'flotilla-sqlite-'));
  path = join(directory, 'some.db');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A database of some pages, all of them in the main file; gives its bytes. */
function filled(): Buffer {
  const db = openDatabase(path);
  db.exec('CREATE TABLE t (a TEXT PRIMARY KEY, b BLOB)');
  for (let n = 0; n < 200; n += 1) db.prepare('INSERT INTO t VALUES (?, randomblob(500))').run(`row ${n}`);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  return readFileSync(path);
}

describe('a damaged file', () => {
  it.each<[string, () => void, RegExp]>([
    ['is no database', () => writeFileSync(path, 'not a database, but a note of 40 characters'), /not a database/],
    ['has a broken header', () => writeFileSync(path, filled().fill(0xa5, 0, 100)), /not a database/],
    [
      'has a broken page',
      () => writeFileSync(path, filled().fill(0xa5, 4096 * 5, 4096 * 6)),
      /malformed|btree|page|Tree/i,
    ],
    ['is cut off', () => writeFileSync(path, filled().subarray(0, 4096 * 9)), /malformed|page|Tree/i],
  ])('that %s is refused by name with what to do, and not changed', (_, damage, says) => {
    damage();
    copyFileSync(path, `${path}.before`);
    const open = () => openDatabase(path);
    expect(open).toThrow(says);
    expect(open).toThrow(`${path} cannot be used: `);
    expect(open).toThrow(/Nothing in it was changed. Put back a copy of it, or move it away together with .*-wal/);
    expect(readFileSync(path).equals(readFileSync(`${path}.before`))).toBe(true);
  });

  it('that is a directory, or in none, is refused with another remedy', () => {
    expect(() => openDatabase(directory)).toThrow(/cannot be used: .*Let this user read and write it/);
    expect(() => openDatabase(join(directory, 'nowhere', 'x.db'))).toThrow(/Let this user read and write it/);
  });

  it('is none when it is whole', () => {
    filled();
    openDatabase(path).close();
  });
});

/** No page more than there is: the next write that needs one fails as on a full disk. */
function fill(db: DatabaseSync): void {
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number };
  db.exec(`PRAGMA max_page_count = ${pages}`);
}
const makeRoom = (db: DatabaseSync) => db.exec('PRAGMA max_page_count = 1000000');
const large = 'x'.repeat(20_000);

describe('a disk without room', () => {
  it('fails the writes that do not fit, by the name of the file, and none beside them', async () => {
    const db = openDatabase(path);
    db.exec('CREATE TABLE t (a TEXT)');
    const commits = new GroupCommit(db);
    const insert = (text: string) => commits.run(() => void db.prepare('INSERT INTO t VALUES (?)').run(text));
    fill(db);
    const [small, tooLarge, another] = await Promise.allSettled([insert('a'), insert(large), insert('b')]);
    expect([small.status, another.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(String((tooLarge as PromiseRejectedResult).reason)).toMatch(
      new RegExp(
        `${path} cannot be written: database or disk is full. Make room on its disk; nothing of this request was kept`,
      ),
    );
    expect(db.prepare('SELECT a FROM t ORDER BY a').all()).toEqual([{ a: 'a' }, { a: 'b' }]);
    makeRoom(db);
    await insert(large);
    expect(db.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 3 });
    db.close();
  });

  it('loses no message of the broker that was acknowledged, and takes messages again when there is room', async () => {
    const store = new Store(path);
    const queue = store.queue('q', false);
    await queue.add([draft('kept')], 0);
    fill(store.db);
    await expect(queue.add([draft(large)], 0)).rejects.toThrow(`${path} cannot be written`);
    makeRoom(store.db);
    const [next] = await queue.add([draft('next')], 0);
    await store.close();
    const messages = new Store(path).queue('q', false).load(false);
    expect(messages.map(({ sequence }) => sequence)).toEqual([1, next?.sequence]);
  });
});
