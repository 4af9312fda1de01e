/**
 * What a command will come to, before it happens: groups created and deleted in each pool, the most that is used of each quota, how long it takes, how few
 * replicas serve on the way, and what it costs. Not by rules of its own: the planner itself is walked through a world on paper (`paper.ts`).
 */
import type { Reason } from '../../model/reasons.ts';
import type { PoolRow, ReplicaRow } from '../../model/state.ts';
import { type Act, Paper, type PaperFacts, type PaperService } from './paper.ts';

export interface Forecast {
  /** Until everything is as wanted; null = something waits for what time alone does not bring, see `waits`. */
  readonly durationMs: number | null;
  readonly services: readonly {
    readonly service: string;
    /** Fewest ready replicas at any time from now on; those that become ready later count from then on. */
    readonly lowestReady: number;
  }[];
  readonly pools: readonly PoolForecast[];
  /** For an hour, in the currency of the pools file; null = a pool that is used states no price. */
  readonly costPerHour: { readonly before: number; readonly peak: number; readonly after: number } | null;
  /** Services that do not get there, and why. */
  readonly waits: readonly {
    readonly service: string;
    readonly reason: Reason | null;
    readonly message: string | null;
  }[];
}

export interface PoolForecast {
  readonly pool: string;
  readonly create: number;
  readonly delete: number;
  /** Of all apps. */
  readonly peak: { readonly groups: number; readonly cores: number };
}

/** Nothing moved for so long, and nothing is on its way: no later pass will find anything else. */
const quietMs = 60_000;
/** What takes longer is told as not getting there. */
const horizonMs = 24 * 60 * 60_000;
/** Bounds the time that a forecast takes: some seconds at most. */
const passesMax = 3_000;

export function forecastOf(facts: PaperFacts): Forecast {
  const paper = new Paper(facts);
  const tally = new Tally(paper, facts);
  let movedAt = facts.now;
  let endedAt = facts.now;
  for (let passes = 0; passes < passesMax && !facts.frozen; passes += 1) {
    const service = nextOf(paper);
    if (service === null || service.dueAt === null) break;
    const now = service.dueAt;
    if (now - facts.now > horizonMs || (now - movedAt > quietMs && !isMoving(paper))) break;
    const { plan, acts } = paper.pass(service, now);
    if (plan.replicas.length + plan.steps.length > 0) movedAt = now;
    if (service.dueAt === null) endedAt = now;
    if (plan.wakeApp) wakeAll(paper, service, now);
    tally.note(acts);
  }
  return tally.result(endedAt - facts.now, facts.frozen);
}

/** Of those that are due first the first by name. */
function nextOf({ services }: Paper): PaperService | null {
  let next: PaperService | null = null;
  for (const service of services.values()) {
    if (service.dueAt !== null && (next?.dueAt == null || service.dueAt < next.dueAt)) next = service;
  }
  return next;
}

/** Another service may be waiting for what just changed. */
function wakeAll({ services }: Paper, but: PaperService, now: number): void {
  for (const service of services.values()) {
    if (service !== but && service.dueAt !== null) service.dueAt = Math.min(service.dueAt, now);
  }
}

const moving: ReadonlySet<ReplicaRow['state']> = new Set<ReplicaRow['state']>([
  'creating',
  'starting',
  'draining',
  'deleting',
]);

const isMoving = ({ services }: Paper): boolean =>
  [...services.values()].some(
    ({ guard, rows }) =>
      guard.reason === 'BackingOff' || guard.reason === 'CreateBudget' || rows.some(({ state }) => moving.has(state)),
  );

class Tally {
  readonly #paper: Paper;
  readonly #facts: PaperFacts;
  readonly #created = new Map<string, number>();
  readonly #deleted = new Map<string, Set<string>>();
  readonly #peaks = new Map<string, { groups: number; cores: number }>();
  readonly #lowest = new Map<string, number>();
  readonly #before: number | null;
  #peak = 0;

  constructor(paper: Paper, facts: PaperFacts) {
    this.#paper = paper;
    this.#facts = facts;
    this.#before = this.#cost();
    this.note([]);
  }

  note(acts: readonly Act[]): void {
    for (const { kind, replica } of acts) {
      if (kind === 'createGroup') this.#created.set(replica.pool, (this.#created.get(replica.pool) ?? 0) + 1);
      else this.#deleted.set(replica.pool, (this.#deleted.get(replica.pool) ?? new Set()).add(replica.group));
    }
    for (const { pool, reservations } of this.#paper.pools) {
      const peak = this.#peaks.get(pool) ?? { groups: 0, cores: 0 };
      this.#peaks.set(pool, peak);
      peak.groups = Math.max(peak.groups, reservations.length);
      peak.cores = Math.max(peak.cores, coresOf(reservations));
    }
    for (const [name, { rows }] of this.#paper.services) {
      const ready = rows.filter(({ state }) => state === 'ready').length;
      this.#lowest.set(name, Math.min(this.#lowest.get(name) ?? ready, ready));
    }
    this.#peak = Math.max(this.#peak, this.#cost() ?? 0);
  }

  result(durationMs: number, frozen: boolean): Forecast {
    const open = [...this.#paper.services.values()].filter(({ dueAt }) => dueAt !== null);
    const after = this.#cost();
    const waits = open.map(({ guard }) => ({ service: guard.service, reason: guard.reason, message: guard.message }));
    return {
      durationMs: open.length > 0 ? null : durationMs,
      services: [...this.#lowest].map(([service, lowestReady]) => ({ service, lowestReady })),
      pools: this.#paper.pools.filter((pool) => this.#isUsed(pool)).map((pool) => this.#poolForecast(pool)),
      costPerHour: this.#before === null || after === null ? null : { before: this.#before, peak: this.#peak, after },
      waits: frozen ? [] : waits,
    };
  }

  #isUsed({ pool }: PoolRow): boolean {
    return this.#created.has(pool) || this.#deleted.has(pool);
  }

  #poolForecast({ pool }: PoolRow): PoolForecast {
    const { groups, cores } = this.#peaks.get(pool) ?? { groups: 0, cores: 0 };
    return {
      pool,
      create: this.#created.get(pool) ?? 0,
      delete: this.#deleted.get(pool)?.size ?? 0,
      peak: { groups, cores: rounded(cores) },
    };
  }

  /** Of every group that may stand, per hour. */
  #cost(): number | null {
    const prices = new Map(this.#paper.pools.map(({ pool, price }) => [pool, price]));
    let sum = 0;
    for (const { rows } of this.#paper.services.values()) {
      for (const { state, pool, service, revision } of rows) {
        if (state === 'gone' || state === 'planned') continue;
        const [price, template] = [prices.get(pool) ?? null, this.#facts.templateOf(service, revision)];
        if (price === null || template === undefined) return null;
        sum += price.coreHour * template.cpuCores + price.gibHour * template.memoryGiB;
      }
    }
    return Math.round(sum * 10_000) / 10_000;
  }
}

const coresOf = (reservations: PoolRow['reservations']): number =>
  reservations.reduce((sum, { cores }) => sum + cores, 0);
const rounded = (amount: number): number => Math.round(amount * 100) / 100;
