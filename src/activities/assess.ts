/**
 * The three activities of the assessor: see what an app needs and claim it, give the orders, and put the app's due row right. Claims are written before
 * anything is started, so that only one workflow can ever believe that a service is its own.
 */

import { noteDue } from '../commands/wake.ts';
import { type Assessment, assess as decide, type Standing, type WorkflowOrder } from '../decide/assess.ts';
import { drainedPools } from '../decide/drain.ts';
import { keyOf, keys } from '../model/keys.ts';
import { assessorId, names } from '../model/names.ts';
import type { AppRow, DueRow, GuardRow, Stored } from '../model/state.ts';
import type { AppRows } from '../ports/state-store.ts';
import type { InstanceStatus } from '../ports/workflows.ts';
import { mapBounded } from './bounded.ts';
import type { StepResult } from './create-group.ts';
import type { ActivityPorts, ActivitySettings } from './ports.ts';
import { bare, eventRows } from './rows.ts';

export interface AssessInput {
  readonly app: string;
}

export interface ServiceOrder {
  readonly service: string;
  readonly order: WorkflowOrder;
}

export interface AssessResult {
  readonly orders: readonly ServiceOrder[];
  /** The due row as it was before the app was read; null = there was none. */
  readonly due: { readonly etag: string; readonly since: number } | null;
  readonly dueAt: number | null;
  /** Something changed under this assessment, or could not be read: it says nothing about what is left to do. */
  readonly again: boolean;
}

export async function assess(
  ports: ActivityPorts,
  settings: ActivitySettings,
  { app }: AssessInput,
): Promise<AssessResult> {
  const noted = await ports.store.read<DueRow>(keys.due(app));
  const rows = await ports.store.readApp(app);
  if (!noted.ok || !rows.ok) return { orders: [], due: null, dueAt: null, again: true };
  const due = noted.value === null ? null : { etag: noted.value.etag, since: noted.value.since };
  if (rows.value.app === null) return { orders: [], due, dueAt: null, again: false };
  const standings = await readStandings(ports, rows.value.guards);
  const drained = await readDrained(ports, rows.value);
  const assessment = decide({ ...rows.value, app: rows.value.app, drained, standings }, settings, ports.now());
  const lost = await writeChanges(ports, rows.value, assessment);
  const orders = assessment.orders.filter(({ service }) => !lost.has(service));
  return { orders, due, dueAt: assessment.dueAt, again: lost.size > 0 };
}

/**
 * Asked only where a service rests that has replicas: whoever works looks at the pools itself. What cannot be read is found by the next resync, which wakes
 * the apps of a pool that is drained.
 */
async function readDrained({ store }: ActivityPorts, { guards, replicas }: AppRows): Promise<ReadonlySet<string>> {
  const rests = guards.some(
    ({ service, workflow }) =>
      workflow === null && replicas.some((row) => row.service === service && row.state !== 'gone'),
  );
  const pools = rests ? await store.readPools() : null;
  return drainedPools(pools?.ok ? pools.value : []);
}

/** An instance whose status cannot be read is taken to run: nothing is replaced on a guess. */
async function readStandings(
  { workflows }: ActivityPorts,
  guards: readonly GuardRow[],
): Promise<ReadonlyMap<string, Standing>> {
  const ids = guards.flatMap(({ workflow }) => workflow ?? []);
  const read = await mapBounded(ids, 10, async (id) => {
    const status = await workflows.status(id);
    return [id, status.ok ? standingOf(status.value?.status ?? null) : 'running'] as const;
  });
  return new Map(read);
}

const finished: ReadonlySet<InstanceStatus> = new Set<InstanceStatus>([
  'Completed',
  'Failed',
  'Terminated',
  'Canceled',
]);

export function standingOf(status: InstanceStatus | null): Standing {
  if (status === null) return 'absent';
  return finished.has(status) ? 'finished' : 'running';
}

