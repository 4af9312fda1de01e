/** What the running containers of an owner have used so far, as the engine counts it. */
import type Docker from 'dockerode';
import { unless } from './failure.ts';
import { labels, type Owner } from './labels.ts';

export interface UsageSeen {
  readonly id: string;
  /** Of the group. */
  readonly uid: string;
  /** Absent = it is the sandbox, which has the network of all. */
  readonly container?: string;
  readonly run: number;
  /** Epoch ms; `createdAt` in whole seconds. */
  readonly createdAt: number;
  readonly at: number;
  /** Processor time since its start, in ns. */
  readonly cpuNs: number;
  /** Now, without what is only cached from files that are not in use. */
  readonly memoryBytes: number;
  /** Since its start. */
  readonly receivedBytes: number;
  readonly transmittedBytes: number;
}

/** Containers that end meanwhile are left out. */
export async function usageOf(docker: Docker, owner: Owner): Promise<readonly UsageSeen[]> {
  const filters = { label: [`${labels.owner}=${owner.id}`, labels.uid], status: ['running'] };
  const running = await docker.listContainers({ filters });
  const seen = await Promise.all(running.map((one) => usageOfOne(docker, one)));
  return seen.filter((one) => one !== undefined);
}

async function usageOfOne(
  docker: Docker,
  { Id, Labels, Created }: Docker.ContainerInfo,
): Promise<UsageSeen | undefined> {
  const stats = await unless([404, 409], docker.getContainer(Id).stats({ stream: false, 'one-shot': true }));
  const at = Date.parse(stats?.read ?? '');
  if (!stats || !(at > 0)) return undefined; // the engine writes year 1 when it has ended
  const container = Labels[labels.container];
  const networks = Object.values(stats.networks ?? {});
  return {
    id: Id,
    uid: Labels[labels.uid] ?? '',
    ...(container !== undefined && { container }),
    run: Number(Labels[labels.run] ?? 0),
    createdAt: Created * 1000,
    at,
    cpuNs: stats.cpu_stats?.cpu_usage?.total_usage ?? 0,
    memoryBytes: memoryOf(stats.memory_stats as Memory | undefined),
    receivedBytes: networks.reduce((total, { rx_bytes }) => total + rx_bytes, 0),
    transmittedBytes: networks.reduce((total, { tx_bytes }) => total + tx_bytes, 0),
  };
}

interface Memory {
  readonly usage?: number;
  readonly stats?: Readonly<Record<string, number>>;
}

/** As `docker stats` counts it: control groups of version 2 and 1 have two names for the same cache. */
function memoryOf({ usage = 0, stats = {} }: Memory = {}): number {
  const cache = stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0;
  return Math.max(0, usage - cache);
}
