/**
 * The safety nets. Every 30 s: overdue apps are assessed, lost messages and replies sent again, every pool listed and compared with the rows. Every 15 min: all
 * apps are visited, whatever the due rows say. Both only look and wake; the reaper is the one exception.
 */
import type { CommandPorts } from '../commands/ports.ts';
import { payDue } from '../commands/replies.ts';
import { resendStale } from '../commands/resend.ts';
import { noteDue, startAssessor } from '../commands/wake.ts';
import { isIdle } from '../decide/converged.ts';
import { isCutOff } from '../decide/health/cut-off.ts';
import { unprobedReadsOf } from '../decide/watch.ts';
import { isSameRegion, type ListedGroup } from '../model/group.ts';
import { assessorId, names } from '../model/names.ts';
import type { DueRow, PoolRow, Stored } from '../model/state.ts';
import type { AppRows } from '../ports/state-store.ts';
import { standingOf } from './assess.ts';
import { mapBounded, mapWhile, placeAt, rotated } from './bounded.ts';
import { isOutage } from './observe.ts';
import { type Findings, judgePools } from './pool-health.ts';
import { readPools } from './pool-sync.ts';
import type { ActivityPorts, ActivitySettings } from './ports.ts';
import { reapPool } from './reaper.ts';
import { sweep } from './sweep.ts';
import { visitApps } from './visit-apps.ts';

export type TimerPorts = ActivityPorts & CommandPorts;

const width = 4;

export async function resync(ports: TimerPorts, settings: ActivitySettings): Promise<void> {
  const startedAt = ports.now();
  const turn = Math.floor(startedAt / 30_000);
  const within = (ms: number) => () => ports.now() < startedAt + ms;
  const mayBegin = within(settings.tickBudgetMs);
  const due = await ports.store.readDue();
  if (due.ok) {
    const rows = rotated(due.value, placeAt(startedAt, due.value.length));
    await mapWhile(rows, width, within(settings.tickBudgetMs / 2), (row) => revive(ports, settings, row));
  } else ports.log.warn('The due rows could not be read.', { ...due.error });
  const replies = await payDue(ports, within(settings.tickBudgetMs / 2));
  if (!replies.ok) ports.log.warn('The replies that are owed could not be read.', { ...replies.error });
  const pools = await readPools(ports, settings);
  if (!pools.ok) return ports.log.warn('The pools could not be read.', { ...pools.error });
  await wakeDrained(ports, pools.value, mayBegin);
  const places = rotated(byResourceGroup(pools.value), turn);
  const readsOf = ({ subscriptionId }: PoolRow) =>
    unprobedReadsOf(pools.value.filter((pool) => pool.subscriptionId === subscriptionId).length);
  const look = { mayBegin, isCutOff: isCutOff(pools.value), readsOf };
  const seen = await mapWhile(places, width, mayBegin, (together) => compare(ports, settings, together, look));
  const found = seen.filter((one) => one !== undefined);
  const evidence = found.flatMap((one) => one.evidence);
  const apps = new Map(found.flatMap((one) => [...one.apps]));
  await judgePools(ports, settings, { evidence, apps, mayBegin });
}

async function revive(ports: TimerPorts, settings: ActivitySettings, due: DueRow): Promise<void> {
  const resent = await resendStale(ports, due.app, settings.resendAfterMs);
  if (!resent.ok) ports.log.warn('An operation could not be sent again.', { app: due.app, ...resent.error });
  if (ports.now() < due.dueAt) return;
  const started = await startAssessor(ports.workflows, due.app);
  if (!started.ok) ports.log.warn('An assessor could not be started.', { app: due.app, ...started.error });
  else if (started.value === 'existing') await endBrokenAssessor(ports, settings, due.app);
}

/**
 * Judged by its own last move and not by the age of the due row, which every command makes young again. A new one is started at the next tick only:
 * starting right after a termination is refused.
 */
async function endBrokenAssessor(ports: TimerPorts, settings: ActivitySettings, app: string): Promise<void> {
  const id = assessorId(app);
  const status = await ports.workflows.status(id);
  if (!status.ok || status.value === null || standingOf(status.value.status) !== 'running') return;
  if (ports.now() - status.value.updatedAt <= settings.brokenAfterMs) return;
  ports.log.error('An assessor does not move any more; it is ended.', { app });
  const ended = await ports.workflows.terminate(id, 'WorkflowBroken: the app is due and its assessor did not move.');
  if (!ended.ok) ports.log.warn('A broken assessor could not be ended.', { app, ...ended.error });
}

/** Apps with replicas in a pool that is drained are assessed until none is left. Level-triggered: that somebody asked for it is remembered by the row alone. */
async function wakeDrained(ports: TimerPorts, pools: readonly PoolRow[], mayBegin: () => boolean): Promise<void> {
  const held = pools.filter(({ draining }) => draining).flatMap(({ reservations }) => reservations);
  const apps = new Set(held.flatMap(({ owner }) => owner.split('/')[0] ?? []));
  await mapWhile([...apps], width, mayBegin, async (app) => {
    const noted = await noteDue(ports, app);
    const started = noted.ok ? await startAssessor(ports.workflows, app) : noted;
    if (!started.ok) ports.log.warn('An app of a drained pool could not be woken.', { app, ...started.error });
  });
}

