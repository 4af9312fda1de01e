/** What a timer trigger's `schedule` may be: NCRONTAB, a TimeSpan, or a `%SETTING%` that holds one of them. All in UTC. */
import { parseCron } from './ncrontab.ts';
import { resolveSettings, type Settings } from './settings.ts';
import { timeSpanMs } from './timespan.ts';

export interface Schedule {
  /** As resolved, for logs. */
  readonly text: string;
  /** True for NCRONTAB: Azure then follows daylight saving time, here there is only UTC. */
  readonly adjustForDst: boolean;
  /** First occurrence strictly after `afterMs` (epoch ms). */
  nextAfter(afterMs: number): number;
}

export type ScheduleParse =
  | { readonly ok: true; readonly schedule: Schedule }
  | { readonly ok: false; readonly problem: string; readonly remedy: string };

const remedy = 'use six NCRONTAB fields such as "0 */5 * * * *", or a TimeSpan such as "00:05:00"';

export function parseSchedule(text: unknown, settings: Settings): ScheduleParse {
  if (typeof text !== 'string' || text.trim() === '') return { ok: false, problem: 'schedule is missing', remedy };
  const resolved = resolveSettings(text, settings);
  if (!resolved.ok) {
    const problem = `schedule refers to the setting %${resolved.missing}%, which has no value`;
    return { ok: false, problem, remedy: `set ${resolved.missing} in the environment of the host` };
  }
  const value = resolved.value.trim();
  if (value.includes(':')) return constantSchedule(value);
  const cron = parseCron(value);
  if (!cron.ok) return { ok: false, problem: `schedule "${value}": ${cron.problem}`, remedy };
  const { nextAfter } = cron.schedule;
  return {
    ok: true,
    schedule: {
      text: value,
      adjustForDst: true,
      nextAfter: (afterMs) => nextAfter(afterMs) ?? Number.MAX_SAFE_INTEGER,
    },
  };
}

function constantSchedule(text: string): ScheduleParse {
  const intervalMs = timeSpanMs(text);
  if (intervalMs === undefined || intervalMs <= 0) {
    return { ok: false, problem: `schedule "${text}" is no positive TimeSpan`, remedy };
  }
  const schedule: Schedule = { text, adjustForDst: false, nextAfter: (afterMs) => afterMs + intervalMs };
  return { ok: true, schedule };
}
