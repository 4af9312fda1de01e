/** The timer functions in the form in which the Functions host calls them. */
import type { InvocationContext } from '@azure/functions';
import type { Retention } from '../commands/purge.ts';
import type { ActivitySettings } from './ports.ts';
import { resync, scan, type TimerPorts } from './resync.ts';
import { retention } from './retention.ts';

type Trigger = (timer: unknown, context: InvocationContext) => Promise<void>;

export interface Timers {
  readonly resync: Trigger;
  readonly scan: Trigger;
  readonly purge: Trigger;
}

export function createTimers(
  portsOf: (context: InvocationContext) => TimerPorts,
  settings: ActivitySettings & Retention,
): Timers {
  return {
    resync: (_, context) => resync(portsOf(context), settings),
    scan: (_, context) => scan(portsOf(context), settings),
    purge: (_, context) => retention(portsOf(context), settings),
  };
}
