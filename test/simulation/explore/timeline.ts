/** What happened in a run, for people: without the reads, and of each row only what changed. */
import type { RowEvent, SimEvent } from '../types.ts';
import { epoch } from '../virtual/clock.ts';
import { lineOf } from '../world/trace.ts';

const dull = new Set([
  'etag',
  'lastTx',
  'passAt',
  'observedAt',
  'listedAt',
  'updatedAt',
  'partitionKey',
  'rowKey',
  'stateAt',
]);

/** null = nothing worth a line. */
export function timelineOf(event: SimEvent): string | null {
  switch (event.type) {
    case 'tick':
      return null;
    case 'effect':
      return event.fault || (event.writes && event.target !== 'table' && event.moment !== 'sent')
        ? lineOf(event)
        : null;
    case 'run':
      return event.cause.instance === null && event.moment !== 'failed' ? null : clipped(lineOf(event));
    case 'row':
      return rowLine(event);
    case 'instance':
    case 'log':
      return clipped(lineOf(event));
    default:
      return lineOf(event);
  }
}

const clipped = (line: string): string => (line.length > 260 ? `${line.slice(0, 260)}…` : line);

function rowLine({ at, partition, row, before, after, cause, foreign }: RowEvent): string | null {
  const time = ((at - epoch) / 1000).toFixed(3).padStart(10);
  const by = foreign ? ' (restored)' : cause ? ` by ${cause.fn}` : '';
  if (row.startsWith('event|')) {
    return after
      ? `${time} event ${after['type']} ${after['replica'] ?? after['service'] ?? partition}: ${after['message']}`
      : null;
  }
  if (after === null) return `${time} row   - ${partition}/${row}${by}`;
  const changed = Object.keys({ ...before, ...after })
    .filter((name) => !dull.has(name) && before?.[name] !== after[name])
    .map((name) => (before ? `${name}: ${before[name] ?? '∅'} → ${after[name] ?? '∅'}` : `${name}: ${after[name]}`));
  if (changed.length === 0) return null;
  return clipped(`${time} row   ${before ? '~' : '+'} ${partition}/${row}${by} ${changed.join(', ')}`);
}
