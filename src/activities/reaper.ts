/** Deletes the container groups of this installation that nobody owns, by the rules of `decide/reap`, and puts the pool's ledger right. */
import { noteDue } from '../commands/wake.ts';
import { groupName, ownerOf } from '../decide/group-spec.ts';
import { type OrphanGroup, type Reaping, reap } from '../decide/reap.ts';
import { recount } from '../decide/recount.ts';
import type { ListedGroup } from '../model/group.ts';
import { keys } from '../model/keys.ts';
import { names } from '../model/names.ts';
import type { PlannedEvent } from '../model/plan.ts';
import type { PoolRow, ReplicaRow, Stored } from '../model/state.ts';
import type { AppRows } from '../ports/state-store.ts';
import { isSamePlace } from './pool-sync.ts';
import type { ActivityPorts, ActivitySettings } from './ports.ts';
import { bare, eventRows } from './rows.ts';

/** `moved` = the pool has another place by now, so that the listing says nothing of it. */
export async function reapPool(
  ports: ActivityPorts,
  settings: ActivitySettings,
  pool: Stored<PoolRow>,
  listing: readonly ListedGroup[],
  apps: ReadonlyMap<string, AppRows>,
): Promise<'done' | 'moved'> {
  const now = ports.now();
  const owners = new Map(
    [...apps].map(([name, { app, guards, replicas }]) => [name, app === null ? null : { app, guards, replicas }]),
  );
  const reaping = reap(
    {
      installation: settings.installation,
      installationEpoch: settings.installationEpoch,
      groups: listing,
      owners,
      sightings: pool.orphans,
      orphanGraceMs: settings.orphanGraceMs,
    },
    now,
  );
  report(ports, pool, reaping);
  const written = await record(ports, settings, { pool, listing, apps, reaping, now });
  // Without a record of the sighting nothing is deleted: the next listing comes soon.
  if (written !== 'written') return written === 'moved' ? 'moved' : 'done';
  for (const orphan of reaping.found) await audit(ports, orphan, found(orphan, pool));
  for (const orphan of reaping.deletions) if ((await remove(ports, settings, pool, orphan)) === 'throttled') break;
  return 'done';
}

/** Rounds lost to the passes that take and give back budget in the same row. */
const roundsMax = 5;

interface Seen {
  /** As it was before the listing. */
  readonly pool: Stored<PoolRow>;
  readonly listing: readonly ListedGroup[];
  readonly apps: ReadonlyMap<string, AppRows>;
  readonly reaping: Reaping;
  readonly now: number;
}

async function record(
  { store, ids }: ActivityPorts,
  settings: ActivitySettings,
  seen: Seen,
): Promise<'written' | 'moved' | 'failed'> {
  const { pool, listing, reaping, now } = seen;
  const listedGroups = listing.filter(({ tags }) => tags[names.tags.installation] === settings.installation).length;
  let current = pool;
  for (let round = 0; round < roundsMax; round += 1) {
    const reservations = recounted(seen, current, settings);
    const row: PoolRow = { ...bare(current), orphans: reaping.sightings, reservations, listedAt: now, listedGroups };
    const written = await store.commit({ txId: ids.next(), changes: [{ type: 'update', row, etag: current.etag }] });
    if (written.ok) return 'written';
    // Writing the same twice does no harm.
    if (written.error.kind !== 'Conflict' && written.error.kind !== 'Unknown') return 'failed';
    const read = await store.read<PoolRow>(keys.pool(pool.pool));
    if (!read.ok || read.value === null) return 'failed';
    if (!isSamePlace(read.value, pool)) return 'moved';
    current = read.value;
  }
  return 'failed';
}

/** What was given back since the rows were read is not taken anew. */
function recounted(
  { pool, listing, apps, now }: Seen,
  current: PoolRow,
  { installation, brokenAfterMs }: ActivitySettings,
): PoolRow['reservations'] {
  const held = new Set(current.reservations.map(({ owner }) => owner));
  const released = new Set(pool.reservations.map(({ owner }) => owner).filter((owner) => !held.has(owner)));
  const listed = new Set(listing.map(({ name }) => name));
  const replicas = [...apps.values()].flatMap((rows) => rows.replicas);
  return recount(
    {
      pool: current,
      replicas: replicas.filter((replica) => !released.has(ownerOf(replica))),
      read: new Set(apps.keys()),
      isGivenOut: (owner) => isGivenOut(apps, owner),
      isListed: (owner) => listed.has(groupOf(installation, apps, owner)),
      coresOf: (replica) => coresOf(apps, replica),
      graceMs: brokenAfterMs,
    },
    now,
  );
}

/** Anybody can copy tags; a name follows from the identity. */
function groupOf(installation: string, apps: ReadonlyMap<string, AppRows>, owner: string): string {
  const [app = '', service = '', slot, incarnation] = owner.split('/');
  const identity = { installation, appUid: apps.get(app)?.app?.uid ?? '' };
  return groupName(identity, { service, slot: Number(slot), incarnation: Number(incarnation) });
}

function isGivenOut(apps: ReadonlyMap<string, AppRows>, owner: string): boolean {
  const [app = '', service, , incarnation] = owner.split('/');
  const guard = apps.get(app)?.guards.find((row) => row.service === service);
  return guard !== undefined && Number(incarnation) < guard.nextIncarnation;
}

const coresOf = (apps: ReadonlyMap<string, AppRows>, { app, service, revision }: ReplicaRow): number =>
  apps.get(app)?.revisions.find((row) => row.service === service && row.revision === revision)?.template.cpuCores ?? 0;

function report({ log }: ActivityPorts, { pool }: PoolRow, { held, alarm }: Reaping): void {
  if (alarm !== null) log.error(alarm, { pool });
  if (held.length > 0) log.warn('Container groups of this installation are held.', { pool, held });
}

const found = ({ group }: OrphanGroup, { pool }: PoolRow): PlannedEvent => ({
  type: 'OrphanFound',
  reason: 'Orphaned',
  message: `No replica owns the container group ${group} in ${pool}.`,
});

/**
 * The audit comes first: no deletion without its event. The tags are read once more right before it. `throttled` = ARM has had enough: further calls of
 * this tick would only take from the workflows.
 */
async function remove(
  ports: ActivityPorts,
  { installation }: ActivitySettings,
  pool: PoolRow,
  orphan: OrphanGroup,
): Promise<'throttled' | 'next'> {
  const seen = await ports.groups.get(pool, orphan.group);
  if (!seen.ok) return seen.error.kind === 'Throttled' ? 'throttled' : 'next';
  if (seen.value.tags[names.tags.installation] !== installation) return 'next';
  const message = `The orphaned container group ${orphan.group} is being deleted.`;
  if (!(await audit(ports, orphan, { type: 'OrphanDeleted', reason: 'Orphaned', message }))) return 'next';
  const answer = await ports.groups.delete(pool, orphan.group);
  if (answer.ok) {
    await noteDue(ports, orphan.app);
    return 'next';
  }
  ports.log.warn('An orphan could not be deleted; it is tried again.', { ...orphan, ...answer.error });
  return answer.error.kind === 'Throttled' ? 'throttled' : 'next';
}

async function audit(ports: ActivityPorts, { app, service }: OrphanGroup, event: PlannedEvent): Promise<boolean> {
  const txId = ports.ids.next();
  const written = await ports.store.commit({
    txId,
    changes: eventRows([event], { app, service, txId, at: ports.now(), cause: 'rule:reaper' }).map((row) => ({
      type: 'insert',
      row,
    })),
  });
  return written.ok;
}
