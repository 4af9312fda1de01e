/**
 * Reads single values out of a document that the schema has already judged. A value of a wrong type gives `undefined` in silence, because it
 * is reported; text that does not mean a number or a duration is reported here. Interpolated values arrive as text, so text is always tried.
 */

import { formatDuration, parseDurationMs } from '../model/units.ts';
import type { Report } from './report.ts';

export interface Range {
  readonly min: number;
  readonly max: number;
  /** Whole numbers only? Default: true. */
  readonly whole?: boolean;
  /** What the number counts, for the message: `replicas`. */
  readonly of: string;
}

/** A number, written as such or as text, within `range`. */
export function readNumber(value: unknown, path: string, range: Range, report: Report): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const read = typeof value === 'number' ? value : /^\s*[+-]?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : Number.NaN;
  const kind = range.whole === false ? 'a number' : 'a whole number';
  if (!Number.isFinite(read) || (range.whole !== false && !Number.isInteger(read))) {
    report.refuse(
      path,
      `\`${value}\` is not ${kind} of ${range.of}.`,
      `Write ${kind} from ${range.min} to ${range.max}.`,
    );
    return undefined;
  }
  if (read < range.min || read > range.max) {
    const bound = read < range.min ? `the least is ${range.min}` : `at most ${range.max} can be had`;
    report.refuse(
      path,
      `asks for ${read} ${range.of}, but ${bound}.`,
      `Write ${kind} from ${range.min} to ${range.max}.`,
    );
    return undefined;
  }
  return read;
}

/** A duration in ms, at most a week. */
export function readDurationMs(value: unknown, path: string, report: Report): number | undefined {
  if (typeof value !== 'string') return undefined;
  const durationMs = parseDurationMs(value);
  if (durationMs === undefined) {
    const isBare = /^\d+(\.\d+)?$/.test(value);
    report.refuse(
      path,
      `\`${value}\` is not a duration.`,
      `Write it with a unit, such as \`${isBare ? `${value}s` : '1m30s'}\`.`,
    );
    return undefined;
  }
  if (durationMs > longestMs) {
    report.refuse(
      path,
      `${formatDuration(durationMs)} is longer than the longest duration, ${formatDuration(longestMs)}.`,
      'Write a shorter one.',
    );
    return undefined;
  }
  return durationMs;
}

const longestMs = 7 * 24 * 3_600_000;

const booleans: Readonly<Record<string, boolean>> = {
  ...{ true: true, yes: true, y: true, on: true, t: true, '1': true },
  ...{ false: false, no: false, n: false, off: false, f: false, '0': false },
};

/** `true`, `"true"` and what else Compose takes for it; `otherwise` where nothing is stated or the value is refused. */
export function readBoolean(value: unknown, otherwise: boolean, path: string, report: Report): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return otherwise;
  const read = Object.hasOwn(booleans, value.toLowerCase()) ? booleans[value.toLowerCase()] : undefined;
  if (read === undefined) {
    report.refuse(path, `\`${value.slice(0, 60)}\` is neither true nor false.`, 'Write `true` or `false`.');
  }
  return read ?? otherwise;
}

/** The strings of a list; members of other types are reported elsewhere. */
export const readStrings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
