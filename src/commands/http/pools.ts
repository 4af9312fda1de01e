/**
 * Pools through the API: what they offer, what is left of it, and whether new replicas are placed there. What a pool is stands in the pools file; that it
 * is cordoned or drained is kept in its row, which a changed file leaves alone.
 */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { z } from 'zod';
import type { PoolCommand } from '../../model/api.ts';
import { keys } from '../../model/keys.ts';
import { namePattern } from '../../model/limits.ts';
import type { PoolRow } from '../../model/state.ts';
import { poolCommands } from '../../model/state.ts';
import type { CommandPorts } from '../ports.ts';
import { readDocument } from './request.ts';
import { json, problem, unavailable } from './responses.ts';
import { poolOf } from './views.ts';

export type PoolPorts = Pick<CommandPorts, 'store' | 'pools' | 'ids' | 'log' | 'sleep'>;

export async function getPools(ports: Pick<PoolPorts, 'pools'>): Promise<HttpResponseInit> {
  const pools = await ports.pools();
  if (!pools.ok) return unavailable(pools.error);
  const shown = pools.value.filter(({ retired }) => !retired).toSorted((a, b) => a.order - b.order);
  return json(200, shown.map(poolOf));
}

const body = z.strictObject({ command: z.enum(poolCommands) });

export async function postPoolCommand(ports: PoolPorts, request: HttpRequest): Promise<HttpResponseInit> {
  const name = request.params['pool'] ?? '';
  const document = await readDocument(request);
  if (!document.ok) return document.error;
  const command = body.safeParse(document.value);
  if (!command.success) {
    return problem('invalidDocument', `Send {"command": "drain"}; there are ${poolCommands.join(', ')}.`);
  }
  return await change(ports, name, command.data.command);
}

/** Reservations of every app change the same row, so that losing a race is common. */
const triesMax = 20;

async function change(ports: PoolPorts, name: string, command: PoolCommand): Promise<HttpResponseInit> {
  const { store, ids, log } = ports;
  // Also for a pool that nobody has read since the file names it.
  const known = await ports.pools();
  if (!known.ok) return unavailable(known.error);
  const names = known.value.filter(({ retired }) => !retired).map(({ pool }) => pool);
  if (!namePattern.test(name) || !names.includes(name)) {
    return problem('notFound', `There is no pool «${name.slice(0, 40)}»; configured: ${names.sort().join(', ')}.`);
  }
  for (let tries = 1; ; tries += 1) {
    const read = await store.read<PoolRow>(keys.pool(name));
    if (!read.ok) return unavailable(read.error);
    if (read.value === null) return problem('notFound', `There is no pool «${name}».`);
    const { etag, ...row } = read.value;
    const next: PoolRow = { ...row, ...changed[command] };
    if (next.cordoned === row.cordoned && next.draining === (row.draining ?? false)) return json(200, poolOf(next));
    const written = await store.commit({ txId: ids.next(), changes: [{ type: 'update', row: next, etag }] });
    if (written.ok) {
      log.info('A pool was changed by command.', { pool: name, command });
      return json(200, poolOf(next));
    }
    // What an unknown outcome was, the next read shows: the same change twice is one.
    const isRaced = written.error.kind === 'Conflict' || written.error.kind === 'Unknown';
    if (!isRaced || tries === triesMax) return unavailable({ ...written.error, kind: 'Unavailable' });
    await ports.sleep(5 * tries);
  }
}

const changed: Readonly<Record<PoolCommand, Pick<PoolRow, 'cordoned' | 'draining'>>> = {
  cordon: { cordoned: true, draining: false },
  uncordon: { cordoned: false, draining: false },
  drain: { cordoned: true, draining: true },
};
