/** `flotilla logs APP[.SERVICE[.SLOT]] [-f]`: what containers print. */
import type { ApiError, LogsQuery } from '../../client/client.ts';
import type { LogList, ReplicaLog } from '../../model/api.ts';
import type { Result } from '../../model/result.ts';
import type { Session, Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { InvocationOf } from '../invocation.ts';
import { type LogMemory, newsOf } from '../log-feed.ts';
import { inOrder, type LogSource, nameOfSource, renderLogLine, type SourcedLine } from '../log-lines.ts';
import { failWith, openSession } from '../session.ts';
import { nameOfTarget } from '../target.ts';
import { isAbsent } from '../wait.ts';

type Options = InvocationOf<'logs'>;

export async function logs(surroundings: Surroundings, options: Options): Promise<ExitCode> {
  const opened = await openSession(surroundings, options);
  if (!opened.ok) return opened.error;
  const session = opened.value;
  const printer = createPrinter(session, options);
  const first = await read(session, options, { tail: options.tail, ...sinceOf(session, options) });
  if (!first.ok) return failWith(session, first.error);
  const feed = createFeed(session, options, printer);
  feed.absorb(first.value.logs);
  tellOmitted(session, first.value);
  if (options.follow) return await follow(session, options, feed, first.value);
  for (const log of first.value.logs)
    if (log.problem !== null) session.terminal.note(`${nameOfSource(log)}: ${log.problem}`);
  if (first.value.logs.length === 0) session.terminal.note(nothing(options));
  return first.value.logs.length > 0 && first.value.logs.every(({ problem }) => problem !== null)
    ? exitCodes.failed
    : exitCodes.ok;
}

const nothing = ({ target, previous, run }: Options): string =>
  run !== null
    ? `No log of run ${run} of ${nameOfTarget(target)} is kept.`
    : previous
      ? `No log of a replica of ${nameOfTarget(target)} that is gone is kept.`
      : `${nameOfTarget(target)} has no replica with a container group.`;

function sinceOf({ now }: Session, { since }: Options): Pick<LogsQuery, 'since'> {
  if (since === null) return {};
  return { since: new Date('at' in since ? since.at : now() - since.ageMs).toISOString() };
}

const read = (
  { client }: Session,
  { target, container, previous, run }: Options,
  query: LogsQuery,
): Promise<Result<LogList, ApiError>> =>
  client.logs(target.app, {
    ...(target.service !== null && { service: target.service }),
    ...(target.slot !== null && { slot: target.slot }),
    ...(container !== null && { container }),
    ...(run !== null && { run }),
    ...(previous && { previous }),
    ...query,
  });

function tellOmitted({ terminal }: Session, { omitted }: LogList): void {
  if (omitted === 0) return;
  terminal.note(
    `${omitted} more ${omitted === 1 ? 'replica is' : 'replicas are'} not shown: name a service or a slot.`,
  );
}

type Printer = (logs: readonly { readonly source: LogSource; readonly lines: ReplicaLog['lines'] }[]) => void;

function createPrinter({ terminal }: Session, { target, timestamps, json, run }: Options): Printer {
  const named = target.slot === null && run === null;
  let width = 0;
  return (logs) => {
    for (const { source } of logs) width = Math.max(width, nameOfSource(source).length);
    for (const line of inOrder(logs)) {
      if (json) terminal.line(JSON.stringify(asJson(target.app, line)));
      else terminal.line(renderLogLine(line, { named, timestamps, colours: terminal.colours, width }));
    }
  };
}

const asJson = (app: string, { source, at, text }: SourcedLine) => ({ app, ...source, at, text });

interface Feed {
  /** Prints what is new; the value says of whom lines may be missing. */
  absorb(logs: readonly ReplicaLog[], last?: boolean): readonly ReplicaLog[];
  /** Replicas that were seen before and are not in this list. */
  lost(logs: readonly ReplicaLog[]): readonly LogSource[];
  forget(source: LogSource): void;
}

function createFeed({ terminal }: Session, { json }: Options, print: Printer): Feed {
  const known = new Map<string, { readonly source: LogSource; readonly memory: LogMemory }>();
  return {
    absorb(logs, last = false) {
      const behind: ReplicaLog[] = [];
      const news = logs.flatMap((log) => {
        const { service, slot, incarnation, container } = log;
        const source = { service, slot, incarnation, container };
        const { lines, gap, memory } = newsOf(known.get(keyOf(log))?.memory ?? { lines: [] }, log);
        if (gap && !last) {
          behind.push(log);
          return [];
        }
        if (gap && !json)
          terminal.note(`${nameOfSource(log)}: more was printed than ACI keeps; lines are missing here.`);
        known.set(keyOf(log), { source, memory });
        return [{ source, lines }];
      });
      print(news);
      return behind;
    },
    lost(logs) {
      const seen = new Set(logs.map(keyOf));
      return [...known].filter(([key]) => !seen.has(key)).map(([, { source }]) => source);
    },
    forget: (source) => void known.delete(keyOf(source)),
  };
}

const keyOf = ({ service, slot, incarnation, container }: LogSource): string =>
  JSON.stringify([service, slot, incarnation, container]);

/** Lines of one read while it is followed; more are asked for where they do not reach back to what is known. */
const followTail = 500;
const tailMax = 5_000;
/** How long the API may be silent. */
const silenceMs = 60_000;

/** At most four reads of ARM a second, whatever is followed: they are shared with the orchestrator itself. */
const pauseMs = (replicas: number): number => Math.max(1_000, replicas * 250);

async function follow(session: Session, options: Options, feed: Feed, first: LogList): Promise<ExitCode> {
  let heardAt = session.now();
  let waitMs = pauseMs(first.logs.length);
  for (;;) {
    await session.sleep(waitMs);
    if (session.interrupted.aborted) return exitCodes.ok;
    const next = await read(session, options, { tail: followTail });
    if (next.ok) {
      heardAt = session.now();
      const { logs } = next.value;
      await catchUp(session, options, feed, feed.absorb(logs));
      for (const source of feed.lost(logs)) await bidFarewell(session, options, feed, source);
      waitMs = Math.max(pauseMs(logs.length), ...logs.map(({ retryAfterMs }) => retryAfterMs ?? 0));
    } else if (isAbsent(next.error) && options.target.slot !== null) {
      // The slot is empty for a moment: its next replica is on its way.
      heardAt = session.now();
    } else if (next.error.kind !== 'unreachable' || session.now() - heardAt >= silenceMs) {
      return failWith(session, next.error);
    }
  }
}

/** Of those whose last lines did not reach back to what is known, all that ACI has. */
async function catchUp(session: Session, options: Options, feed: Feed, behind: readonly ReplicaLog[]): Promise<void> {
  for (const { service, slot } of behind) {
    const more = await read(session, options, { service, slot, tail: tailMax });
    if (more.ok) feed.absorb(more.value.logs, true);
  }
}

/** What a replica printed between the last read and its deletion was kept. */
async function bidFarewell(session: Session, options: Options, feed: Feed, source: LogSource): Promise<void> {
  const { service, slot, incarnation } = source;
  const kept = await read(session, { ...options, previous: true }, { service, slot, tail: tailMax });
  if (!kept.ok) return;
  feed.absorb(
    kept.value.logs.filter((log) => log.incarnation === incarnation),
    true,
  );
  feed.forget(source);
  if (!options.json) session.terminal.note(`${nameOfSource(source)}: the replica is gone.`);
}
