/** The real state store over a Tables core in this process, with a clock and a draw of the test's. */
import type { TokenCredential } from '@azure/identity';
import { createTableStore } from '../../src/azure/table-store.ts';
import { benign, type Draw } from '../../src/local/core.ts';
import { coreHttpClient } from '../../src/local/core-http-client.ts';
import { createTablesCore } from '../../src/local/tables/core.ts';
import { memoryTableStore } from '../../src/local/tables/memory-store.ts';
import type { TableStore } from '../../src/local/tables/store.ts';
import type { StateStore } from '../../src/ports/state-store.ts';

export const anyToken: TokenCredential = {
  getToken: async () => ({ token: 'token', expiresOnTimestamp: Number.MAX_SAFE_INTEGER }),
};

export interface TableFixture {
  readonly store: StateStore;
  /** Decides what goes wrong from now on. */
  fail(draw: Draw): void;
  /** Requests seen so far, by the draw's key. */
  readonly requests: string[];
}

export function tableFixture(table: TableStore = memoryTableStore(), now: () => number = Date.now): TableFixture {
  let draw: Draw = benign;
  const requests: string[] = [];
  const core = createTablesCore({ store: table, authorize: (authorization) => authorization === 'Bearer token' });
  const store = createTableStore({
    endpoint: 'https://flotilla.table.core.windows.net',
    credential: anyToken,
    tableName: 'flotilla',
    callTimeoutMs: 5_000,
    httpClient: coreHttpClient(core, now, (key, options) => {
      requests.push(key);
      return draw(key, options);
    }),
  });
  return {
    store,
    requests,
    fail: (next) => {
      draw = next;
    },
  };
}

/** The `nth` (from 0) request whose key matches gets `choice`; all others pass. */
export function failOnce(pattern: RegExp, choice: number, nth = 0): Draw {
  let seen = 0;
  return (key) => (pattern.test(key) && seen++ === nth ? choice : 0);
}
