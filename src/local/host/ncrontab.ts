/**
 * NCRONTAB as the timer trigger reads it: six fields with seconds (five mean second 0), evaluated in UTC. Both day fields must match
 * (Vixie cron would take either), `a/n` runs from `a` to the field's end, 7 is no weekday, and `? L W #` do not exist.
 * Stricter than NCrontab in two slips: a backward range (which it silently turns round) and names of fewer than three letters.
 * Source: NCrontab 3.3 and azure-webjobs-sdk-extensions CronSchedule.
 */

/** A parsed schedule. */
interface CronSchedule {
  readonly text: string;
  /** First occurrence strictly after `afterMs` (epoch ms, UTC), or `undefined` when there is none (30 February). */
  nextAfter(afterMs: number): number | undefined;
}

export type CronParse =
  | { readonly ok: true; readonly schedule: CronSchedule }
  | { readonly ok: false; readonly problem: string };

interface Field {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const months = 'january february march april may june july august september october november december'.split(' ');
const weekdays = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');

const fields: readonly Field[] = [
  { label: 'second', min: 0, max: 59 },
  { label: 'minute', min: 0, max: 59 },
  { label: 'hour', min: 0, max: 23 },
  { label: 'day of month', min: 1, max: 31 },
  { label: 'month', min: 1, max: 12, names: months },
  { label: 'day of week', min: 0, max: 6, names: weekdays },
];

/** 29 February on a given weekday comes at least once in 40 years (28, or 40 across a century without a leap day). */
const horizonYears = 41;

export function parseCron(text: string): CronParse {
  const given = text.trim().split(/\s+/);
  const parts = given.length === 5 ? ['0', ...given] : given;
  if (parts.length !== 6) {
    return {
      ok: false,
      problem: `has ${text.trim() === '' ? 0 : given.length} fields instead of 6 (second minute hour day month weekday)`,
    };
  }
  const sets: ReadonlySet<number>[] = [];
  for (const [index, field] of fields.entries()) {
    const set = parseField(parts[index] ?? '', field);
    if (typeof set === 'string') return { ok: false, problem: set };
    sets.push(set);
  }
  const [second, minute, hour, day, month, weekday] = sets.map((set) => [...set].sort((a, b) => a - b));
  if (!second || !minute || !hour || !day || !month || !weekday) throw new Error('six fields were parsed');
  const schedule: CronSchedule = {
    text,
    nextAfter: (afterMs) => nextOccurrence({ second, minute, hour, day, month, weekday }, afterMs),
  };
  if (schedule.nextAfter(0) === undefined) return { ok: false, problem: 'never occurs' };
  return { ok: true, schedule };
}

/** A set of numbers, or what is wrong. */
function parseField(text: string, field: Field): ReadonlySet<number> | string {
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const range = parseItem(item, field);
    if (typeof range === 'string') return range;
    for (let value = range.from; value <= range.to; value += range.step) values.add(value);
  }
  return values;
}

function parseItem(item: string, field: Field): { from: number; to: number; step: number } | string {
  const [range = '', stepText, ...rest] = item.split('/');
  const step = stepText === undefined ? 1 : Number(stepText);
  if (rest.length > 0 || !Number.isInteger(step) || step < 1 || stepText === '') {
    return `"${item}" is not a valid step in the ${field.label} field`;
  }
  if (range === '*') return { from: field.min, to: field.max, step };
  const [fromText = '', toText, ...more] = range.split('-');
  const from = parseValue(fromText, field);
  const to = toText === undefined ? from : parseValue(toText, field);
  if (from === undefined || to === undefined || more.length > 0) {
    return `"${item}" is not valid in the ${field.label} field (${field.min} to ${field.max})`;
  }
  if (from > to) return `"${item}" runs backwards in the ${field.label} field`;
  return { from, to: toText === undefined && stepText !== undefined ? field.max : to, step };
}

function parseValue(text: string, field: Field): number | undefined {
  if (/^\d+$/.test(text)) {
    const value = Number(text);
    return value >= field.min && value <= field.max ? value : undefined;
  }
  if (text.length < 3 || !field.names) return undefined;
  const index = field.names.findIndex((name) => name.startsWith(text.toLowerCase()));
  return index < 0 ? undefined : index + field.min;
}

interface Allowed {
  readonly second: readonly number[];
  readonly minute: readonly number[];
  readonly hour: readonly number[];
  readonly day: readonly number[];
  readonly month: readonly number[];
  readonly weekday: readonly number[];
}

function nextOccurrence(allowed: Allowed, afterMs: number): number | undefined {
  const start = new Date((Math.floor(afterMs / 1000) + 1) * 1000);
  const lastYear = start.getUTCFullYear() + horizonYears;
  let dayStart = Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate());
  let fromSecond = start.getUTCHours() * 3600 + start.getUTCMinutes() * 60 + start.getUTCSeconds();
  for (;;) {
    const date = new Date(dayStart);
    const year = date.getUTCFullYear();
    if (year > lastYear) return undefined;
    if (!allowed.month.includes(date.getUTCMonth() + 1)) {
      dayStart = Date.UTC(year, date.getUTCMonth() + 1, 1);
    } else {
      const dayMatches = allowed.day.includes(date.getUTCDate()) && allowed.weekday.includes(date.getUTCDay());
      const second = dayMatches ? nextSecondOfDay(allowed, fromSecond) : undefined;
      if (second !== undefined) return dayStart + second * 1000;
      dayStart += 86_400_000;
    }
    fromSecond = 0;
  }
}

/** First allowed second of a day at or after `from`. */
function nextSecondOfDay({ hour, minute, second }: Allowed, from: number): number | undefined {
  for (const h of hour) {
    if ((h + 1) * 3600 <= from) continue;
    for (const m of minute) {
      const base = h * 3600 + m * 60;
      if (base + 60 <= from) continue;
      const found = second.find((s) => base + s >= from);
      if (found !== undefined) return base + found;
    }
  }
  return undefined;
}
