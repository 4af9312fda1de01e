import { describe, expect, it } from 'vitest';
import { createEventFeed } from '../../../src/cli/event-feed.ts';
import type { EventResource } from '../../../src/model/api.ts';
import { ok } from '../../../src/model/result.ts';
import { anEvent, instant, pageOf, startAt } from '../../support/cli-fixture.ts';

const at = (seconds: number, message = `at ${seconds}`): EventResource => anEvent({ at: instant(seconds), message });

/** A log that grows; each poll's result as messages. */
function follow(initial: readonly EventResource[], options: { readonly first?: number; readonly since?: string } = {}) {
  const log = [...initial];
  let reads = 0;
  const feed = createEventFeed({
    client: {
      events: async (_, query) => {
        reads += 1;
        return ok(pageOf(log, startAt + 1e9, query));
      },
    },
    app: 'shop',
    ...options,
  });
  return {
    log,
    reads: () => reads,
    async poll(): Promise<readonly string[]> {
      const read = await feed.poll();
      if (!read.ok) throw new Error('refused');
      return read.value.map(({ message }) => message);
    },
  };
}

describe('the event feed', () => {
  it('gives each event once, oldest first, those of one transaction in their own order', async () => {
    const { log, poll } = follow([at(1, 'a'), at(2, 'b'), at(2, 'c')]);
    expect(await poll()).toEqual(['a', 'b', 'c']);
    expect(await poll()).toEqual([]);
    log.push(at(3, 'd'));
    expect(await poll()).toEqual(['d']);
  });

  it('begins with the newest only, and never shows the older ones', async () => {
    const { log, poll } = follow([at(1), at(2), at(3)], { first: 2 });
    expect(await poll()).toEqual(['at 2', 'at 3']);
    log.push(at(4));
    expect(await poll()).toEqual(['at 4']);
  });

  it('leaves out what is older than `since`', async () => {
    const { poll } = follow([at(1), at(2), at(3)], { since: instant(2) });
    expect(await poll()).toEqual(['at 2', 'at 3']);
  });

  it('finds an event that was committed late, below one already shown', async () => {
    const { log, poll } = follow([at(1)]);
    await poll();
    log.push(at(30));
    expect(await poll()).toEqual(['at 30']);
    log.push(at(29));
    expect(await poll()).toEqual(['at 29']);
  });

  it('finds the late one also when the first page was the whole story so far', async () => {
    const { log, poll } = follow([at(1), at(5)]);
    await poll();
    log.push(at(4));
    expect(await poll()).toEqual(['at 4']);
  });

  it('starts on a log that is empty', async () => {
    const { log, poll } = follow([]);
    expect(await poll()).toEqual([]);
    log.push(at(1));
    expect(await poll()).toEqual(['at 1']);
  });

  it('reads on until it has everything when more came than fits a page', async () => {
    const { log, poll } = follow([at(0)]);
    await poll();
    const burst = Array.from({ length: 1_200 }, (_, n) => at(20 + n / 1000, `burst ${n}`));
    log.push(...burst);
    expect(await poll()).toEqual(burst.map(({ message }) => message));
  });

  it('goes back no further than it must', async () => {
    const { log, poll, reads } = follow([at(0)]);
    await poll();
    for (let second = 1; second < 1_500; second += 1) {
      log.push(at(second));
      expect(await poll()).toEqual([`at ${second}`]);
    }
    const before = reads();
    await poll();
    expect(reads() - before).toBe(1);
  });
});
