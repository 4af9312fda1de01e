/** Which addresses and ports should be listening, and what they answer: derived from the records, never stored. Pure. */
import { isCutOff } from './capacity.ts';
import type { RegionState } from './faults.ts';
import { type GroupRecord, modelOf } from './model.ts';

export interface Endpoint {
  readonly groupKey: string;
  readonly group: string;
  readonly container: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: 'http' | 'tcp';
  /** Accepts connections and never answers. */
  readonly silent: boolean;
  readonly httpStatus: number;
  readonly responseDelayMs: number;
  readonly banner: string;
  /** What an HTTP answer tells about its replica. */
  readonly identity: Readonly<Record<string, string | number>>;
}

/** Only ports that both the container and the group's `ipAddress` declare are reachable from outside. */
export function endpointsOf(
  groups: readonly GroupRecord[],
  regions: Readonly<Record<string, RegionState>>,
): readonly Endpoint[] {
  return groups.flatMap((group) => {
    if (group.ip === undefined || isCutOff(group, regions)) return [];
    return group.containers.flatMap((container) => containerEndpoints(group, container));
  });
}

function containerEndpoints(group: GroupRecord, container: GroupRecord['containers'][number]): Endpoint[] {
  const { condition } = container;
  const behaviour = modelOf(container);
  if (!behaviour || behaviour.protocol === 'none' || condition === 'down' || condition === 'starting') return [];
  if (container.readiness && !container.ready) return [];
  const { protocol, banner, responseDelayMs } = behaviour;
  return behaviour.ports
    .filter((port) => group.exposed?.includes(port))
    .map((port) => ({
      groupKey: group.key,
      group: group.name,
      container: container.name,
      address: group.ip ?? '',
      port,
      protocol,
      silent: condition === 'hung',
      httpStatus: condition === 'sick' ? 503 : behaviour.httpStatus,
      responseDelayMs,
      banner,
      identity: {
        group: group.name,
        container: container.name,
        image: container.image,
        location: group.location,
        ...Object.fromEntries(Object.entries(container.labels).map(([name, value]) => [wordOf(name), value])),
        restartCount: container.restartCount,
      },
    }));
}

/** `FLOTILLA_SLOT` is shown as `slot`. */
const wordOf = (name: string): string => name.replace(/^FLOTILLA_/, '').toLowerCase();
