/** Tests one mutant after the other; the main thread gives up on a mutant that never ends by ending this thread. */
import { parentPort } from 'node:worker_threads';
import { firstFailure } from './runner.ts';

export interface Order {
  readonly path: string;
  readonly source: string;
  readonly tests: readonly string[];
}

parentPort?.on('message', async ({ path, source, tests }: Order) => {
  parentPort?.postMessage(await firstFailure(tests, new Map([[path, source]])));
});
