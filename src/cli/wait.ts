/**
 * Watches an accepted operation until it has had its effect, telling what happens meanwhile. An API that falls silent is asked again for a
 * while: it may be restarting, and the operation goes on without us.
 */
import type { ApiError } from '../client/client.ts';
import type { AppResource, EventResource, OperationResource } from '../model/api.ts';
import { ok, type Result } from '../model/result.ts';
import type { Session } from './context.ts';
import { createEventFeed, type EventFeed } from './event-feed.ts';
import type { Progress } from './progress.ts';

export type Ending =
  | { readonly kind: 'converged'; readonly app: AppResource | null; readonly operation: OperationResource }
  | { readonly kind: 'failing'; readonly why: string; readonly app: AppResource | null }
  /** Noted, and nothing more happens until another command lets it. */
  | { readonly kind: 'held'; readonly why: string; readonly app: AppResource | null }
  /** The operation has no effect: rejected or superseded. */
  | { readonly kind: 'refused'; readonly operation: OperationResource }
  /** `stalled`: nothing happened for long; else `--timeout` passed. */
  | { readonly kind: 'timeout'; readonly isStalled: boolean; readonly app: AppResource | null }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'silent'; readonly error: ApiError };

export interface Watch {
  readonly operation: OperationResource;
  /** `null` = as long as something happens at least every {@link stallMs}. */
  readonly timeoutMs: number | null;
  /** `events`: those since the operation was accepted. */
  readonly judge: (app: AppResource | null, operation: OperationResource, events: readonly EventResource[]) => Progress;
  /** Called after each look: what is new, and the app as it is. */
  readonly show: (app: AppResource | null, news: readonly EventResource[]) => void;
}

/** Waiting without any event for this long is pointless. As `startDeadline` and `progressDeadline` (semantics, "Which knob wins"). */
export const stallMs = 600_000;
/** How long the API may be silent. */
const silenceMs = 60_000;

/** Looks often while things are fast, seldom when they take long. */
const pollDelayMs = (waitedMs: number): number => (waitedMs < 60_000 ? 500 : waitedMs < 300_000 ? 1_000 : 2_000);

interface Look {
  readonly operation: OperationResource;
  readonly app: AppResource | null;
  readonly news: readonly EventResource[];
}

export async function waitFor(session: Session, watch: Watch): Promise<Ending> {
  const feed = createEventFeed({
    client: session.client,
    app: watch.operation.app,
    since: watch.operation.acceptedAt,
  });
  const startedAt = session.now();
  let happenedAt = startedAt;
  let heardAt = startedAt;
  let state: Look = { operation: watch.operation, app: null, news: [] };
  const events: EventResource[] = [];
  while (!session.interrupted.aborted) {
    const looked = await look(session, state.operation, feed);
    const now = session.now();
    if (looked.ok) {
      state = looked.value;
      heardAt = now;
      if (state.news.length > 0) happenedAt = now;
      events.push(...state.news);
      watch.show(state.app, state.news);
      const ending = endingOf(watch, state, events);
      if (ending) return ending;
    } else if (now - heardAt >= silenceMs || !mayPass(looked.error)) {
      return { kind: 'silent', error: looked.error };
    }
    const leftMs = watch.timeoutMs === null ? happenedAt + stallMs - now : startedAt + watch.timeoutMs - now;
    if (leftMs <= 0) return { kind: 'timeout', isStalled: watch.timeoutMs === null, app: state.app };
    await session.sleep(Math.min(pollDelayMs(now - startedAt), leftMs));
  }
  return { kind: 'interrupted' };
}

function endingOf(watch: Watch, { operation, app }: Look, events: readonly EventResource[]): Ending | undefined {
  if (operation.state === 'accepted') return undefined;
  if (operation.state !== 'applied') return { kind: 'refused', operation };
  const progress = watch.judge(app, operation, events);
  if (progress.state === 'converged') return { kind: 'converged', app, operation };
  if (progress.state === 'held') return { kind: 'held', why: progress.why, app };
  return progress.state === 'failing' ? { kind: 'failing', why: progress.why, app } : undefined;
}

/** Events last: whatever the app shows has its events already. */
async function look({ client }: Session, known: OperationResource, feed: EventFeed): Promise<Result<Look, ApiError>> {
  const operation = known.state === 'accepted' ? await client.operation(known.app, known.id) : ok(known);
  if (!operation.ok) return operation;
  const app = await client.app(known.app);
  if (!app.ok && !isAbsent(app.error)) return app;
  const news = await feed.poll();
  if (!news.ok) return news;
  return ok({ operation: operation.value, app: app.ok ? app.value : null, news: news.value });
}

export const isAbsent = (error: ApiError): boolean => error.kind === 'refused' && error.problem.status === 404;

const mayPass = (error: ApiError): boolean =>
  error.kind === 'unreachable' || (error.kind === 'refused' && error.problem.status >= 500);
