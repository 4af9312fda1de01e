import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFunctionsHost, type FunctionsHost } from '../../src/local/host/functions-host.ts';
import type { Clock } from '../../src/model/clock.ts';

const appDir = fileURLToPath(new URL('./fixtures/timer-app', import.meta.url));
const startedAt = Date.parse('2026-01-01T10:00:30Z');

interface Run {
  readonly name: string;
  readonly isPastDue: boolean;
  readonly scheduleStatus: { readonly last: string; readonly next: string } | null;
}
const shared = globalThis as typeof globalThis & { timerRuns: Run[]; timerGate: { wait: Promise<void> | undefined } };

/** Time that moves only when told to, due timers in order. */
class ManualClock implements Clock {
  #now: number;
  #due: { at: number; fire: () => void }[] = [];

  constructor(now: number) {
    this.#now = now;
  }
  now(): number {
    return this.#now;
  }
  at(at: number, fire: () => void): () => void {
    const entry = { at, fire };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((other) => other !== entry);
    };
  }
  async advanceTo(instant: string): Promise<void> {
    const target = Date.parse(instant);
    for (;;) {
      await settle();
      const next = this.#due.filter(({ at }) => at <= target).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#due = this.#due.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
    }
    this.#now = Math.max(this.#now, target);
  }
}

/** Lets everything run that waits for nothing but promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

let hosts: FunctionsHost[] = [];
let dataDir: string;
beforeEach(() => {
  shared.timerRuns = [];
  shared.timerGate = { wait: undefined };
  dataDir = mkdtempSync(join(tmpdir(), 'flotilla-timers-'));
});
afterEach(async () => {
  await Promise.all(hosts.map((host) => host.close()));
  hosts = [];
});

async function start(clock: Clock, hourly = '0 0 * * * *'): Promise<FunctionsHost> {
  const host = await createFunctionsHost({
    appDir,
    port: 0,
    dataDir,
    clock,
    settings: { HOURLY: hourly },
    log: () => undefined,
  });
  hosts.push(host);
  return host;
}

async function stop(host: FunctionsHost): Promise<void> {
  hosts = hosts.filter((other) => other !== host);
  await host.close();
}

const runsOf = (name: string) => shared.timerRuns.filter((run) => run.name === name);

describe('a timer', () => {
  it('fires on its schedule without drift', async () => {
    const clock = new ManualClock(startedAt);
    await start(clock);
    await clock.advanceTo('2026-01-01T10:03:30Z');
    expect(runsOf('everyMinute')).toHaveLength(3);
    expect(runsOf('everyMinute')[2]?.scheduleStatus).toMatchObject({
      last: '2026-01-01T10:02:00.000+00:00',
      next: '2026-01-01T10:03:00.000+00:00',
    });
  });

  it('resolves its schedule from a setting', async () => {
    const clock = new ManualClock(startedAt);
    await start(clock, '0 */10 * * * *');
    await clock.advanceTo('2026-01-01T10:30:00Z');
    expect(runsOf('hourly')).toHaveLength(3);
  });

  it('runs once at start when asked to, without a status when it is not monitored', async () => {
    const clock = new ManualClock(startedAt);
    await start(clock);
    await clock.advanceTo('2026-01-01T10:00:31Z');
    expect(runsOf('atStart')).toEqual([expect.objectContaining({ isPastDue: false, scheduleStatus: null })]);
  });

  it('goes on after a run that failed', async () => {
    const clock = new ManualClock(startedAt);
    await start(clock);
    await clock.advanceTo('2026-01-01T10:01:30Z');
    expect(runsOf('fails')).toHaveLength(3);
  });

  it('never overlaps itself: what fell into a long run follows at once, each occurrence it still owes', async () => {
    const clock = new ManualClock(startedAt);
    await start(clock);
    let open: () => void = () => undefined;
    shared.timerGate.wait = new Promise<void>((resolve) => {
      open = resolve;
    });
    await clock.advanceTo('2026-01-01T10:03:30Z');
    expect(runsOf('everyMinute')).toHaveLength(1);
    shared.timerGate.wait = undefined;
    open();
    await clock.advanceTo('2026-01-01T10:03:30Z');
    // The run began at 10:01; the next occurrence after it, 10:02, is overdue and runs now, at 10:03:30.
    expect(runsOf('everyMinute')).toHaveLength(2);
    await clock.advanceTo('2026-01-01T10:04:00Z');
    expect(runsOf('everyMinute')).toHaveLength(3);
  });

  it('that was missed while the host was down runs past due at the next start', async () => {
    const clock = new ManualClock(startedAt);
    const first = await start(clock);
    await clock.advanceTo('2026-01-01T11:00:00Z');
    expect(runsOf('hourly')).toEqual([expect.objectContaining({ isPastDue: false })]);
    await stop(first);
    shared.timerRuns = [];

    const later = new ManualClock(Date.parse('2026-01-01T12:30:00Z'));
    await start(later);
    await later.advanceTo('2026-01-01T12:30:01Z');
    expect(runsOf('hourly')).toEqual([expect.objectContaining({ isPastDue: true })]);
    await later.advanceTo('2026-01-01T13:00:00Z');
    expect(runsOf('hourly').map((run) => run.isPastDue)).toEqual([true, false]);
  });

  it('that was not missed does not run at the next start', async () => {
    const clock = new ManualClock(startedAt);
    const first = await start(clock);
    await clock.advanceTo('2026-01-01T11:00:00Z');
    await stop(first);
    shared.timerRuns = [];

    const later = new ManualClock(Date.parse('2026-01-01T11:30:00Z'));
    await start(later);
    await later.advanceTo('2026-01-01T11:30:01Z');
    expect(runsOf('hourly')).toEqual([]);
  });

  it('whose schedule changed while the host was down is measured by the new one', async () => {
    const first = await start(new ManualClock(startedAt));
    await stop(first);
    shared.timerRuns = [];

    const later = new ManualClock(Date.parse('2026-01-01T11:30:00Z'));
    await start(later, '0 45 * 2 * *');
    await later.advanceTo('2026-01-01T11:30:01Z');
    expect(runsOf('hourly')).toEqual([]);
  });

  it('ends with the host', async () => {
    const clock = new ManualClock(startedAt);
    await stop(await start(clock));
    shared.timerRuns = [];
    await clock.advanceTo('2026-01-01T10:05:00Z');
    expect(shared.timerRuns).toEqual([]);
  });
});
