/** The Tables service over HTTPS on SQLite: an answer leaves only after its request is committed. */
import type { Draw } from '../core.ts';
import { type Served, serveCore } from '../serve.ts';
import { GroupCommit, openDatabase } from '../sqlite.ts';
import { createTablesCore } from './core.ts';
import { sqliteTableStore } from './sqlite-store.ts';

export interface TablesServerOptions {
  /** 0 = any free port. */
  readonly port: number;
  /** The SQLite file; created when missing. `:memory:` keeps nothing. */
  readonly dataPath: string;
  readonly tls: { readonly key: string; readonly cert: string };
  /** Epoch ms. */
  readonly now: () => number;
  readonly draw: Draw;
  readonly authorize: (authorization: string | undefined) => boolean;
}

/** Listens on 127.0.0.1. Clients use `url`, with an account path or without; not `localhost`, which the SDK takes for Cosmos DB. */
export async function startTablesServer(options: TablesServerOptions): Promise<Served> {
  const db = openDatabase(options.dataPath);
  const commits = new GroupCommit(db);
  const core = createTablesCore({ store: sqliteTableStore(db), authorize: options.authorize });
  const served = await serveCore({
    core,
    draw: options.draw,
    now: options.now,
    port: options.port,
    tls: options.tls,
    commit: (work) => commits.run(work),
  });
  return {
    ...served,
    async close() {
      await served.close();
      await new Promise<void>((resolve) => setImmediate(resolve)); // requests that were read are committed in the next turn
      db.close();
    },
  };
}
