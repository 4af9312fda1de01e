/** Timer functions: the embedded host's own timers, run by one host at a time. When it is gone, another one takes over after a while. */
import type { ScheduleMonitor, ScheduleStatus } from '../../../src/local/host/schedule-monitor.ts';
import { startTimer } from '../../../src/local/host/timers.ts';
import { timerFaults } from '../faults/registry.ts';
import { clock } from '../virtual/clock.ts';
import { mayStrike, noteFault, type WorldCore } from './core.ts';
import type { SimHost } from './host.ts';

export interface FunctionTimers {
  /** A host has started or is gone. */
  settle(hosts: readonly SimHost[]): void;
}

const takeOverMs = 15_000;

export function createFunctionTimers(world: WorldCore): FunctionTimers {
  const statuses = new Map<string, ScheduleStatus>();
  const monitor: ScheduleMonitor = {
    status: (timer) => statuses.get(timer),
    update: (timer, status) => void statuses.set(timer, status),
    close() {},
  };
  let leader: SimHost | null = null;
  let waiting = false;

  function settle(hosts: readonly SimHost[]): void {
    if (leader?.isServing || waiting) return;
    const isFirst = leader === null;
    leader = null;
    waiting = true;
    const takeOver = (): void => {
      waiting = false;
      const next = hosts.find((host) => host.isServing);
      if (next) begin(next);
    };
    if (isFirst) takeOver();
    else clock.at(clock.now + takeOverMs, takeOver);
  }

  function begin(host: SimHost): void {
    leader = host;
    for (const plan of host.plan.timers) {
      startTimer({ ...plan, monitor, invoker: host.invoker, log: () => undefined, clock: clockOf(host, plan.fn.name) });
    }
  }

  /** A timer may come up to a second early, late, or so late that its occurrence was lost. */
  function clockOf(host: SimHost, name: string) {
    const offsets = { timerEarly: -900, timerLate: 20_000, timerLost: 95_000 } as const;
    return {
      now: () => clock.now,
      at(atMs: number, fire: () => void) {
        const weights = [0, ...timerFaults.map((fault) => (mayStrike(world, fault) ? 0.05 * world.plan.factor : 0))];
        const fault = timerFaults[world.choices.weighted(`timer ${name}`, weights) - 1];
        if (fault) noteFault(world, fault, { host: host.id, fn: name, instance: null, about: '' }, name);
        // Not the host's own: a schedule that goes on would hide that everything else on it waits for nothing.
        const begin = () => !host.owner.dead && fire();
        const event = clock.at(Math.max(clock.now + 1, atMs + (fault ? offsets[fault] : 0)), begin);
        return () => clock.cancel(event);
      },
    };
  }

  return { settle };
}
