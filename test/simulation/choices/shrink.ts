/**
 * Makes a failing run small: the sparse map of its choices, cut down while the same oracle still fails. Latencies go first, then whatever is not a
 * fault, then halves of the rest (ddmin), then values are lowered. Most bugs end as one to three named choices.
 */
import type { ChoiceMap } from './choices.ts';

/** Does a run with exactly these choices fail in the same way? */
export type StillFails = (choices: ChoiceMap) => Promise<boolean>;

export interface Shrunk {
  readonly choices: ChoiceMap;
  readonly reruns: number;
}

type Entry = readonly [string, number];

const isLatency = ([key]: Entry): boolean => /\/(ms|reply|slow)#/.test(key);
const isFault = ([key]: Entry): boolean => !/^(workload|fact)\b|\/(ms|reply|slow|host|group|region)#/.test(key);

/** `maxReruns` bounds the work; the best map so far is the result. */
export async function shrink(choices: ChoiceMap, stillFails: StillFails, maxReruns = 120): Promise<Shrunk> {
  let best: readonly Entry[] = Object.entries(choices);
  let reruns = 0;
  const attempt = async (candidate: readonly Entry[]): Promise<boolean> => {
    if (candidate.length >= best.length && candidate !== lowered) return false;
    if (reruns >= maxReruns) return false;
    reruns += 1;
    if (!(await stillFails(Object.fromEntries(candidate)))) return false;
    best = candidate;
    return true;
  };
  let lowered: readonly Entry[] = [];
  await attempt([]);
  await attempt(best.filter((entry) => !isLatency(entry)));
  await attempt(best.filter(isFault));
  await attempt(best.filter((entry) => !isFault(entry) && !isLatency(entry)));
  await halve(() => best, attempt);
  for (const [key, value] of best) {
    for (let lower = 1; lower < value; lower += 1) {
      lowered = best.map((entry) => (entry[0] === key ? [key, lower] : entry));
      if (await attempt(lowered)) break;
    }
  }
  return { choices: Object.fromEntries(best), reruns };
}

/** Delta debugging (Zeller and Hildebrandt): tries to leave out ever smaller parts. */
async function halve(
  current: () => readonly Entry[],
  attempt: (candidate: readonly Entry[]) => Promise<boolean>,
): Promise<void> {
  for (let parts = 2; ; ) {
    const entries = current();
    if (entries.length === 0) return;
    const size = Math.max(1, Math.ceil(entries.length / parts));
    let cut = false;
    for (let from = 0; from < entries.length && !cut; from += size) {
      cut = await attempt([...entries.slice(0, from), ...entries.slice(from + size)]);
    }
    if (cut) parts = Math.max(2, parts - 1);
    else if (size === 1) return;
    else parts = Math.min(entries.length, parts * 2);
  }
}
