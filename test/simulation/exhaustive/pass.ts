/** One pass of the real planner over a service, and what must hold of every plan whatever was observed. */
import type { Plan } from '../../../src/model/plan.ts';
import { type Observation, replicaKey } from '../../../src/model/snapshot.ts';
import { aContainer, seen } from '../../support/snapshots.ts';
import {
  type Cell,
  now,
  planned,
  rowOf,
  type Service,
  type ServiceName,
  type Surroundings,
  snapshotOf,
  written,
} from './cell.ts';
import { type Bound, must, type Planner } from './planner.ts';

/** What a pass gets to see of one cell. */
export type Sight = 'true' | 'stale' | 'silent';

export function isObserved({ state, claim }: Cell): boolean {
  if (state === 'creating') return claim?.started ?? true;
  return state === 'starting' || state === 'unready' || state === 'deleting';
}

export function observationOf(cell: Cell, service: string, sight: Sight): Observation {
  if (sight === 'silent') return { kind: 'unknown', message: 'no answer' };
  const row = rowOf(cell, service);
  const group = sight === 'true' ? cell.group : cell.group === 'none' ? 'running' : 'none';
  switch (group) {
    case 'none':
      return { kind: 'missing' };
    case 'creating':
      return seen(row, { container: null, provisioningState: 'Creating' });
    case 'deleting':
      return seen(row, { provisioningState: 'Deleting' });
    default:
      return seen(row, { container: aContainer() }, group === 'running' ? 'passed' : 'failed');
  }
}

export interface Passed {
  readonly service: Service;
  readonly plan: Plan;
}

export function pass(
  planner: Planner,
  service: Service,
  name: ServiceName,
  surroundings: Surroundings,
  bound: Bound,
  sights: ReadonlyMap<Cell, Sight>,
): Passed {
  const observations = new Map(
    [...sights].map(([cell, sight]) => [replicaKey(cell), observationOf(cell, name, sight)] as const),
  );
  const plan = planner.reconcile(snapshotOf(service, name, surroundings, bound.quota, observations), now);
  const steps = new Set(plan.steps.map(replicaKey));
  const changes = new Map(plan.replicas.map((change) => [replicaKey(change.row), change]));
  const kept = service.cells.map((cell): Cell => {
    const change = changes.get(replicaKey(cell));
    must(change?.insert !== true, 'NameOnce', `incarnation ${cell.incarnation} is inserted again`);
    const after = change === undefined ? cell : written(cell, change.row);
    const step = steps.has(replicaKey(cell)) || (cell.step && after.state === cell.state);
    return { ...after, step, stale: cell.stale && sights.get(cell) !== 'stale' };
  });
  const born = plan.replicas
    .filter(({ insert }) => insert)
    .map(({ row }): Cell => ({ ...planned(row), step: steps.has(replicaKey(row)) }));
  const next: Service = {
    ...service,
    met: plan.guard.dependenciesMetRevision,
    healthy: plan.guard.healthyRevision === service.revision,
    cells: [...kept, ...born],
  };
  checkMoves(service, kept, sights);
  checkWanted(service, kept, surroundings);
  checkBirths(service, next, born, plan, surroundings, bound);
  checkEnd(service, next, plan);
  return { service: next, plan };
}

const rank: Readonly<Record<Cell['state'], number>> = {
  planned: 0,
  creating: 1,
  starting: 2,
  ready: 3,
  unready: 3,
  lost: 3,
  failed: 4,
  draining: 5,
  deleting: 6,
  gone: 7,
};
export const isLive = ({ state }: Cell): boolean => rank[state] < rank.draining;
const isPresent = ({ state }: Cell): boolean => state !== 'gone';
const said = (cell: Cell): string => `slot ${cell.slot}, incarnation ${cell.incarnation}, ${cell.state}`;

function checkMoves(service: Service, kept: readonly Cell[], sights: ReadonlyMap<Cell, Sight>): void {
  for (const [index, before] of service.cells.entries()) {
    const after = kept[index] ?? before;
    must(rank[after.state] >= rank[before.state], 'RankNeverFalls', `${said(before)} → ${after.state}`);
    must(!after.endpoint || after.state === 'ready', 'EndpointOnlyReady', said(after));
    must(!after.step || after.state === 'creating' || after.state === 'deleting', 'DeleteOnlyIntended', said(after));
    if (after.state === 'gone' && before.state !== 'gone') {
      // A PUT that outlives its claim may land after any proof of absence: what it makes is an orphan.
      const nothing = service.late || (before.group === 'none' && before.put === 'none');
      must(nothing, 'GoneOnlyWhenGone', `${said(before)}: group ${before.group}, PUT ${before.put}`);
    }
    if (after.state !== before.state && sights.get(before) === 'silent') {
      const ends = after.state === 'draining' || after.state === 'deleting';
      must(ends, 'SilenceDecidesNothing', `${said(before)} → ${after.state}`);
    }
  }
}

