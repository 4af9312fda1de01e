/**
 * What may go wrong with a request whose form is right, chosen by the world's `draw` under names that tests and simulators may rely on:
 *
 *   tables <METHOD> <table>/<pk>/<rk>/fault   GET PUT PATCH DELETE of an entity, POST (insert; the keys are those of the body)
 *   tables BATCH <table>/<pk>/<rk>/fault      a transaction; the row key is that of its first operation
 *   tables QUERY <table>/fault                a page of entities
 *   tables POST|DELETE|QUERY Tables/<name>/fault   the tables themselves (`*` for their list)
 *     0 none · 1 refused, 503 with Retry-After · 2 applied, the answer is lost · 3 applied, 500 · 4 refused, 503 without Retry-After
 *     · 5 applied, answered late · 6 the request is lost
 *   tables QUERY <table>/page                 0 full page · 1 at most one entity · 2 an empty page, if there is more to read
 */
import type { CoreResponse, Draw } from '../core.ts';
import { answer, type Exchange, failed } from './answer.ts';
import { TableFailure } from './failure.ts';
import { pageSize } from './query.ts';

const lateMs = 2_000;
const retryAfterSeconds = '1';

/** Runs `apply` under the fault drawn for `subject`, which is everything before `/fault` in the key. */
export function withFault(exchange: Exchange, draw: Draw, subject: string, apply: () => CoreResponse): CoreResponse {
  switch (draw(`tables ${subject}/fault`, 7)) {
    case 1:
      return failed(exchange, new TableFailure('ServerBusy'), { 'retry-after': retryAfterSeconds });
    case 2:
      return { ...apply(), dropped: true };
    case 3:
      apply();
      return failed(exchange, new TableFailure('InternalError'));
    case 4:
      return failed(exchange, new TableFailure('ServerBusy'));
    case 5:
      return { ...apply(), delayMs: lateMs };
    case 6:
      return { ...answer(exchange, 503, {}), dropped: true };
    default:
      return apply();
  }
}

/** The longest page this query gets. */
export function drawnPageLimit(draw: Draw, table: string, limit: number | undefined): number {
  const full = limit ?? pageSize;
  const choice = draw(`tables QUERY ${table}/page`, 3);
  return choice === 0 ? full : Math.min(full, 2 - choice);
}
