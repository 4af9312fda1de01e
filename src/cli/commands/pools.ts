/** `flotilla pools ls|cordon|uncordon|drain`: where replicas are placed, what is left there, and whether new ones go there. */
import type { PoolResource } from '../../model/api.ts';
import type { Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { InvocationOf } from '../invocation.ts';
import { count } from '../render.ts';
import { failWith, openSession } from '../session.ts';
import { table } from '../table.ts';

export async function pools(surroundings: Surroundings, options: InvocationOf<'pools'>): Promise<ExitCode> {
  const opened = await openSession(surroundings, options);
  if (!opened.ok) return opened.error;
  const { client, terminal } = opened.value;
  const { action, name, json } = options;
  if (action === 'ls') {
    const listed = await client.pools();
    if (!listed.ok) return failWith(opened.value, listed.error);
    for (const line of json ? [JSON.stringify(listed.value, null, 2)] : renderPools(listed.value)) terminal.line(line);
    return exitCodes.ok;
  }
  const answer = await client.poolCommand(name, action);
  if (!answer.ok) return failWith(opened.value, answer.error);
  terminal.line(json ? JSON.stringify(answer.value, null, 2) : said(answer.value));
  return exitCodes.ok;
}

function said({ name, cordoned, draining, used }: PoolResource): string {
  if (!cordoned) return `${name} takes new replicas again.`;
  const held = count(used.groups, 'container group');
  if (!draining) return `${name} takes no new replicas; ${held} in it ${used.groups === 1 ? 'stays' : 'stay'}.`;
  if (used.groups === 0) return `${name} takes no new replicas and is empty.`;
  return `${name} takes no new replicas; ${held} in it ${used.groups === 1 ? 'is' : 'are'} replaced elsewhere, of each service one at a time. \`flotilla pools ls\` shows how many are left.`;
}

function renderPools(pools: readonly PoolResource[]): string[] {
  if (pools.length === 0) return ['There are no pools: the pools file names them.'];
  const rows = pools.map((pool) => [
    pool.name,
    pool.kind,
    pool.region,
    stateOf(pool),
    `${pool.used.groups}/${pool.quota.groups}`,
    `${pool.used.cores}/${pool.quota.cores}`,
    pool.price === null ? '-' : `${pool.price.coreHour} / ${pool.price.gibHour}`,
    Object.entries(pool.labels)
      .map(([label, value]) => `${label}=${value}`)
      .join(',') || '-',
  ]);
  const messages = pools.flatMap(({ message }) => (message === null ? [] : ['', message]));
  const titles = ['POOL', 'KIND', 'REGION', 'STATE', 'GROUPS', 'CORES', 'PER CORE / GIB HOUR', 'LABELS'];
  return [...table(titles, rows), ...messages];
}

function stateOf({ cordoned, draining, reason, used }: PoolResource): string {
  if (draining) return used.groups === 0 ? 'drained' : 'draining';
  if (cordoned) return 'cordoned';
  return reason === null ? 'open' : 'moving';
}
