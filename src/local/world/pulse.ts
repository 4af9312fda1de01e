/**
 * Keeps the world moving between requests: sleeps until the next instant at which a container group changes, lets it happen inside a
 * committed transaction, and then has the sockets follow. Nothing polls; a world in which nothing is due does not wake.
 */

import type { Clock } from '../../model/clock.ts';
import type { ArmCore } from '../aci/core.ts';
import type { AciStore } from '../aci/store.ts';
import type { CoreResponse } from '../core.ts';
import type { GroupCommit } from '../sqlite.ts';

export interface Pulse {
  /** For `serveCore`: the answer leaves after the commit, the sockets follow. */
  commit(work: () => CoreResponse): Promise<CoreResponse>;
  /** The same for anything else that changes the world. */
  run(work: (now: number) => void): Promise<void>;
  close(): Promise<void>;
}

export function createPulse(options: {
  readonly clock: Clock;
  readonly commits: GroupCommit;
  readonly store: AciStore;
  readonly core: ArmCore;
  readonly reconcile: () => void;
  /** After every transaction. */
  readonly after: () => void;
}): Pulse {
  const { clock, commits, store, core } = options;
  let cancel: (() => void) | undefined;
  let armedFor: number | undefined;
  let seen = -1;
  let closed = false;
  const underWay = new Set<Promise<unknown>>();

  const follow = () => {
    if (closed) return;
    options.reconcile();
    const next = core.nextAt();
    if (next === armedFor) return;
    cancel?.();
    armedFor = next;
    cancel = next === undefined ? undefined : clock.at(next, beat);
  };
  const beat = () => {
    armedFor = undefined;
    void run((now) => core.advance(now)).then(follow);
  };
  const transact = async <T>(work: () => T): Promise<T> => {
    const committed = commits.run(work);
    underWay.add(committed);
    try {
      return await committed;
    } finally {
      underWay.delete(committed);
      if (seen !== store.revision) {
        seen = store.revision;
        follow();
      }
      options.after();
    }
  };
  const run: Pulse['run'] = async (work) => {
    if (closed) return;
    await transact(() => work(clock.now())).catch((error: unknown) => console.error(error));
  };
  return {
    run,
    commit: transact,
    async close() {
      closed = true;
      cancel?.();
      await Promise.allSettled(underWay);
    },
  };
}
