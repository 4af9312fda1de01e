/**
 * L1: after a deploy no workflow of an older version goes on for long. Judged once no host of an older version is left that could still make claims.
 */
import type { HostEvent, Oracle, RawEntity, View } from '../types.ts';

/** One wait of the old workflow, its pass, an assessment and the start of the new one, each at its worst: in calm weather, and while faults strike. */
const calmBoundMs = 150_000;
const boundMs = 420_000;

interface Memory {
  newest: string | null;
  /** Hosts that run something else. */
  readonly others: Set<string>;
  readonly outdatedSince: Map<string, number>;
}

export const takeover: Oracle = {
  name: 'takeover',
  invariant: 'L1',
  create() {
    const memory: Memory = { newest: null, others: new Set(), outdatedSince: new Map() };
    return {
      onEvent(view, event) {
        if (event.type === 'host') note(view, event, memory);
        // A restored table names whoever made the claims of then.
        if (event.type === 'row' && event.foreign) memory.outdatedSince.clear();
        if (event.type === 'tick' && memory.newest !== null) judge(view, event.at, memory);
      },
    };
  },
};

function note(view: View, { host, change, version = null }: HostEvent, memory: Memory): void {
  if (change === 'crashed' || change === 'stopped') memory.others.delete(host);
  if (change !== 'started') return;
  if (version !== memory.newest) {
    memory.newest = version;
    for (const one of view.hosts()) if (one !== host) memory.others.add(one);
  }
}

function judge(view: View, now: number, { newest, others, outdatedSince }: Memory): void {
  if (others.size > 0) {
    outdatedSince.clear();
    return;
  }
  const outdated = view
    .rowsOf('service')
    .filter((guard) => guard['workflow'] !== undefined && guard['claimedBy'] !== newest && isAtWork(view, guard));
  const ids = new Set(outdated.map((guard) => String(guard['workflow'])));
  for (const id of outdatedSince.keys()) if (!ids.has(id)) outdatedSince.delete(id);
  for (const guard of outdated) {
    const id = String(guard['workflow']);
    const since = outdatedSince.get(id) ?? now;
    outdatedSince.set(id, since);
    if (now - since > (since >= view.calmFrom ? calmBoundMs : boundMs))
      view.fail(`${id}, which version ${guard['claimedBy']} started, goes on for ${now - since} ms under ${newest}`);
  }
}

/** A workflow that broke is found by its silence, which takes longer. */
const isAtWork = (view: View, guard: RawEntity): boolean => view.now - Number(guard['wakeAt'] ?? view.now) < 30_000;
