/**
 * L1 with its bound as a formula. From the moment at which the world is fair, and from each command after it, an app has converged within the time that
 * its work may take: noticing what was lost, and then, for each kind of work that stood out since, the longest that kind can last.
 */
import type { Oracle, RawEntity, View } from '../types.ts';
import { imageOf, isPaused, isRun } from './rows.ts';

const second = 1_000;
const minute = 60 * second;

/** Numbers of semantics and design §7, written down here once more: an oracle asks nobody. */
const resyncMs = 30 * second;
/** A workflow that does not move is broken after ten minutes, found by the second resync after that; the scan of all apps comes every 15. */
const noticeMs = Math.max(10 * minute + 2 * resyncMs, 15 * minute + resyncMs);
/** A message is sent again after a minute. */
const resendMs = minute + 2 * resyncMs;
/** The claim on a create, and its PUT. */
const claimMs = 6 * minute + minute;
const startMs = 10 * minute;
const backoffMs = 5 * minute;
/** How long this world holds up a deletion that is stuck. */
const stuckMs = 10 * minute;
/** Drain, one period of probes with its repeat, and a look. */
const handoverMs = 10 * second + 2 * resyncMs;

/** What may stand out for an app, each with the longest that it can take. */
type Kind = 'message' | 'create' | 'start' | 'rest' | 'deletion';
const kindMs: Readonly<Record<Kind, number>> = {
  message: resendMs,
  create: claimMs,
  start: startMs,
  rest: backoffMs,
  deletion: stuckMs,
};

interface Work {
  since: number;
  readonly kinds: Set<Kind>;
}

export const bound: Oracle = {
  name: 'bound',
  invariant: 'L1',
  create() {
    const work = new Map<string, Work>();
    let mayStick = false;
    return {
      onEvent(view, event) {
        if (event.type === 'fault') mayStick ||= event.fault === 'stuckDelete';
        if (event.at < view.calmFrom) return;
        if (event.type === 'command') work.set(event.command.app, { since: event.at, kinds: new Set() });
        if (event.type === 'tick') for (const app of view.apps()) judge(view, app, event.at, work, mayStick);
      },
    };
  },
};

function judge(view: View, app: string, now: number, work: Map<string, Work>, mayStick: boolean): void {
  const known = work.get(app) ?? { since: view.calmFrom, kinds: new Set<Kind>() };
  const takenMs = now - known.since;
  if (isDone(view, app) || isHopeless(view, app) || isAllClosed(view) || view.row(app, 'app')?.['frozen'] === true) {
    // It may be disturbed once more by what the world had set in motion: a late create, a container that is about to crash.
    work.set(app, { since: now, kinds: new Set() });
    return;
  }
  work.set(app, known);
  for (const kind of kindsOf(view, app, mayStick)) known.kinds.add(kind);
  const { provisioningMs, deletionMs } = view.facts;
  // Twice, because what is made anew may be what a dependant waits for.
  const plainMs = 2 * (provisioningMs + deletionMs + handoverMs);
  const boundMs = noticeMs + plainMs + [...known.kinds].reduce((sum, kind) => sum + kindMs[kind], 0);
  view.measure('bound', (100 * takenMs) / boundMs);
  if (takenMs > boundMs) view.fail(`${app} has not converged within ${boundMs} ms: ${[...known.kinds].join(', ')}`);
}

function kindsOf(view: View, app: string, mayStick: boolean): readonly Kind[] {
  const replicas = view.rowsOf('replica', app).filter((row) => row['state'] !== 'gone');
  const stand = (...states: readonly string[]): boolean =>
    replicas.some((row) => states.includes(String(row['state'])));
  const kinds: Kind[] = [];
  if (view.rowsOf('op', app).some((row) => row['state'] === 'accepted')) kinds.push('message');
  if (stand('creating')) kinds.push('create');
  if (stand('starting', 'unready')) kinds.push('start');
  if (stand('failed') || replicas.some((row) => Number(row['failures']) > 0)) kinds.push('rest');
  if (mayStick && stand('deleting')) kinds.push('deletion');
  return kinds;
}

function isDone(view: View, app: string): boolean {
  const head = view.row(app, 'app');
  if (head === undefined) return true;
  const isObserved = head['state'] === 'deleted' || head['observedGeneration'] === head['generation'];
  if (!isObserved || view.rowsOf('op', app).some((row) => row['state'] === 'accepted')) return false;
  const replicas = view.rowsOf('replica', app).filter((row) => row['state'] !== 'gone');
  return view.rowsOf('service', app).every((guard) => isServed(guard, replicas));
}

function isServed(guard: RawEntity, replicas: readonly RawEntity[]): boolean {
  const own = replicas.filter(
    (row) => row['service'] === guard['service'] && (guard['removed'] === true || !isRun(row)),
  );
  const wanted = guard['removed'] === true || guard['stopped'] === true ? 0 : Number(guard['desired']);
  return own.length === wanted && own.every((row) => row['state'] === 'ready');
}

/** By command: nothing can be placed until a pool is opened again. */
const isAllClosed = (view: View): boolean => view.rows('~pools').every((row) => row['cordoned'] === true);

/** Images that no replica can become ready with, and rollouts that stopped. */
const isHopeless = (view: View, app: string): boolean =>
  view
    .rowsOf('service', app)
    .some(
      (guard) =>
        isPaused(view, app, String(guard['service'])) ||
        (guard['removed'] !== true &&
          /^flotilla\/(missing|crash)(:|$)/.test(
            imageOf(view, app, String(guard['service']), Number(guard['revision'])) ?? '',
          )),
    );
