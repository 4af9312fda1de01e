/**
 * An event about a container group → an immediate look at it. The event is a hint and nothing more: it names a group, whose own row must be found
 * first, and ARM is asked before anything is believed. Whatever is not ours leads to no call at ARM and to no write. An event that is lost costs the time
 * until the next sweep.
 */
import {
  type Candidate,
  candidatesOf,
  type DropReason,
  type GroupSubject,
  isNamed,
  readGroupEvent,
} from '../decide/group-event.ts';
import type { Identity } from '../decide/group-spec.ts';
import { watch } from '../decide/watch.ts';
import type { ServiceTemplate } from '../model/app-spec.ts';
import { keys } from '../model/keys.ts';
import type { Observation } from '../model/snapshot.ts';
import type { AppRow, PoolRow, ReplicaRow, RevisionRow, Stored } from '../model/state.ts';
import { mapBounded } from './bounded.ts';
import { observeReplica } from './observe.ts';
import type { ActivityPorts, ActivitySettings } from './ports.ts';
import { bare } from './rows.ts';
import { writeVerdict } from './write-verdict.ts';

type Outcome = DropReason | 'Written';

/** Apps read to find the owner of a name: those that have a service which the name ends with. */
const appsMax = 50;
const width = 8;
/** A single 404 may come from a replica of ARM that lags behind, a single failed probe from anything: each must be seen twice, so far apart (semantics, "Ready"). */
const secondLookMs = { missing: 1_000, failing: 5_000 } as const;
const loggedLength = 200;

/** Never rejects: a payload that cannot be used would only come again. */
export async function groupEvent(ports: ActivityPorts, settings: ActivitySettings, payload: unknown): Promise<void> {
  const reading = readGroupEvent(payload);
  const outcome = reading.ok ? await look(ports, settings, reading.subject) : reading.reason;
  const subject = (payload as { readonly subject?: unknown } | null | undefined)?.subject;
  const about = typeof subject === 'string' ? subject.slice(0, loggedLength) : null;
  if (outcome === 'Written') ports.log.info('An event led to a changed verdict.', { subject: about });
  else ports.log.info('An event was dropped.', { reason: outcome, subject: about });
}

interface Found {
  readonly candidate: Candidate;
  readonly identity: Identity;
}

async function look(ports: ActivityPorts, settings: ActivitySettings, subject: GroupSubject): Promise<Outcome> {
  const pools = await ports.store.readPools();
  if (!pools.ok) return 'Unreadable';
  const listed = candidatesOf(subject, pools.value);
  if (!listed.ok) return listed.reason;
  const found = await ownerOf(ports, settings, listed.candidates, subject.name);
  if (typeof found === 'string') return found;
  const pool = pools.value.find((row) => row.pool === found.candidate.pool);
  return pool === undefined ? 'NotOurs' : await settle(ports, settings, pool, found, subject.name);
}

/** A name hashes the app's uid, which the app rows know. */
async function ownerOf(
  { store }: ActivityPorts,
  { installation }: ActivitySettings,
  candidates: readonly Candidate[],
  name: string,
): Promise<Found | DropReason> {
  const apps = [...new Set(candidates.map(({ app }) => app))];
  if (apps.length > appsMax) return 'TooManyCandidates';
  const rows = await mapBounded(apps, width, (app) => store.read<AppRow>(keys.app(app)));
  for (const candidate of candidates) {
    const row = rows[apps.indexOf(candidate.app)];
    if (!row?.ok || row.value === null) continue;
    const identity = { installation, appUid: row.value.uid };
    if (isNamed(candidate, identity, name)) return { candidate, identity };
  }
  return rows.every(({ ok }) => ok) ? 'NotOurs' : 'Unreadable';
}

async function settle(
  ports: ActivityPorts,
  settings: ActivitySettings,
  pool: Stored<PoolRow>,
  { candidate, identity }: Found,
  name: string,
): Promise<Outcome> {
  const { app, service, slot, incarnation } = candidate;
  const replica = await ports.store.read<ReplicaRow>(keys.replica(app, service, slot, incarnation));
  if (!replica.ok) return 'Unreadable';
  if (replica.value?.state !== 'ready' || replica.value.group !== name) return 'NotWatched';
  const revision = await ports.store.read<RevisionRow>(keys.revision(app, service, replica.value.revision));
  if (!revision.ok || revision.value === null) return 'Unreadable';
  const { template } = revision.value;
  const observation = await observeTwice(ports, replica.value, template, pool);
  if (observation === null) return 'Unchanged';
  // The first of the two answers that absence needs takes the place of the listing that the sweep has.
  const suspicion = observation.kind === 'missing' ? 'unlisted' : 'moved';
  const verdict = watch(bare(replica.value), template, suspicion, observation, {
    identity,
    settings,
    now: ports.now(),
    peersReady: false,
  });
  if (verdict === null) return 'Unchanged';
  return (await writeVerdict(ports, replica.value, verdict, 'rule:event')) ? 'Written' : 'Unreadable';
}

/** What is bad must be so twice in a row; null when it was not. */
async function observeTwice(
  ports: ActivityPorts,
  replica: ReplicaRow,
  template: ServiceTemplate,
  pool: PoolRow,
): Promise<Observation | null> {
  const first = await observeReplica(ports, replica, template, pool);
  const doubt = doubtOf(first);
  if (doubt === null) return first;
  await ports.sleep(secondLookMs[doubt]);
  const second = await observeReplica(ports, replica, template, pool);
  const again = doubtOf(second);
  return again === null || again === doubt ? second : null;
}

function doubtOf(observation: Observation): keyof typeof secondLookMs | null {
  if (observation.kind === 'missing') return 'missing';
  return observation.kind === 'group' && observation.probe === 'failed' ? 'failing' : null;
}
