/** `flotilla events [APP] [-f]`: what happened, oldest first, to one app or to all. */
import type { ApiError } from '../../client/client.ts';
import type { EventResource } from '../../model/api.ts';
import { err, ok, type Result } from '../../model/result.ts';
import type { Session, Surroundings } from '../context.ts';
import { createEventFeed, type EventFeed } from '../event-feed.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { renderEvent } from '../render.ts';
import { failWith, openSession } from '../session.ts';

type Options = Extract<Invocation, { command: 'events' }>;

interface AppEvent {
  readonly app: string;
  readonly event: EventResource;
}

const followDelayMs = 1_000;
/** How long the API may be silent while it is followed. */
const silenceMs = 60_000;

export async function events(surroundings: Surroundings, options: Options): Promise<ExitCode> {
  const opened = await openSession(surroundings, options);
  if (!opened.ok) return opened.error;
  const session = opened.value;
  const feeds = new Map<string, EventFeed>();
  const first = await readAll(session, options, feeds, true);
  if (!first.ok) return failWith(session, first.error);
  // Several apps together give more than were asked for.
  print(session, options, first.value.slice(-options.limit));
  if (options.follow) return await follow(session, options, feeds);
  if (first.value.length === 0) session.terminal.note('There are no events.');
  return exitCodes.ok;
}

async function follow(session: Session, options: Options, feeds: Map<string, EventFeed>): Promise<ExitCode> {
  let heardAt = session.now();
  for (;;) {
    await session.sleep(followDelayMs);
    if (session.interrupted.aborted) return exitCodes.ok;
    const read = await readAll(session, options, feeds, false);
    if (read.ok) {
      heardAt = session.now();
      print(session, options, read.value);
    } else if (read.error.kind !== 'unreachable' || session.now() - heardAt >= silenceMs) {
      return failWith(session, read.error);
    }
  }
}

/** What is new in each app, oldest first. An app that appears while all are followed is shown from its beginning. */
async function readAll(
  { client }: Session,
  { app, limit }: Options,
  feeds: Map<string, EventFeed>,
  isFirst: boolean,
): Promise<Result<readonly AppEvent[], ApiError>> {
  if (app !== null) {
    if (isFirst) feeds.set(app, createEventFeed({ client, app, first: limit }));
  } else {
    const apps = await client.apps();
    if (!apps.ok) return apps;
    for (const { name } of apps.value) {
      if (!feeds.has(name)) feeds.set(name, createEventFeed({ client, app: name, ...(isFirst && { first: limit }) }));
    }
  }
  const found: AppEvent[] = [];
  for (const [name, feed] of feeds) {
    const news = await feed.poll();
    if (!news.ok) return err(news.error);
    found.push(...news.value.map((event) => ({ app: name, event })));
  }
  return ok(found.sort((a, b) => Date.parse(a.event.at) - Date.parse(b.event.at)));
}

function print({ terminal }: Session, options: Options, found: readonly AppEvent[]): void {
  for (const { app, event } of found) {
    if (options.json) terminal.line(JSON.stringify({ app, ...event }));
    else terminal.line(renderEvent(event, options.app === null ? app : undefined));
  }
}
