/**
 * Why the replicas of a slot are as they are: the group is read and probed at the moment of the question, and judged by the planner's own rules. Nothing
 * is written and nothing follows from the answer.
 */
import type { HttpResponseInit } from '@azure/functions';
import { type Next, whyOf } from '../../decide/why.ts';
import type { EvidenceResource, NextResource, WhyResource } from '../../model/api.ts';
import type { ServiceTemplate } from '../../model/app-spec.ts';
import type { GroupObservation } from '../../model/group.ts';
import { namePattern } from '../../model/limits.ts';
import { type Observation, type PlannerSettings, replicaKey, type ServiceSnapshot } from '../../model/snapshot.ts';
import type { AppRow, EventRow, GuardRow, PoolRow, ReplicaRow } from '../../model/state.ts';
import { mayHaveGroup } from '../../model/transitions.ts';
import type { ServiceRows } from '../../ports/state-store.ts';
import type { CommandPorts } from '../ports.ts';
import { json, noSuchApp, problem, unavailable } from './responses.ts';

export interface WhyPorts extends Pick<CommandPorts, 'store' | 'pools' | 'now'> {
  /** One look at a replica, as a pass looks: a read of ARM, and a probe where it runs. */
  readonly look: (
    replica: ReplicaRow,
    template: ServiceTemplate | undefined,
    pool: PoolRow | undefined,
  ) => Promise<Observation>;
  readonly settings: PlannerSettings;
}

export interface WhichReplica {
  readonly app: string;
  readonly service: string;
  readonly slot: string;
}

/** Newest events of the app that are searched for those of a replica. */
const eventsRead = 500;
const eventsShown = 8;

export async function getWhy(
  ports: WhyPorts,
  installation: string,
  { app, service, slot }: WhichReplica,
): Promise<HttpResponseInit> {
  if (!namePattern.test(app)) return noSuchApp(app);
  const [rows, pools, events] = await Promise.all([
    ports.store.readService(app, service),
    ports.pools(),
    ports.store.readEvents(app, { limit: eventsRead }),
  ]);
  if (!rows.ok) return unavailable(rows.error);
  if (!pools.ok) return unavailable(pools.error);
  if (!events.ok) return unavailable(events.error);
  if (rows.value.app === null) return noSuchApp(app);
  const guard = rows.value.guards.find((row) => row.service === service);
  if (guard === undefined) return problem('notFound', `${app} has no service «${service}».`);
  const replicas = replicasIn(rows.value, slot);
  if (replicas.length === 0) return problem('notFound', `${app}.${service} has no replica in slot «${slot}».`);
  const found = { rows: rows.value, app: rows.value.app, guard, pools: pools.value, events: events.value.events };
  const told = await Promise.all(replicas.map((replica) => explain(ports, installation, found, replica)));
  return json(200, told);
}

/** Newest first; what is gone only where nothing else is left. */
function replicasIn({ replicas }: ServiceRows, slot: string): readonly ReplicaRow[] {
  const here = /^\d{1,4}$/.test(slot) ? replicas.filter((row) => row.slot === Number(slot)) : [];
  const ordered = here.toSorted((a, b) => b.incarnation - a.incarnation);
  const present = ordered.filter(({ state }) => state !== 'gone');
  return present.length > 0 ? present : ordered.slice(0, 1);
}

interface Found {
  readonly rows: ServiceRows;
  readonly app: AppRow;
  readonly guard: GuardRow;
  readonly pools: readonly PoolRow[];
  readonly events: readonly EventRow[];
}