/** One listing shows all pools of a resource group. */
function byResourceGroup(pools: readonly Stored<PoolRow>[]): readonly (readonly Stored<PoolRow>[])[] {
  const placeOf = ({ subscriptionId, resourceGroup }: PoolRow) => `${subscriptionId}/${resourceGroup}`.toLowerCase();
  return [...new Set(pools.map(placeOf))].map((place) => pools.filter((pool) => placeOf(pool) === place));
}

/** The rows are read after the listing, so that a group which is listed and owned by a new row is never taken for an orphan. */
async function compare(
  ports: TimerPorts,
  settings: ActivitySettings,
  pools: readonly Stored<PoolRow>[],
  look: Look,
): Promise<Compared> {
  const [place] = pools;
  if (place === undefined) return { evidence: [], apps: new Map() };
  const listing = await ports.groups.list(place);
  if (!listing.ok) {
    const shown = { pools: pools.map(({ pool }) => pool), ...listing.error };
    ports.log.warn('A resource group could not be listed.', shown);
    // Only a plane that fails is evidence, and only then do its replicas have to speak for themselves.
    return isOutage(listing.error) ? await unlisted(ports, settings, pools, look) : { evidence: [], apps: new Map() };
  }
  const apps = await readOwners(ports, settings, pools, listing.value);
  const evidence = await mapBounded(pools, width, async (pool) => {
    const own = listing.value.filter(({ region }) => isSameRegion(region, pool.region));
    const held = look.isCutOff ? { ...settings, orphanGraceMs: Number.POSITIVE_INFINITY } : settings;
    if ((await reapPool(ports, held, pool, own, apps)) === 'moved') return [];
    return [
      await sweep(ports, settings, {
        ...look,
        pool,
        listing: own,
        apps: [...apps.values()],
        reads: look.readsOf(pool),
      }),
    ];
  });
  return { evidence: evidence.flat(), apps };
}

interface Look {
  readonly mayBegin: () => boolean;
  readonly isCutOff: boolean;
  /** Unprobed replicas of a pool that may be read in this tick. */
  readonly readsOf: (pool: PoolRow) => number;
}

type Compared = Pick<Findings, 'evidence' | 'apps'>;

async function unlisted(
  ports: TimerPorts,
  settings: ActivitySettings,
  pools: readonly Stored<PoolRow>[],
  look: Look,
): Promise<Compared> {
  const apps = await readOwners(ports, settings, pools, []);
  const evidence = await mapBounded(pools, width, (pool) =>
    sweep(ports, settings, { ...look, pool, listing: null, apps: [...apps.values()], reads: 0 }),
  );
  return { evidence, apps };
}

/** Rows of the apps that have groups or budget there, by name. An app that could not be read is left out. */
async function readOwners(
  { store }: TimerPorts,
  { installation }: ActivitySettings,
  pools: readonly PoolRow[],
  listing: readonly ListedGroup[],
): Promise<ReadonlyMap<string, AppRows>> {
  const ours = listing.filter(({ tags }) => tags[names.tags.installation] === installation);
  const named = new Set([
    ...ours.flatMap(({ tags }) => tags[names.tags.app] ?? []),
    ...pools.flatMap(({ reservations }) => reservations.map(({ owner }) => owner.split('/')[0] ?? '')),
  ]);
  const read = await mapBounded([...named], width, async (app) => [app, await store.readApp(app)] as const);
  return new Map(read.flatMap(([app, rows]) => (rows.ok ? [[app, rows.value] as const] : [])));
}

export async function scan(ports: TimerPorts, settings: ActivitySettings): Promise<void> {
  const left = await visitApps(ports, settings, (app) => visit(ports, settings, app));
  if (!left.ok) ports.log.warn('The apps could not be listed for the scan.', { ...left.error });
  else if (left.value > 0) ports.log.warn('The scan ran out of time; the next one goes on.', { left: left.value });
}

async function visit(ports: TimerPorts, settings: ActivitySettings, app: string): Promise<void> {
  const rows = await ports.store.readApp(app);
  if (!rows.ok || !needsAssessment(rows.value)) return;
  const stale = await resendStale(ports, app, settings.resendAfterMs);
  if (!stale.ok) ports.log.warn('An operation could not be sent again.', { app, ...stale.error });
  const noted = await noteDue(ports, app);
  if (noted.ok) await startAssessor(ports.workflows, app);
}

function needsAssessment({ app, guards, replicas, operations }: AppRows): boolean {
  if (app === null) return false;
  const unsettled = guards.some(
    (guard) =>
      guard.workflow !== null ||
      !isIdle(
        guard,
        replicas.filter(({ service }) => service === guard.service),
      ),
  );
  const behind = app.state === 'deleting' || (app.state === 'active' && app.observedGeneration !== app.generation);
  return unsettled || behind || operations.some(({ state }) => state === 'accepted');
}
