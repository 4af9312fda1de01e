/**
 * Follows the events of an app without losing or repeating one. An event becomes visible when its transaction commits, so one may appear below
 * another that was already read; therefore each read reaches back a while, and what is known is dropped.
 */
import type { ApiClient, ApiError } from '../client/client.ts';
import type { EventResource } from '../model/api.ts';
import { ok, type Result } from '../model/result.ts';

export interface EventFeed {
  /** What is new since the last call, oldest first. */
  poll(): Promise<Result<readonly EventResource[], ApiError>>;
}

export interface FeedOptions {
  readonly client: Pick<ApiClient, 'events'>;
  readonly app: string;
  /** ISO instant: earlier events are left out. */
  readonly since?: string;
  /** How many of the newest the first call may give; default 500. */
  readonly first?: number;
}

/** The API's largest page. */
const pageSize = 500;
/** Longer than a transaction takes from its clock reading to its commit. */
const reachBackMs = 15_000;

/** What earlier reads saw. */
interface Memory {
  /** Cursors with the instant of the event each stands for, oldest first; the next read goes back to the first of them. */
  readonly cursors: readonly { readonly cursor: string; readonly at: number }[];
  /** Events from the first cursor on, with their instants. */
  readonly known: ReadonlyMap<string, number>;
}

export function createEventFeed({ client, app, since, first = pageSize }: FeedOptions): EventFeed {
  let memory: Memory = { cursors: [], known: new Map() };
  let isFirst = true;
  return {
    async poll() {
      const limit = isFirst ? first : pageSize;
      const read = await readPages(client, app, { limit, after: memory.cursors[0]?.cursor, isFirst });
      if (!read.ok) return read;
      const seen = chronological(read.value.events);
      const fresh = seen.filter((event) => !memory.known.has(keyOf(event)));
      memory = remember(memory, read.value, fresh);
      isFirst = false;
      return ok(since === undefined ? fresh : fresh.filter(({ at }) => at >= since));
    },
  };
}

function remember({ cursors, known }: Memory, pages: Pages, fresh: readonly EventResource[]): Memory {
  const latest = pages.events[0];
  const earliest = pages.events.at(-1);
  if (!latest || !earliest || pages.newest === null || pages.oldest === null) return { cursors, known };
  const at = Date.parse(latest.at);
  // The first page is read again whole until there is a cursor that reaches back far enough.
  const before = cursors.length > 0 ? cursors : [{ cursor: pages.oldest, at: Date.parse(earliest.at) }];
  const all = before.at(-1)?.cursor === pages.newest ? before : [...before, { cursor: pages.newest, at }];
  const kept = all.slice(
    Math.max(
      0,
      all.findLastIndex((cursor) => cursor.at <= at - reachBackMs),
    ),
  );
  const horizon = kept[0]?.at ?? 0;
  const seen = [...known, ...fresh.map((event) => [keyOf(event), Date.parse(event.at)] as const)];
  return { cursors: kept, known: new Map(seen.filter(([, seenAt]) => seenAt >= horizon)) };
}

interface Pages {
  /** Newest first. */
  readonly events: readonly EventResource[];
  readonly newest: string | null;
  readonly oldest: string | null;
}

/** Newest first, down to `after`; the very first read is one page. */
async function readPages(
  client: FeedOptions['client'],
  app: string,
  { limit, after, isFirst }: { readonly limit: number; readonly after: string | undefined; readonly isFirst: boolean },
): Promise<Result<Pages, ApiError>> {
  const events: EventResource[] = [];
  let newest: string | null = null;
  let before: string | undefined;
  for (;;) {
    const page = await client.events(app, { limit, ...(after && { after }), ...(before && { before }) });
    if (!page.ok) return page;
    events.push(...page.value.events);
    newest ??= page.value.newest;
    const { oldest } = page.value;
    if (isFirst || page.value.events.length < limit || oldest === null) return ok({ events, newest, oldest });
    before = oldest;
  }
}

/** The API lists the newest instant first, but the events of one transaction in their own order: a stable sort keeps that. */
const chronological = (newestFirst: readonly EventResource[]): readonly EventResource[] =>
  newestFirst.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));

const keyOf = (event: EventResource): string => JSON.stringify(event);
