/** Stand-ins: what containers do is a model in the ARM core, and what of it can be seen from outside are sockets of this process. */
import { type Duplex, Readable } from 'node:stream';
import type { Clock } from '../../model/clock.ts';
import type { Inside } from '../aci/containers-port.ts';
import { insideOf } from '../aci/probes.ts';
import { type RunningContainer, runOf } from '../aci/terminals.ts';
import { standinContainers } from './catalogue.ts';
import { createResponders, type Responders } from './responders.ts';
import type { ContainerRuntime, RuntimeWorld } from './runtime.ts';
import { openStandinTerminal } from './standin-terminal.ts';

export function createStandinRuntime(options: { readonly clock: Clock; readonly why: string }): ContainerRuntime {
  let world: RuntimeWorld | undefined;
  const responders: Responders = createResponders({
    clock: options.clock,
    report: (report) => void world?.run((now) => world?.core.reportBinding(report, now)),
  });
  const streams = createStreams(() => world);
  return {
    kind: 'standin',
    description: options.why,
    containers: standinContainers,
    settings: {},
    attach(served) {
      world = served;
      // Whatever ran when the last process died was cut off with it: to the containers that is maintenance of their host.
      void served.run((now) => served.core.maintenance(now));
    },
    reconcile() {
      responders.reconcile(world?.core.endpoints() ?? []);
      streams.look();
    },
    exec: async (target, program) =>
      streams.terminal(
        target,
        openStandinTerminal({ program, clock: options.clock, inside: () => insideOfRun(world, target) }),
      ),
    attachOutput: async (target) => streams.follow(target),
    settled: () => responders.settled(),
    close() {
      streams.close();
      return responders.close();
    },
  };
}

function findRun(world: RuntimeWorld | undefined, target: RunningContainer) {
  const group = world?.store.group(target.groupKey);
  const container = group?.containers.find((one) => one.name === target.container);
  if (!group || !container) return undefined;
  const running = runOf(group, container);
  if (running?.uid !== target.uid || running.startedAt !== target.startedAt) return undefined;
  return { group, container };
}

const GONE: Inside = { reach: () => ({ kind: 'refused' }), files: [], hostname: '', environment: {} };

function insideOfRun(world: RuntimeWorld | undefined, target: RunningContainer): Inside {
  const found = findRun(world, target);
  return found ? insideOf(found.group, found.container) : GONE;
}

interface Open {
  readonly target: RunningContainer;
  readonly end: () => void;
  /** Log lines already handed on; absent = the stream does not listen to the log. */
  seen?: number;
}

/** Streams out of containers: each ends with its run, and one that listens is given the lines that its container has printed since. */
function createStreams(world: () => RuntimeWorld | undefined) {
  const streams = new Map<Readable, Open>();
  const linesOf = (target: RunningContainer) => world()?.store.logs(target.groupKey, target.container) ?? [];
  const look = (stream: Readable, open: Open) => {
    if (open.seen !== undefined) {
      const lines = linesOf(open.target);
      for (const { text } of lines.slice(open.seen)) stream.push(`${text}\n`);
      open.seen = lines.length;
    }
    if (findRun(world(), open.target)) return;
    streams.delete(stream);
    open.end();
  };
  const add = <S extends Readable>(stream: S, open: Open): S => {
    streams.set(stream, open);
    stream.once('close', () => streams.delete(stream));
    look(stream, open);
    return stream;
  };
  return {
    terminal: (target: RunningContainer, terminal: Duplex) => add(terminal, { target, end: () => terminal.end() }),
    follow(target: RunningContainer) {
      const output = new Readable({ read: () => undefined });
      return add(output, { target, end: () => output.push(null), seen: linesOf(target).length });
    },
    look() {
      for (const [stream, open] of streams) look(stream, open);
    },
    close() {
      for (const stream of streams.keys()) stream.destroy();
    },
  };
}
