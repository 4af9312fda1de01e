/** Stand-ins: what containers do is a model in the ARM core, and what of it can be seen from outside are sockets of this process. */
import type { Clock } from '../../model/clock.ts';
import { standinContainers } from './catalogue.ts';
import { createResponders, type Responders } from './responders.ts';
import type { ContainerRuntime, RuntimeWorld } from './runtime.ts';

export function createStandinRuntime(options: { readonly clock: Clock; readonly why: string }): ContainerRuntime {
  let world: RuntimeWorld | undefined;
  const responders: Responders = createResponders({
    clock: options.clock,
    report: (report) => void world?.run((now) => world?.core.reportBinding(report, now)),
  });
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
    reconcile: () => responders.reconcile(world?.core.endpoints() ?? []),
    settled: () => responders.settled(),
    close: () => responders.close(),
  };
}
