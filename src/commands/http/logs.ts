/**
 * Log lines of the replicas of an app: read from ACI for those that have a container group, from the table for the last one of a slot that is gone.
 * ACI has no way to follow a log or to begin at an instant, so that a client which follows reads the last lines again and again.
 */
import type { HttpResponseInit } from '@azure/functions';
import type { LogList, ReplicaLog } from '../../model/api.ts';
import { keys } from '../../model/keys.ts';
import { namePattern } from '../../model/limits.ts';
import { newestLines, parseLogLines } from '../../model/logs.ts';
import { firstRunSlot, runSlot } from '../../model/run.ts';
import type { LogLine, LogRow, PoolRow, ReplicaRow, Stored } from '../../model/state.ts';
import { mayHaveGroup } from '../../model/transitions.ts';
import type { ContainerGroups } from '../../ports/container-groups.ts';
import type { PortError } from '../../ports/errors.ts';
import type { CommandPorts } from '../ports.ts';
import { type LogRequest, readLogRequest } from './request.ts';
import { json, noSuchApp, problem, unavailable } from './responses.ts';

export interface LogPorts extends Pick<CommandPorts, 'store' | 'pools'> {
  readonly groups: Pick<ContainerGroups, 'logs'>;
}

/** One answer costs at most so many reads of ARM, which refill at 25 per second and subscription (aci: quotas). */
const replicasMax = 20;
const readsAtOnce = 5;
/** ACI's own limit for one container; here for all of an answer. */
const answerBytes = 4 * 1024 * 1024;

export async function getLogs(ports: LogPorts, app: string, query: URLSearchParams): Promise<HttpResponseInit> {
  const request = readLogRequest(query);
  if (!request.ok) return request.error;
  if (!namePattern.test(app)) return noSuchApp(app);
  if (request.value.run !== null) return await runLogs(ports, app, request.value, request.value.run);
  return request.value.previous
    ? await previousLogs(ports, app, request.value)
    : await presentLogs(ports, app, request.value);
}

/** Of a run, whether it is under way or over. */
async function runLogs(ports: LogPorts, app: string, request: LogRequest, run: number): Promise<HttpResponseInit> {
  const asked = { ...request, slot: runSlot(run) };
  const rows = await ports.store.readApp(app);
  if (!rows.ok) return unavailable(rows.error);
  const standing = rows.value.replicas.some((row) => mayHaveGroup(row.state) && isMeant(row, asked));
  return standing ? await presentLogs(ports, app, asked) : await previousLogs(ports, app, asked);
}

async function presentLogs(ports: LogPorts, app: string, request: LogRequest): Promise<HttpResponseInit> {
  const [rows, pools] = await Promise.all([ports.store.readApp(app), ports.pools()]);
  if (!rows.ok) return unavailable(rows.error);
  if (!pools.ok) return unavailable(pools.error);
  if (rows.value.app === null) return noSuchApp(app);
  const { service, slot } = request;
  if (service !== null && !rows.value.guards.some((guard) => guard.service === service))
    return noSuchService(app, service);
  const wanted = rows.value.replicas
    .filter((replica) => mayHaveGroup(replica.state) && isMeant(replica, request))
    .toSorted(bySlot);
  if (slot !== null && wanted.length === 0) {
    return problem('notFound', `${service} has no replica in slot ${slot}; see \`previous\` for one that is gone.`);
  }
  const chosen = wanted.slice(0, replicasMax);
  const shareBytes = Math.floor(answerBytes / Math.max(1, chosen.length));
  const logs: ReplicaLog[] = [];
  for (let n = 0; n < chosen.length; n += readsAtOnce) {
    const batch = chosen.slice(n, n + readsAtOnce);
    logs.push(...(await Promise.all(batch.map((one) => readLog(ports, one, pools.value, request, shareBytes)))));
  }
  return json(200, { logs, omitted: wanted.length - chosen.length } satisfies LogList);
}

const isMeant = (row: { readonly service: string; readonly slot: number }, { service, slot }: LogRequest): boolean =>
  (service === null || row.service === service) && (slot === null ? row.slot < firstRunSlot : row.slot === slot);

const bySlot = (a: ReplicaRow, b: ReplicaRow): number =>
  a.service < b.service ? -1 : a.service > b.service ? 1 : a.slot - b.slot || a.incarnation - b.incarnation;

async function readLog(
  { groups }: LogPorts,
  replica: ReplicaRow,
  pools: readonly PoolRow[],
  { container, tail, since }: LogRequest,
  bytesMax: number,
): Promise<ReplicaLog> {
  const { service, slot, incarnation, state } = replica;
  const empty: ReplicaLog = {
    service,
    slot,
    incarnation,
    container: container ?? service,
    state,
    lines: [],
    truncated: false,
    problem: null,
    retryAfterMs: null,
  };
  const pool = pools.find((one) => one.pool === replica.pool);
  if (pool === undefined) return { ...empty, problem: `Its pool ${replica.pool} is not configured any more.` };
  const read = await groups.logs(pool, replica.group, empty.container, { tail, timestamps: true });
  if (!read.ok) return { ...empty, problem: sayWhy(read.error, empty), retryAfterMs: read.error.retryAfterMs };
  const all = parseLogLines(read.value);
  const { lines, truncated } = newestLines(all, bytesMax);
  return { ...empty, lines: lines.filter(isSince(since)), truncated: truncated || all.length === tail };
}

/** A line without an instant goes with whatever is asked for: nothing says that it is old. */
const isSince =
  (since: number | null) =>
  ({ at }: LogLine): boolean =>
    since === null || at === null || Date.parse(at) >= since;

function sayWhy({ kind, code, message }: PortError, { container, service, state }: ReplicaLog): string {
  if (code === 'ContainerLogNotAvailable' || (kind === 'NotFound' && state === 'creating'))
    return 'It has not started yet.';
  if (code === 'ContainerNotFound') return `It has no container ${container}; there is ${service}.`;
  if (kind === 'NotFound') return 'Its container group is gone.';
  return message;
}

/** Of the slots that an app had, also when it is deleted. */
async function previousLogs({ store }: LogPorts, app: string, request: LogRequest): Promise<HttpResponseInit> {
  const { service, slot } = request;
  const row = await store.read(keys.app(app));
  if (!row.ok) return unavailable(row.error);
  if (row.value === null) return noSuchApp(app);
  if (service !== null && slot !== null) {
    const kept = await store.read<LogRow>(keys.log(app, service, slot));
    if (!kept.ok) return unavailable(kept.error);
    return json(200, { logs: kept.value === null ? [] : [keptLog(kept.value, request)], omitted: 0 } satisfies LogList);
  }
  const kept = await store.readLogs(app, { service, slotsBelow: firstRunSlot, limit: replicasMax + 1 });
  if (!kept.ok) return unavailable(kept.error);
  const logs = kept.value.slice(0, replicasMax).map((one) => keptLog(one, request));
  return json(200, { logs, omitted: kept.value.length - logs.length } satisfies LogList);
}

function keptLog(row: Stored<LogRow>, { tail, since }: LogRequest): ReplicaLog {
  const lines = row.lines.filter(isSince(since)).slice(-tail);
  return {
    service: row.service,
    slot: row.slot,
    incarnation: row.incarnation,
    container: row.container,
    state: 'gone',
    lines,
    truncated: row.truncated || lines.length < row.lines.length,
    problem: null,
    retryAfterMs: null,
  };
}

const noSuchService = (app: string, service: string): HttpResponseInit =>
  problem('notFound', `The app ${app} has no service «${service}».`);
