/**
 * Writes what the sweeps found of the regions: the health of their pools, and what becomes of the replicas in a region that is down or back. Level-triggered:
 * a tick that was lost, or one that could not write everything, is made up for by the next.
 */
import { noteDue, startAssessor } from '../commands/wake.ts';
import { isCutOff, isDistrusted } from '../decide/health/cut-off.ts';
import { paced, type Turn, turnOf } from '../decide/health/losses.ts';
import { type Evidence, nextHealth, together } from '../decide/health/pool-health.ts';
import { isSameRegion } from '../model/group.ts';
import { keys } from '../model/keys.ts';
import type { PlannedEvent } from '../model/plan.ts';
import type { PoolHealth, PoolRow, ReplicaRow, Stored } from '../model/state.ts';
import type { AppRows, Change } from '../ports/state-store.ts';
import { mapWhile } from './bounded.ts';
import { readPools } from './pool-sync.ts';
import type { ActivityPorts, ActivitySettings } from './ports.ts';
import { bare, eventRows } from './rows.ts';

/** What a sweep found in one pool. */
export interface PoolEvidence extends Evidence {
  readonly pool: string;
  readonly region: string;
  readonly serviceNames: ReadonlySet<string>;
}

export interface Findings {
  readonly evidence: readonly PoolEvidence[];
  /** Rows of the apps in the pools that were looked at, by name. */
  readonly apps: ReadonlyMap<string, AppRows>;
  readonly mayBegin: () => boolean;
}

const width = 8;
/** ACI takes so many creates per region and subscription (aci: quotas). */
const createsPerMs = 100 / (5 * 60_000);
const cause = 'rule:pool-health';

export async function judgePools(ports: ActivityPorts, settings: ActivitySettings, findings: Findings): Promise<void> {
  const rows = await readPools(ports, settings);
  if (!rows.ok) return ports.log.warn('The pools could not be read to judge their health.', { ...rows.error });
  const pools = await Promise.all(rows.value.map((pool) => update(ports, pool, findings)));
  const cutOff = isCutOff(pools);
  if (cutOff) ports.log.error('Every region that holds replicas looks dead: nothing is done until one is seen again.');
  if (cutOff && !isCutOff(rows.value)) await tellAll(ports, findings.apps, cutOffEvent);
  if (!cutOff) await turnAll(ports, pools, findings);
}

const cutOffEvent: PlannedEvent = {
  type: 'CutOff',
  reason: 'CutOff',
  message: 'Every region that holds replicas looks dead: nothing is replaced, deleted or taken out of the endpoints.',
};

/** The pool as it is known now, whether or not it could be written: the next tick comes. */
async function update(ports: ActivityPorts, pool: Stored<PoolRow>, findings: Findings): Promise<PoolRow> {
  const inRegion = findings.evidence.filter(({ region }) => isSameRegion(region, pool.region));
  if (inRegion.length === 0) return pool;
  const health = nextHealth(pool.health, together(inRegion), ports.now());
  if (JSON.stringify(health) === JSON.stringify(pool.health)) return pool;
  const row: PoolRow = { ...bare(pool), health };
  const written = await ports.store.commit({
    txId: ports.ids.next(),
    changes: [{ type: 'update', row, etag: pool.etag }],
  });
  if (!written.ok) return pool;
  if (health?.state !== pool.health?.state) await tell(ports, row, findings.apps);
  return row;
}

const told: Readonly<Record<PoolHealth['state'], Pick<PlannedEvent, 'type' | 'reason'>>> = {
  healthy: { type: 'PoolHealthy' },
  suspect: { type: 'PoolSuspected', reason: 'PoolSuspect' },
  down: { type: 'PoolDown', reason: 'PoolDown' },
  recovering: { type: 'PoolRecovering' },
};

async function tell(ports: ActivityPorts, pool: PoolRow, apps: ReadonlyMap<string, AppRows>): Promise<void> {
  const state = pool.health?.state ?? 'healthy';
  const evidence = pool.health === null || pool.health.message === '' ? '' : `: ${pool.health.message}`;
  const message = `The pool ${pool.pool} (${pool.region}) is ${state}${evidence}.`;
  ports.log[state === 'down' ? 'error' : 'warn'](message, { pool: pool.pool });
  const there = [...apps].filter(([, { replicas }]) => replicas.some((replica) => replica.pool === pool.pool));
  await tellAll(ports, new Map(there), { ...told[state], message });
}

async function tellAll(
  { store, ids, now }: ActivityPorts,
  apps: ReadonlyMap<string, AppRows>,
  event: PlannedEvent,
): Promise<void> {
  await mapWhile(
    [...apps.keys()],
    width,
    () => true,
    async (app) => {
      const txId = ids.next();
      const changes = eventRows([event], { app, service: null, txId, at: now(), cause }).map(
        (row): Change => ({ type: 'insert', row }),
      );
      await store.commit({ txId, changes });
    },
  );
}

interface Due {
  readonly replica: Stored<ReplicaRow>;
  readonly turn: Turn;
}

async function turnAll(ports: ActivityPorts, pools: readonly PoolRow[], findings: Findings): Promise<void> {
  const byName = new Map(pools.map((pool) => [pool.pool, pool]));
  const now = ports.now();
  const due = [...findings.apps].map(([app, { replicas }]) => {
    const turns = replicas.flatMap((replica): Due[] => {
      const pool = byName.get(replica.pool);
      const turn = pool === undefined ? null : turnOf(bare(replica), pool, now);
      return turn === null ? [] : [{ replica, turn }];
    });
    const left = replicas.filter(({ state }) => state === 'ready').length;
    const lost = turns.filter(({ turn }) => turn.row.state === 'lost').length;
    return { app, turns, lost, left: Math.max(0, left - lost) };
  });
  const regions = new Set(pools.filter((pool) => !isDistrusted(pool)).map(({ region }) => region));
  const waits = paced(due, regions.size * createsPerMs);
  const affected = due
    .filter(({ turns }) => turns.length > 0)
    .toSorted((a, b) => (waits.get(a.app) ?? 0) - (waits.get(b.app) ?? 0));
  await mapWhile(affected, width, findings.mayBegin, ({ app, turns }) => write(ports, app, turns, waits.get(app) ?? 0));
}

/** Noted first and woken last, as ever; an app whose turn comes later is started by a later tick. */
async function write(ports: ActivityPorts, app: string, turns: readonly Due[], waitMs: number): Promise<void> {
  const noted = await noteDue(ports, app, waitMs);
  if (!noted.ok) return;
  for (const { replica, turn } of turns) {
    const txId = ports.ids.next();
    const { service } = replica;
    const events = eventRows(turn.events, { app, service, txId, at: ports.now(), cause });
    await ports.store.commit({
      txId,
      witness: keys.event(app, events[0]?.at ?? 0, txId, 0),
      changes: [
        { type: 'update', row: turn.row, etag: replica.etag },
        ...events.map((row): Change => ({ type: 'insert', row })),
      ],
    });
  }
  if (waitMs === 0) await startAssessor(ports.workflows, app);
}
