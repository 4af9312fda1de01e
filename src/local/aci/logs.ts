/** Log lines as the service hands them out. Pure. */
import type { LogLine } from './store.ts';

/** What is kept of a stopped container's log. Source: Container Instances quotas page (read 2026-11). */
const STOPPED_LINES_MAX = 1_000;
const STOPPED_SIZE_BYTES = 16 * 1024;

export function renderLogs(
  lines: readonly LogLine[],
  options: { readonly running: boolean; readonly tail?: number; readonly timestamps: boolean },
): string {
  const kept = options.running ? lines : keptAfterStop(lines);
  const shown = options.tail === undefined ? kept : kept.slice(-options.tail);
  const render = (line: LogLine) =>
    options.timestamps ? `${new Date(line.at).toISOString()} ${line.text}\n` : `${line.text}\n`;
  return shown.map(render).join('');
}

function keptAfterStop(lines: readonly LogLine[]): readonly LogLine[] {
  let first = Math.max(0, lines.length - STOPPED_LINES_MAX);
  let size = lines.slice(first).reduce((total, line) => total + Buffer.byteLength(line.text) + 1, 0);
  while (size > STOPPED_SIZE_BYTES) {
    size -= Buffer.byteLength(lines[first]?.text ?? '') + 1;
    first += 1;
  }
  return lines.slice(first);
}
