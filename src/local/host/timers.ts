/**
 * Fires timer triggers. Each timer runs one invocation at a time; an occurrence that fell into a longer run follows at once, once.
 * Source of the rules: TimerListener of azure-webjobs-sdk-extensions.
 */
import type { Clock } from '../../model/clock.ts';
import type { RegisteredFunction } from './functions-core.ts';
import type { Invoker, LogSink } from './invoke.ts';
import type { Schedule } from './schedule.ts';
import { checkPastDue, type ScheduleMonitor, type ScheduleStatus } from './schedule-monitor.ts';

export interface TimerOptions {
  readonly fn: RegisteredFunction;
  readonly schedule: Schedule;
  readonly runOnStartup: boolean;
  /** As registered; default true. A schedule closer than a minute is never monitored. */
  readonly useMonitor: boolean;
  readonly monitor: ScheduleMonitor;
  readonly invoker: Invoker;
  readonly log: LogSink;
  readonly clock: Clock;
}

export interface RunningTimer {
  /** No further run begins; resolves when the run under way has ended. */
  stop(): Promise<void>;
}

const monitorFromMs = 60_000;

export function startTimer(options: TimerOptions): RunningTimer {
  const { fn, schedule, clock, monitor } = options;
  const now = clock.now();
  const first = schedule.nextAfter(now);
  const monitored = options.useMonitor && schedule.nextAfter(first) - first >= monitorFromMs;
  const begin = monitored
    ? checkPastDue(monitor, fn.name, schedule.nextAfter, now)
    : { status: { lastAt: undefined, nextAt: first, lastUpdatedAt: undefined }, isPastDue: false };

  let status: ScheduleStatus = begin.status;
  let cancel: () => void = () => undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  const arm = (at: number, run: { isPastDue: boolean; unscheduled: boolean }) => {
    cancel = clock.at(at, () => {
      if (!stopped) running = fire(run);
    });
  };
  const fire = async ({ isPastDue, unscheduled }: { isPastDue: boolean; unscheduled: boolean }) => {
    const firedAt = clock.now();
    await options.invoker.invoke(fn, {
      inputData: [{ name: fn.trigger.name, data: { json: timerInfo(schedule, monitored, status, isPastDue) } }],
    });
    // A clock that fires early must not give the same occurrence twice.
    const ranAt = unscheduled ? firedAt : Math.max(firedAt, status.nextAt);
    status = { lastAt: ranAt, nextAt: schedule.nextAfter(ranAt), lastUpdatedAt: ranAt };
    if (monitored) record(options, status);
    if (!stopped) arm(status.nextAt, { isPastDue: false, unscheduled: false });
  };

  if (begin.isPastDue) arm(now, { isPastDue: true, unscheduled: true });
  else if (options.runOnStartup) arm(now, { isPastDue: false, unscheduled: true });
  else arm(status.nextAt, { isPastDue: false, unscheduled: false });

  return {
    async stop() {
      stopped = true;
      cancel();
      await running;
    },
  };
}

/** A status that cannot be written must not end the schedule; the worst of it is one past-due run more after a restart. */
function record({ monitor, fn, log }: TimerOptions, status: ScheduleStatus): void {
  try {
    monitor.update(fn.name, status);
  } catch (error) {
    log({
      level: 'error',
      category: 'host',
      message: `Status of the timer is not stored: ${error}`,
      functionName: fn.name,
    });
  }
}

/** The trigger's value; the library turns the keys into camel case. */
function timerInfo(schedule: Schedule, monitored: boolean, status: ScheduleStatus, isPastDue: boolean): string {
  return JSON.stringify({
    Schedule: { AdjustForDST: schedule.adjustForDst },
    ScheduleStatus: monitored
      ? { Last: instant(status.lastAt), Next: instant(status.nextAt), LastUpdated: instant(status.lastUpdatedAt) }
      : null,
    IsPastDue: isPastDue,
  });
}

/** .NET writes its zero date for "never". */
function instant(at: number | undefined): string {
  if (at === undefined) return '0001-01-01T00:00:00+00:00';
  return new Date(at).toISOString().replace('Z', '+00:00');
}