/** Services whose write failed, and `` for the app row. Each stands alone, so that one busy service does not hold up the others. */
async function writeChanges(
  ports: ActivityPorts,
  rows: AppRows,
  { changes, app }: Assessment,
): Promise<ReadonlySet<string>> {
  const lost = new Set<string>();
  for (const { guard, event } of changes) {
    const before = rows.guards.find((row) => row.service === guard.service);
    if (before === undefined || !(await write(ports, before, guard, [event]))) lost.add(guard.service);
  }
  if (app !== null && rows.app !== null && !(await write(ports, rows.app, app.row, [app.event]))) lost.add('');
  return lost;
}

async function write<R extends AppRow | GuardRow>(
  { store, ids, now }: ActivityPorts,
  before: Stored<R>,
  next: R,
  events: Parameters<typeof eventRows>[0],
): Promise<boolean> {
  const txId = ids.next();
  const row = { ...bare(next), lastTx: txId };
  const service = row.kind === 'service' ? row.service : null;
  const occasion = { app: row.app, service, txId, at: now(), cause: assessorId(row.app) };
  const written = await store.commit({
    txId,
    witness: keyOf(row),
    changes: [
      { type: 'update', row, etag: before.etag },
      ...eventRows(events, occasion).map((event) => ({ type: 'insert' as const, row: event })),
    ],
  });
  return written.ok;
}

/** Carries out one order. Each is checked against the guard again: an order may be as old as its queue. */
export async function startWorkflow(
  { store, workflows, now }: ActivityPorts,
  { brokenAfterMs }: ActivitySettings,
  { app, service, order }: ServiceOrder & { readonly app: string },
): Promise<StepResult> {
  if (order.kind === 'hint') {
    await workflows.hint(order.id);
    return { outcome: 'done', detail: 'hinted' };
  }
  const read = await store.read<GuardRow>(keys.guard(app, service));
  if (!read.ok) return { outcome: 'refused', detail: read.error.message };
  const guard = read.value;
  if (guard?.workflow !== order.id) return { outcome: 'skipped', detail: 'the service names another workflow' };
  if (order.kind === 'terminate') {
    if (now() <= (guard.wakeAt ?? now()) + brokenAfterMs) return { outcome: 'skipped', detail: 'it moved' };
    const ended = await workflows.terminate(order.id, order.reason);
    return ended.ok ? { outcome: 'done', detail: 'terminated' } : { outcome: 'refused', detail: ended.error.message };
  }
  const known = await workflows.status(order.id);
  if (!known.ok) return { outcome: 'refused', detail: known.error.message };
  if (known.value !== null) return { outcome: 'skipped', detail: `it is ${known.value.status}` };
  const started = await workflows.start(names.orchestrators[order.workflow], order.id, { app, service });
  return started.ok
    ? { outcome: 'done', detail: started.value }
    : { outcome: 'refused', detail: started.error.message };
}

export interface SettleInput extends Pick<AssessResult, 'due' | 'dueAt' | 'again'> {
  readonly app: string;
}

/**
 * Re-arms the due row while work is left, or while it is so young that the change it announces may still be on its way; else deletes it. A due row
 * that changed since the assessment began means that there is something new to see.
 */
export async function settle(
  ports: ActivityPorts,
  { dueRearmMs }: ActivitySettings,
  { app, due, dueAt, again }: SettleInput,
): Promise<{ readonly again: boolean }> {
  const { store, ids, now } = ports;
  if (again) {
    // Should this have been the last round, the resync finds the app by its due row.
    await noteDue(ports, app);
    return { again: true };
  }
  const at = now();
  const txId = ids.next();
  if (due === null) {
    if (dueAt === null) {
      const since = await store.read<DueRow>(keys.due(app));
      return { again: since.ok && since.value !== null };
    }
    const row: DueRow = { kind: 'due', app, dueAt, since: at };
    const written = await store.commit({ txId, changes: [{ type: 'insert', row }] });
    return { again: !written.ok && written.error.kind === 'Conflict' };
  }
  const young = at - due.since < dueRearmMs;
  const next = dueAt ?? (young ? at + dueRearmMs : null);
  const written = await store.commit({
    txId,
    changes: [
      next === null
        ? { type: 'delete', key: keys.due(app), etag: due.etag }
        : { type: 'update', row: { kind: 'due', app, dueAt: next, since: due.since }, etag: due.etag },
    ],
  });
  return { again: !written.ok && written.error.kind === 'Conflict' };
}
