/** Log lines as ACI hands them out with `timestamps`, taken apart. Pure. */
import type { LogLine } from './state.ts';

const stamped = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?(.*)$/s;

/** Oldest first; a line without an instant keeps its whole text. */
export function parseLogLines(content: string): readonly LogLine[] {
  const lines = content.split('\n');
  // The last line ends in a line break as every other.
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => {
    const [, at, text = ''] = stamped.exec(line) ?? [];
    return at === undefined ? { at: null, text: unreturned(line) } : { at, text: unreturned(text) };
  });
}

/** Programs for terminals end their lines in CR LF. */
const unreturned = (text: string): string => text.replace(/\r$/, '');

/** The newest lines whose texts fit into so many bytes. */
export function newestLines(
  lines: readonly LogLine[],
  bytesMax: number,
): { readonly lines: readonly LogLine[]; readonly truncated: boolean } {
  let sizeBytes = 0;
  let first = lines.length;
  while (first > 0) {
    sizeBytes += Buffer.byteLength(lines[first - 1]?.text ?? '') + instantBytes;
    if (sizeBytes > bytesMax) break;
    first -= 1;
  }
  return { lines: lines.slice(first), truncated: first > 0 };
}

/** What the instant of a line takes, with nanoseconds. */
const instantBytes = 40;
