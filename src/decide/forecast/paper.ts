/**
 * A world on paper, in which every container group that is asked for comes up after the same time and every one that is deleted is gone after another. The
 * planner is walked through it as a workflow would; what it plans is carried out here.
 */
import { type AppSpec, type ServiceTemplate, serviceNamed } from '../../model/app-spec.ts';
import { defaults } from '../../model/defaults.ts';
import type { GroupObservation } from '../../model/group.ts';
import { limits } from '../../model/limits.ts';
import { names } from '../../model/names.ts';
import type { Plan, Step } from '../../model/plan.ts';
import type { RolloutRow } from '../../model/rollout-record.ts';
import { type Observation, type PlannerSettings, replicaKey } from '../../model/snapshot.ts';
import type { GuardRow, PoolRow, ReplicaRow } from '../../model/state.ts';
import { type ActLedger, createActLedger, pastCreates, windowOf, withCreates } from '../budget/windows.ts';
import { ownerOf } from '../group-spec.ts';
import { applied } from '../moves.ts';
import { reconcile } from '../reconcile.ts';
import { clearingAt } from '../rollout/faults.ts';

export interface PaperFacts {
  readonly app: AppSpec | null;
  readonly frozen: boolean;
  /** Of all services, as the command leaves them. */
  readonly guards: readonly GuardRow[];
  readonly templateOf: (service: string, revision: number) => ServiceTemplate | undefined;
  readonly replicas: readonly ReplicaRow[];
  readonly pools: readonly PoolRow[];
  readonly settings: PlannerSettings;
  readonly now: number;
  /** From an accepted create to a container that runs and passes its probe. */
  readonly startMs: (service: string) => number;
  /** From a DELETE to a group that is gone. */
  readonly deletionMs: number;
}

export interface PaperService {
  guard: GuardRow;
  rows: ReplicaRow[];
  /** The one under way. */
  rollout: RolloutRow | null;
  /** When its workflow looks again; null = it has ended. */
  dueAt: number | null;
}

interface PaperGroup {
  runningAt: number;
  goneAt: number | null;
}

export interface Act {
  readonly kind: Step['kind'];
  readonly replica: ReplicaRow;
}

/** A pass follows the one before at least this much later (the shortest wait of a workflow). */
const shortestWaitMs = 2_000;
const identity = { installation: 'paper', appUid: 'paper' };

/** Everything is replaced, or a person is waited for: what follows changes no replica. */
const isWatched = ({ rollout }: PaperService): boolean =>
  rollout?.phase === 'baking' || rollout?.reason === 'AwaitingPromotion';

/** A ready replica is read once more when its watch is over. */
function isToBeCleared(row: ReplicaRow, rollout: RolloutRow | null, now: number): boolean {
  const at = rollout === null ? null : clearingAt(row, rollout, defaults.rollout.monitorMs);
  return at !== null && at <= now;
}

export class Paper {
  readonly services: ReadonlyMap<string, PaperService>;
  /** With what they hold now. */
  pools: readonly PoolRow[];
  readonly #facts: PaperFacts;
  readonly #groups = new Map<string, PaperGroup>();
  readonly #creates: ActLedger;
  readonly #deletes: ActLedger = createActLedger();

  constructor(facts: PaperFacts) {
    this.#facts = facts;
    this.pools = facts.pools;
    this.services = new Map(
      facts.guards.map((guard) => {
        const rows = facts.replicas.filter(({ service }) => service === guard.service);
        return [guard.service, { guard, rows, rollout: null, dueAt: facts.now }];
      }),
    );
    for (const row of facts.replicas) this.#remember(row);
    this.#creates = createActLedger(pastCreates(facts.pools));
  }

  /** One pass of a service and the walk of its steps. The value is what was planned and what ARM then took. */
  pass(service: PaperService, now: number): { readonly plan: Plan; readonly acts: readonly Act[] } {
    const plan = this.#planOf(service, now);
    const inserted = plan.replicas.filter(({ insert }) => insert).map(({ row }) => row);
    service.rows = [...applied(service.rows, plan.replicas), ...inserted];
    service.guard = { ...service.guard, ...plan.guard };
    const written = plan.rollouts.find(({ row }) => row.number === plan.guard.rollout)?.row;
    service.rollout = plan.guard.rollout === null ? null : (written ?? service.rollout);
    this.#book(
      inserted,
      plan.replicas.map(({ row }) => row),
      now,
    );
    const acts = plan.steps.flatMap((step) => this.#act(service, step, now) ?? []);
    service.dueAt =
      plan.done || isWatched(service) ? null : plan.wakeAt <= now ? now : Math.max(plan.wakeAt, now + shortestWaitMs);
    return { plan, acts };
  }

  #planOf({ guard, rows, rollout }: PaperService, now: number): Plan {
    const { app, frozen, templateOf, settings } = this.#facts;
    const revisions = new Set([guard.revision, guard.dependenciesMetRevision ?? 0, ...rows.map((row) => row.revision)]);
    const templates = [...revisions].flatMap((revision) => {
      const template = templateOf(guard.service, revision);
      return template === undefined ? [] : [[revision, template] as const];
    });
    const wanted = serviceNamed(app, guard.service)?.dependsOn.map((one) => one.service) ?? [];
    return reconcile(
      {
        ...identity,
        app,
        frozen,
        appGeneration: guard.generation,
        guard,
        rollout,
        templates: new Map(templates),
        replicas: rows,
        observations: new Map(
          rows
            .filter((row) => observed.has(row.state) || isToBeCleared(row, rollout, now))
            .flatMap((row) => this.#seen(row, templateOf(guard.service, row.revision), now)),
        ),
        dependencies: new Map(
          wanted.flatMap((name) => {
            const other = this.services.get(name);
            return other === undefined ? [] : [[name, other.guard] as const];
          }),
        ),
        pools: this.pools,
        attemptIds: Array.from({ length: limits.replicaChangesPerTransaction }, (_, n) => `paper-${now}-${n}`),
        settings,
      },
      now,
    );
  }

