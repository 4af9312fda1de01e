import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryStore } from '../../src/local/host/engine/memory-store.ts';
import { createSqliteStore } from '../../src/local/host/engine/sqlite-store.ts';
import { runStoreContract } from './durable-store.contract.ts';

runStoreContract({ name: 'memory', open: () => ({ store: createMemoryStore(), dispose: () => {} }) });

runStoreContract({
  name: 'SQLite',
  open() {
    const dir = mkdtempSync(join(tmpdir(), 'flotilla-store-'));
    const path = join(dir, 'durable.db');
    const store = createSqliteStore(path);
    return {
      store,
      reopen: () => createSqliteStore(path),
      dispose() {
        store.close();
        rmSync(dir, { recursive: true, force: true });
      },
    };
  },
});