async function explain(ports: WhyPorts, installation: string, found: Found, replica: ReplicaRow): Promise<WhyResource> {
  const { rows, guard, pools, events } = found;
  const template = rows.revisions.find(
    ({ service, revision }) => service === replica.service && revision === replica.revision,
  )?.template;
  const pool = pools.find((row) => row.pool === replica.pool);
  const observation = mayHaveGroup(replica.state) ? await ports.look(replica, template, pool) : null;
  const now = ports.now();
  const why = whyOf(snapshotOf(ports, installation, found, { replica, observation }), replica, now);
  const { app, service, slot, incarnation, state, reason, message, group } = replica;
  return {
    app,
    service,
    slot,
    incarnation,
    state,
    since: iso(replica.stateAt),
    reason,
    message,
    pool: replica.pool,
    group,
    evidence: [...seenBy(observation, now), ...toldBy(replica, events)].toSorted(
      (a, b) => Date.parse(b.at) - Date.parse(a.at),
    ),
    sees: why?.sees ?? '',
    because: why?.because ?? '',
    next: (why?.next ?? []).map(nextOf),
    workflow: guard.workflow === null ? null : { id: guard.workflow, wakeAt: isoOrNull(guard.wakeAt) },
  };
}

/** What a pass would see now, of this one replica. */
function snapshotOf(
  { settings }: WhyPorts,
  installation: string,
  { rows, app, guard, pools }: Found,
  { replica, observation }: { readonly replica: ReplicaRow; readonly observation: Observation | null },
): ServiceSnapshot {
  const observations = new Map<string, Observation>();
  if (observation !== null) observations.set(replicaKey(replica), observation);
  return {
    installation,
    appUid: app.uid,
    app: app.spec,
    frozen: app.frozen ?? false,
    appGeneration: app.generation,
    guard,
    rollout: rows.rollouts.find(({ service, number }) => service === guard.service && number === guard.rollout) ?? null,
    templates: new Map(rows.revisions.map((row) => [row.revision, row.template])),
    replicas: rows.replicas,
    observations,
    dependencies: new Map(rows.guards.map((row) => [row.service, row])),
    pools,
    attemptIds: [],
    settings,
  };
}

const iso = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));
const nextOf = ({ what, at }: Next): NextResource => ({ what, at: isoOrNull(at) });

/** A look tells of the present, and of what ACI remembers. */
function seenBy(observation: Observation | null, now: number): readonly EvidenceResource[] {
  if (observation === null) return [];
  const at = iso(now);
  if (observation.kind === 'missing')
    return [{ at, source: 'read', text: 'ARM knows no container group of this name.' }];
  if (observation.kind === 'unknown') return [{ at, source: 'read', text: observation.message }];
  const { group, probe } = observation;
  const probed: EvidenceResource = { at, source: 'probe', text: `The readiness probe ${probe}.` };
  return [
    { at, source: 'read', text: groupText(group) },
    ...(probe === null ? [] : [probed]),
    ...group.events.slice(0, eventsShown).flatMap((event): EvidenceResource[] =>
      event.lastAt === null
        ? []
        : [
            {
              at: iso(event.lastAt),
              source: 'group',
              text: `${event.name}: ${event.message} (${event.count} times)`,
            },
          ],
    ),
  ];
}

function groupText({ provisioningState, state, ip, container }: GroupObservation): string {
  const parts = [
    `Provisioning ${provisioningState}`,
    `group ${state ?? 'without a state'}`,
    ip === null ? 'no address' : `address ${ip}`,
    container === null
      ? 'no container yet'
      : `container ${container.state}, restarted ${container.restartCount} times` +
        (container.exitCode === null ? '' : `, last exit code ${container.exitCode}`),
  ];
  return `${parts.join('; ')}.`;
}

/** What the table says, with the newest events of this replica. */
function toldBy(replica: ReplicaRow, events: readonly EventRow[]): readonly EvidenceResource[] {
  const name = `${replica.service}/${replica.slot}/${replica.incarnation}`;
  const own = events.filter((event) => event.replica === name).slice(0, eventsShown);
  const failures = replica.failures === 0 ? '' : ` ${replica.failures} failures in a row in this slot.`;
  const flips = replica.steadiness?.flips.length ?? 0;
  const unsteady = flips < 2 ? '' : ` It went ready or unready ${flips} times of late.`;
  return [
    { at: iso(replica.stateAt), source: 'row', text: `It is ${replica.state} since then.${failures}${unsteady}` },
    ...own.map(
      ({ at, type, message, cause }): EvidenceResource => ({
        at: iso(at),
        source: 'event',
        text: `${type}: ${message} [${cause}]`,
      }),
    ),
  ];
}