  /** A group that stands already is taken to do what a new one would. */
  #remember(row: ReplicaRow): void {
    const { now, startMs } = this.#facts;
    const isAsked = row.state !== 'creating' || row.attempt?.startedAt != null;
    if (row.state === 'gone' || row.state === 'planned' || !isAsked) return;
    const isUp = row.state === 'ready' || row.state === 'draining';
    const runningAt = isUp ? row.stateAt : Math.max(now, row.stateAt + startMs(row.service));
    this.#groups.set(row.group, { runningAt, goneAt: row.state === 'deleting' ? now + this.#facts.deletionMs : null });
  }

  #seen(
    row: ReplicaRow,
    template: ServiceTemplate | undefined,
    now: number,
  ): readonly (readonly [string, Observation])[] {
    const isAsked = row.state !== 'creating' || row.attempt?.startedAt != null;
    if (!isAsked) return [];
    const group = this.#groups.get(row.group);
    if (group === undefined || (group.goneAt !== null && group.goneAt <= now)) {
      return [[replicaKey(row), { kind: 'missing' }]];
    }
    const isProbed = template !== undefined && template.readiness.kind !== 'running';
    const runs = group.runningAt <= now;
    const probe = isProbed && runs ? 'passed' : null;
    return [[replicaKey(row), { kind: 'group', group: groupOf(row, group, runs), probe, logTail: null }]];
  }

  #book(inserted: readonly ReplicaRow[], changed: readonly ReplicaRow[], now: number): void {
    const gone = new Set(changed.filter(({ state }) => state === 'gone').map(ownerOf));
    const isTouched = ({ pool }: PoolRow): boolean =>
      inserted.some((row) => row.pool === pool) || changed.some((row) => row.pool === pool && row.state === 'gone');
    this.pools = this.pools.map((pool) => {
      if (!isTouched(pool)) return pool;
      const held = new Set(pool.reservations.map(({ owner }) => owner));
      const added = inserted
        .filter((row) => row.pool === pool.pool && !held.has(ownerOf(row)))
        .map((row) => {
          const cores = this.#facts.templateOf(row.service, row.revision)?.cpuCores ?? 0;
          return { owner: ownerOf(row), cores, at: now };
        });
      return {
        ...pool,
        reservations: [...pool.reservations.filter(({ owner }) => !gone.has(owner)), ...added],
        creates: withCreates(pool, added.length, now),
      };
    });
  }

  /** Null = ARM wants it later, and the row says when. */
  #act(service: PaperService, step: Step, now: number): Act | null {
    const row = service.rows.find((one) => replicaKey(one) === replicaKey(step));
    const pool = this.pools.find((one) => one.pool === row?.pool);
    if (row === undefined || pool === undefined) return null;
    const key = windowOf(pool);
    const isCreate = step.kind === 'createGroup';
    const ledger = isCreate ? this.#creates : this.#deletes;
    const freeAt = ledger.freeAt(key, now, 'urgent');
    const set = (next: ReplicaRow): void => {
      service.rows = service.rows.map((one) => (one === row ? next : one));
    };
    if (freeAt > now) {
      set(isCreate ? postponed(row, freeAt) : { ...row, redeleteAt: freeAt });
      return null;
    }
    ledger.note(key, now);
    if (isCreate) {
      this.#groups.set(row.group, { runningAt: now + this.#facts.startMs(row.service), goneAt: null });
      set({ ...row, state: 'starting', stateAt: now, attempt: null });
    } else {
      const group = this.#groups.get(row.group);
      if (group !== undefined) group.goneAt ??= now + this.#facts.deletionMs;
    }
    return { kind: step.kind, replica: row };
  }
}

const observed: ReadonlySet<ReplicaRow['state']> = new Set<ReplicaRow['state']>([
  'creating',
  'starting',
  'unready',
  'deleting',
]);

/** As a create that ARM turned away for now. */
const postponed = (row: ReplicaRow, until: number): ReplicaRow => ({
  ...row,
  reason: 'PoolUnavailable',
  attempt: row.attempt && { ...row.attempt, startedAt: null, expiresAt: until },
});

const groupOf = (row: ReplicaRow, { runningAt, goneAt }: PaperGroup, runs: boolean): GroupObservation => ({
  name: row.group,
  tags: {
    [names.tags.installation]: identity.installation,
    [names.tags.appUid]: identity.appUid,
    [names.tags.service]: row.service,
    [names.tags.slot]: String(row.slot),
    [names.tags.incarnation]: String(row.incarnation),
    [names.tags.revision]: String(row.revision),
  },
  provisioningState: goneAt !== null ? 'Deleting' : runs ? 'Succeeded' : 'Creating',
  state: runs ? 'Running' : 'Pending',
  ip: runs ? (row.ip ?? '10.0.0.4') : null,
  container: runs
    ? { state: 'Running', startedAt: runningAt, exitCode: null, detail: null, restartCount: row.restartCount }
    : null,
  events: [],
});
