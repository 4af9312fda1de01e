/** The hosts of a world: started, crashed, given up as zombies, replaced, and replaced by a new version of the app. */
import type { DurableEngine } from '../../../src/local/host/engine/engine.ts';
import type { FaultName } from '../faults/registry.ts';
import { clock } from '../virtual/clock.ts';
import type { Bus } from './bus.ts';
import { mayStrike, strikes, type WorldCore } from './core.ts';
import type { Build, HostParts } from './host.ts';
import { SimHost } from './host.ts';
import type { FunctionTimers } from './timers.ts';

export interface Fleet {
  readonly hosts: readonly SimHost[];
  start(): void;
  /** `zombie`: nothing new is given to it, but it lives on for two minutes. */
  end(hostId: string, how: 'crashed' | 'zombie' | 'stopped', fault: FaultName | null): void;
  /** A new version of the app: its first host starts beside the old ones, which are stopped one after another. `reshaped`: its workflows take other steps. */
  deploy(reshaped: boolean): void;
}

export interface FleetOptions {
  readonly world: WorldCore;
  readonly parts: () => HostParts;
  readonly engine: DurableEngine;
  readonly timers: FunctionTimers;
  readonly bus: Bus;
  /** How many are kept alive. */
  readonly size: number;
}

const zombieLifeMs = 2 * 60_000;
/** How far the date of a host may be off. */
export const skewsMs: readonly number[] = [0, -5_000, 5_000, -60_000, 60_000];
/** Both versions are alive for this long, and then as long again for each further host. */
const overlapMs = 12_000;
/** One wait more in every round: no history that the old code has written fits the new. */
const reshapedWalk = new Map([
  [
    'src/orchestrations/walk.ts',
    [
      {
        find: 'const seen = yield* look(df, target);',
        replace:
          'yield df.createTimer(new Date(timeOf(df) + shortestWaitMs));\n    const seen = yield* look(df, target);',
      },
    ],
  ],
]);

export function createFleet({ world, parts, engine, timers, bus, size }: FleetOptions): Fleet {
  const hosts: SimHost[] = [];
  let serial = 0;
  let build: Build = { version: null, patches: new Map() };
  let builds = 0;

  function start(): void {
    serial += 1;
    const id = `h${serial}`;
    const skewMs = mayStrike(world, 'clockSkew')
      ? (skewsMs[world.choices.pick(`host ${id}/skew`, skewsMs.length)] ?? 0)
      : 0;
    const host = new SimHost(id, skewMs, build, parts());
    host.start();
    hosts.push(host);
    world.emit({
      type: 'host',
      at: clock.now,
      host: id,
      change: 'started',
      fault: skewMs === 0 ? null : 'clockSkew',
      version: build.version,
    });
    engine.attach(host.worker());
    timers.settle(hosts);
    bus.wake();
  }

  function end(hostId: string, how: 'crashed' | 'zombie' | 'stopped', fault: FaultName | null): void {
    const host = hosts.find(({ id }) => id === hostId);
    if (!host || host.owner.dead) return;
    if (how === 'zombie' && !host.isServing) return;
    host.isServing = false;
    world.emit({ type: 'host', at: clock.now, host: hostId, change: how, fault });
    engine.drop(hostId, 'host');
    if (how === 'zombie') clock.at(clock.now + zombieLifeMs, () => end(hostId, 'stopped', null));
    else {
      host.die();
      hosts.splice(hosts.indexOf(host), 1);
    }
    timers.settle(hosts);
    const serving = hosts.filter(({ isServing }) => isServing).length;
    if (serving >= size) return;
    const delayMs = 1_000 + world.choices.pick(`host after ${hostId}/ms`, 60) * 1_000;
    clock.at(clock.now + delayMs, () => {
      if (hosts.filter(({ isServing }) => isServing).length < size) start();
      // The platform scales out for a moment now and then.
      if (strikes(world, 'twoHosts', `host after ${hostId}`, 0.3)) start();
    });
  }

  function deploy(reshaped: boolean): void {
    builds += 1;
    build = { version: `0.${builds + 1}.0`, patches: reshaped ? reshapedWalk : new Map() };
    const old = hosts.filter(({ isServing }) => isServing);
    start();
    for (const [index, { id }] of old.entries())
      clock.at(clock.now + overlapMs * (index + 1), () => end(id, 'crashed', 'deploy'));
  }

  return { hosts, start, end, deploy };
}
