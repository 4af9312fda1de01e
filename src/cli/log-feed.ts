/**
 * What is new in the log of one replica since the last read. ACI only hands out the last lines of a log, so that two reads overlap; lines are told apart
 * by their instants, and equal lines of one instant by their order. Pure.
 */
import type { ReplicaLog } from '../model/api.ts';
import type { LogLine } from '../model/state.ts';

/** Lines of the last read that had any, oldest first. */
export interface LogMemory {
  readonly lines: readonly LogLine[];
}

export interface LogNews {
  readonly lines: readonly LogLine[];
  /** Nothing that was known is in the new read, though the log goes on before it: lines in between may be missing. */
  readonly gap: boolean;
  readonly memory: LogMemory;
}

/** A log only grows at its end, or begins anew when ACI restarts the container. */
export function newsOf(known: LogMemory, { lines, truncated }: Pick<ReplicaLog, 'lines' | 'truncated'>): LogNews {
  if (lines.length === 0) return { lines: [], gap: false, memory: known };
  const memory: LogMemory = { lines };
  if (known.lines.length === 0) return { lines, gap: false, memory };
  const overlap = overlapOf(known.lines, lines);
  if (overlap > 0) return { lines: lines.slice(overlap), gap: false, memory };
  const last = known.lines.findLast(({ at }) => at !== null)?.at ?? null;
  const fresh = last === null ? lines : lines.filter(({ at }) => at === null || compareInstants(at, last) > 0);
  return { lines: fresh, gap: truncated, memory };
}

/** Length of the longest end of `known` that `lines` begin with. */
function overlapOf(known: readonly LogLine[], lines: readonly LogLine[]): number {
  for (let length = Math.min(known.length, lines.length); length > 0; length -= 1) {
    const from = known.length - length;
    let same = 0;
    while (same < length && isSame(known[from + same], lines[same])) same += 1;
    if (same === length) return length;
  }
  return 0;
}

const isSame = (a: LogLine | undefined, b: LogLine | undefined): boolean => a?.at === b?.at && a?.text === b?.text;

/** Instants with up to nine decimals, of which `Date` keeps three. */
export function compareInstants(a: string, b: string): number {
  const difference = Date.parse(a) - Date.parse(b);
  if (difference !== 0) return difference;
  const [left, right] = [fractionOf(a), fractionOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

const fractionOf = (instant: string): string => (/\.(\d+)/.exec(instant)?.[1] ?? '').padEnd(9, '0');
