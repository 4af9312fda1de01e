/**
 * Actions that take several decisions one after another: retries, long timers, callHttp with polling. They wake up while an event is
 * processed, in the same order as the extension's own loops, so that ids agree.
 */
import type { Action, DurableHttpRequest } from './actions.ts';
import { Cell } from './cells.ts';
import type { Decision } from './decisions.ts';
import { pollableAnswer } from './http-answer.ts';
import { type RetryOptions, retryDelayMs } from './retry.ts';
import { hangs } from './texts.ts';

export const httpActivityName = 'BuiltIn::HttpActivity';

export interface ReplayLimits {
  readonly maximumShortTimerMs: number;
  readonly longTimerIntervalMs: number;
  readonly httpPollMs: number;
}

/** The limits of the Azure Storage backend: six days, legs of three days, callHttp polls every 30 s. */
export const azureStorageLimits: ReplayLimits = {
  maximumShortTimerMs: 6 * 86_400_000,
  longTimerIntervalMs: 3 * 86_400_000,
  httpPollMs: 30_000,
};

/** What a flow may do to the replay that it is part of. */
export interface Scheduler {
  /** The orchestration's own time: that of the last OrchestratorStarted. */
  readonly nowMs: number;
  readonly limits: ReplayLimits;
  /** Why an instance that gets stuck is failed instead. */
  refusal: string | undefined;
  /** Takes the next id; the cell settles with its answer. */
  decide(make: (id: number) => Decision): Cell;
  /** Nothing waits for this id any more; its decision stands. */
  withdraw(id: number): void;
}

function fire(replay: Scheduler, atMs: number): Cell {
  return replay.decide((id) => ({ kind: 'timer', id, fireAtMs: atMs }));
}

/** Above the backend's limit a timer is a chain of legs; a cancelled one finishes at once but still takes its id. */
export function timerFlow(replay: Scheduler, action: Action): Cell {
  const fireAtMs = Date.parse(action.fireAt ?? '');
  const { maximumShortTimerMs, longTimerIntervalMs } = replay.limits;
  const isLong = fireAtMs - replay.nowMs > maximumShortTimerMs;
  const done = new Cell();
  const leg = (atMs: number) => {
    let timerId = -1;
    const fired = replay.decide((id) => {
      timerId = id;
      return { kind: 'timer', id, fireAtMs: atMs };
    });
    if (action.isCanceled) {
      replay.withdraw(timerId);
      done.settle(true);
      return;
    }
    fired.whenSettled(() => {
      const restMs = fireAtMs - replay.nowMs;
      if (!isLong || restMs <= 0) done.settle(false);
      else leg(replay.nowMs + Math.min(restMs, longTimerIntervalMs));
    });
  };
  leg(isLong ? replay.nowMs + longTimerIntervalMs : fireAtMs);
  return done;
}

export function retryFlow(replay: Scheduler, action: Action, attempt: () => Cell): Cell {
  const options: RetryOptions = action.retryOptions ?? { firstRetryIntervalInMilliseconds: 1, maxNumberOfAttempts: 1 };
  const startedAtMs = replay.nowMs;
  const done = new Cell();
  const next = (failedBefore: number) => {
    const call = attempt();
    call.whenSettled(() => {
      if (!call.failed) {
        done.settle(false, call.value);
        return;
      }
      const failed = failedBefore + 1;
      if (failed >= options.maxNumberOfAttempts) {
        // One more timer, due at once: DurableTask keeps it for old histories, and the SDK waits for it.
        fire(replay, replay.nowMs).whenSettled(() => done.settle(true));
        return;
      }
      const delayMs = retryDelayMs(options, failed, startedAtMs, replay.nowMs);
      if (delayMs === undefined) {
        replay.refusal ??= hangs.retryTimeout(action.functionName ?? '');
        done.settle(true);
        return;
      }
      fire(replay, replay.nowMs + delayMs).whenSettled(() => next(failed));
    });
  };
  next(0);
  return done;
}

/** callHttp: 202 with a Location is polled until another status comes. */
export function httpFlow(replay: Scheduler, request: DurableHttpRequest): Cell {
  const done = new Cell();
  const send = (input: DurableHttpRequest) => {
    const call = replay.decide((id) => ({ kind: 'activity', id, name: httpActivityName, input }));
    call.whenSettled(() => {
      const answer = call.failed ? undefined : pollableAnswer(call.value);
      if (answer?.statusCode !== 202 || request.asynchronousPatternEnabled === false || answer.location === undefined) {
        done.settle(call.failed, call.value);
        return;
      }
      const { headers, tokenSource } = request;
      const poll: DurableHttpRequest = {
        method: 'GET',
        uri: answer.location,
        ...(headers && { headers }),
        ...(tokenSource !== undefined && { tokenSource }),
      };
      fire(replay, replay.nowMs + (answer.retryAfterMs ?? replay.limits.httpPollMs)).whenSettled(() => send(poll));
    });
  };
  send(request);
  return done;
}
