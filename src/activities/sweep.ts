/**
 * Looks over the ready replicas of one pool with its listing: whose group is gone, who has moved, who fails its probe. Only what looks wrong is read in
 * full, and only a changed verdict is written and wakes its app.
 */
import { noteDue, wakeAssessor } from '../commands/wake.ts';
import type { Verdict } from '../decide/verdict.ts';
import { type Suspicion, suspicionOf, watch } from '../decide/watch.ts';
import type { ServiceTemplate } from '../model/app-spec.ts';
import type { ListedGroup } from '../model/group.ts';
import type { PoolRow, ReplicaRow, Stored } from '../model/state.ts';
import type { AppRows } from '../ports/state-store.ts';
import { mapBounded } from './bounded.ts';
import { observeReplica, probeAddress } from './observe.ts';
import type { ActivityPorts, ActivitySettings } from './ports.ts';
import { bare, eventRows } from './rows.ts';

const width = 20;
/** A failing probe is repeated this much later before it counts (semantics, "Ready"). */
const repeatAfterMs = 5_000;
/** Replicas that cannot be probed from outside are read in turns: this many per pool and tick. */
const rationedReads = 20;

interface Watched {
  readonly app: AppRows;
  readonly replica: Stored<ReplicaRow>;
  readonly template: ServiceTemplate;
  readonly listed: ListedGroup | undefined;
}

export async function sweep(
  ports: ActivityPorts,
  settings: ActivitySettings,
  pool: PoolRow,
  listing: readonly ListedGroup[],
  apps: readonly AppRows[],
): Promise<void> {
  const watched = watchedIn(pool, listing, apps);
  const suspects = await suspectsOf(ports, settings, watched);
  await mapBounded(rationed(suspects, ports.now()), width, (suspect) => settle(ports, settings, pool, suspect));
}

function watchedIn(pool: PoolRow, listing: readonly ListedGroup[], apps: readonly AppRows[]): readonly Watched[] {
  const groups = new Map(listing.map((group) => [group.name, group]));
  return apps.flatMap((app) =>
    app.replicas
      .filter((replica) => replica.pool === pool.pool && replica.state === 'ready')
      .flatMap((replica) => {
        const { service, revision } = replica;
        const template = app.revisions.find((row) => row.service === service && row.revision === revision)?.template;
        return template === undefined ? [] : [{ app, replica, template, listed: groups.get(replica.group) }];
      }),
  );
}

interface Suspect extends Watched {
  readonly suspicion: Suspicion;
}

async function suspectsOf(
  ports: ActivityPorts,
  { installation }: ActivitySettings,
  watched: readonly Watched[],
): Promise<readonly Suspect[]> {
  const probe = ({ replica, template }: Watched) =>
    replica.ip === null ? Promise.resolve(null) : probeAddress(ports.prober, replica.ip, template);
  const first = await mapBounded(watched, width, probe);
  const failing = watched.filter((_, index) => first[index] === 'failed');
  if (failing.length > 0) await ports.sleep(repeatAfterMs);
  const second = new Map(await mapBounded(failing, width, async (one) => [one, await probe(one)] as const));
  return watched.flatMap((one, index) => {
    const result = second.get(one) ?? first[index] ?? null;
    const identity = { installation, appUid: one.app.app?.uid ?? '' };
    const suspicion = suspicionOf(one.replica, one.template, one.listed, result, identity);
    return suspicion === null ? [] : [{ ...one, suspicion }];
  });
}

function rationed(suspects: readonly Suspect[], now: number): readonly Suspect[] {
  const unprobed = suspects.filter(({ suspicion }) => suspicion === 'unprobed');
  const start = unprobed.length === 0 ? 0 : (Math.floor(now / 30_000) * rationedReads) % unprobed.length;
  const turn = [...unprobed.slice(start), ...unprobed.slice(0, start)].slice(0, rationedReads);
  return [...suspects.filter(({ suspicion }) => suspicion !== 'unprobed'), ...turn];
}

async function settle(
  ports: ActivityPorts,
  settings: ActivitySettings,
  pool: PoolRow,
  { app, replica, template, suspicion }: Suspect,
): Promise<void> {
  const observation = await observeReplica(ports, replica, template, pool);
  const verdict = watch(bare(replica), template, suspicion, observation, {
    identity: { installation: settings.installation, appUid: app.app?.uid ?? '' },
    settings,
    now: ports.now(),
    peersReady: false,
  });
  if (verdict !== null) await write(ports, replica, verdict);
}

async function write(ports: ActivityPorts, replica: Stored<ReplicaRow>, { row, events }: Verdict): Promise<void> {
  const { app, service } = replica;
  const noted = await noteDue(ports, app);
  if (!noted.ok) return;
  const txId = ports.ids.next();
  const written = await ports.store.commit({
    txId,
    changes: [
      { type: 'update', row, etag: replica.etag },
      ...eventRows(events, { app, service, txId, at: ports.now(), cause: 'rule:sweep' }).map((event) => ({
        type: 'insert' as const,
        row: event,
      })),
    ],
  });
  if (written.ok) await wakeAssessor(ports, ports.workflows, app);
}