/** A replica that is neither broken nor surplus nor of an old revision stays; a ready one of an old revision as long as it is needed. */
function checkWanted(service: Service, kept: readonly Cell[], { gate }: Surroundings): void {
  if (service.removed) return;
  const gateOpen = gate || service.met === service.revision;
  const target = gateOpen ? service.revision : service.met;
  const isOld = (cell: Cell): boolean => target !== null && cell.revision !== target;
  const spared = kept.some((cell) => isLive(cell) && !isOld(cell) && cell.state !== 'ready' && cell.state !== 'failed');
  const ready = kept.filter(({ state }) => state === 'ready').length;
  let surplus = service.cells.filter((cell) => isLive(cell) && !isOld(cell)).length - service.desired;
  for (const [index, before] of service.cells.entries()) {
    const after = kept[index] ?? before;
    if (!isLive(before) || isLive(after) || before.state === 'failed') continue;
    if (isOld(before)) {
      const isCharged = before.state === 'ready' && after.state === 'draining';
      must(!isCharged || ready >= service.desired, 'Floor', `${said(before)} → ${after.state}, ${ready} are ready`);
      continue;
    }
    must(surplus > 0, 'NoLossOfWanted', `${said(before)} → ${after.state}`);
    must(before.state !== 'ready' || !spared, 'UnreadyGoesFirst', `${said(before)} → ${after.state}`);
    surplus -= 1;
  }
}

/** Most live replicas: the default surge is a quarter, rounded up, while others than those of the wanted revision are there. */
function ceilingOf({ desired }: Service, present: readonly Cell[], revision: number): number {
  return present.every((cell) => cell.revision === revision) ? desired : desired + Math.ceil(desired / 4);
}

function checkBirths(
  service: Service,
  next: Service,
  born: readonly Cell[],
  plan: Plan,
  { gate, used }: Surroundings,
  { quota }: Bound,
): void {
  if (born.length === 0) return;
  const present = next.cells.filter(isPresent);
  const live = next.cells.filter(isLive);
  const newest = Math.max(0, ...service.cells.map(({ incarnation }) => incarnation));
  for (const cell of born) {
    must(cell.incarnation > newest && cell.incarnation < plan.guard.nextIncarnation, 'NameOnce', said(cell));
    const ceiling = ceilingOf(service, present, cell.revision);
    must(!service.removed && live.length <= ceiling, 'Ceiling', `${live.length} live, ${service.desired} wanted`);
    const fresh = live.filter(({ revision }) => revision === cell.revision);
    must(fresh.length <= service.desired, 'Ceiling', `${fresh.length} of a revision, ${service.desired} wanted`);
    const started = service.met === cell.revision || (gate && cell.revision === service.revision);
    must(started, 'GateHolds', `revision ${cell.revision} starts`);
    const here = present.filter(({ pool }) => pool === cell.pool).length + (used[cell.pool] ?? 0);
    must(here <= quota, 'Quota', `pool ${cell.pool} holds ${here} of ${quota}`);
  }
  const places = new Set(live.map(({ slot, revision }) => `${slot} ${revision}`));
  must(places.size === live.length, 'OneLivePerSlot', live.map(said).join('; '));
}

function checkEnd(service: Service, next: Service, plan: Plan): void {
  const fit = next.cells.filter((cell) => cell.state === 'ready' && cell.revision === service.revision).length;
  must(!next.healthy || service.healthy || fit >= service.desired, 'HealthyIsTrue', `${fit} are ready`);
  const idle = plan.replicas.length === 0 && plan.steps.length === 0;
  must(!idle || plan.done || plan.wakeAt > now, 'NoBusyWait', `it wakes at once and does nothing`);
  must(plan.done === isAsAsked(next), 'DoneIsTrue', next.cells.map(said).join('; '));
  if (isAsAsked(service)) must(idle, 'ConvergedIsQuiet', 'all is as asked and it does something');
}

/** What the user asked for is what the rows show. */
export function isAsAsked({ cells, removed, desired, revision }: Service): boolean {
  const present = cells.filter(isPresent);
  if (removed) return present.length === 0;
  return present.length === desired && present.every((cell) => cell.state === 'ready' && cell.revision === revision);
}
