import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openDatabase } from '../../src/local/sqlite.ts';
import { sqliteTableStore } from '../../src/local/tables/sqlite-store.ts';
import { tableFixture } from '../support/table-fixture.ts';
import { stateStoreContract } from './state-store.contract.ts';

stateStoreContract('Tables client over the memory core', () => tableFixture());

const directory = mkdtempSync(join(tmpdir(), 'state-store-'));
const databases: { close(): void }[] = [];
afterAll(() => {
  for (const db of databases) db.close();
  rmSync(directory, { recursive: true });
});

stateStoreContract('Tables client over the SQLite core', () => {
  const db = openDatabase(join(directory, `${databases.length}.sqlite`));
  databases.push(db);
  return tableFixture(sqliteTableStore(db));
});
