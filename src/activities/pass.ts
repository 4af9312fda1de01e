/**
 * One pass over a service: read, fence, observe, plan, and commit the plan's intent in one transaction before any of its steps is walked. Redelivered,
 * it finds what the first delivery left and plans from that. It changes nothing in the world.
 */
import { noteDue, wakeAssessor } from '../commands/wake.ts';
import { isCutOff } from '../decide/health/cut-off.ts';
import { policyOf } from '../decide/rollout/policy.ts';
import { type ServiceTemplate, serviceNamed } from '../model/app-spec.ts';
import { type Key, keyOf, keys } from '../model/keys.ts';
import { limits } from '../model/limits.ts';
import type { Plan, Step } from '../model/plan.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { RolloutRow } from '../model/rollout-record.ts';
import type { ServiceSnapshot } from '../model/snapshot.ts';
import type { AppRow, GuardRow, PoolRow, ReplicaRow, Row, Stored } from '../model/state.ts';
import { isOlder } from '../model/version.ts';
import type { PortError } from '../ports/errors.ts';
import type { Change, ServiceRows } from '../ports/state-store.ts';
import { type Fenced, fence } from './fence.ts';
import { observe } from './observe.ts';
import { readPools } from './pool-sync.ts';
import type { ActivityPorts, ActivitySettings } from './ports.ts';
import { planWithBudget, releaseBudget } from './reserve.ts';
import { bare, eventRows, withTag } from './rows.ts';

export interface PassInput {
  readonly app: string;
  readonly service: string;
  /** Instance id of the calling workflow: it may act only while the guard names it. */
  readonly workflow: string;
}

export interface PassResult {
  /** `done`: release the guard. `superseded`: end, another workflow has taken over. */
  readonly outcome: 'continue' | 'done' | 'superseded';
  readonly steps: readonly Step[];
  /** By the clock of the host that made the pass. */
  readonly wakeAt: number;
  /** Something follows without a wait. */
  readonly atOnce: boolean;
  /** ETag of the guard as this pass left it; `finish` releases only that. */
  readonly guardEtag: string;
}

/** Rounds lost to other writers of the same rows before the pass comes again by its timer. */
const roundsMax = 5;
/** The wait after a failure of the table. */
const retryMs = 5_000;

interface Found extends Fenced {
  readonly rows: ServiceRows;
  readonly pools: readonly Stored<PoolRow>[];
}

export async function pass(ports: ActivityPorts, settings: ActivitySettings, input: PassInput): Promise<PassResult> {
  for (let round = 0; round < roundsMax; round += 1) {
    const found = await read(ports, settings, input);
    if (!found.ok) return later(ports, input, found.error);
    if (found.value === null) {
      return { outcome: 'superseded', steps: [], wakeAt: ports.now(), atOnce: false, guardEtag: '' };
    }
    const fenced = await fence(ports, found.value);
    const made = fenced.ok ? await planAndCommit(ports, settings, input, { ...found.value, ...fenced.value }) : fenced;
    if (made.ok) return await followed(ports, settings, input, made.value);
    if (!isRaced(made.error)) return later(ports, input, made.error);
  }
  return later(ports, input, { kind: 'Conflict', code: null, message: 'others keep changing it', retryAfterMs: null });
}

/**
 * What follows at once without a step in between, as a drain that begins once the removal of its endpoint is committed, is planned here and now: the
 * commit told the tags of everything it wrote. Once only, and not after a change of budget, which others may have used by now; the workflow comes again.
 */
async function followed(
  ports: ActivityPorts,
  settings: ActivitySettings,
  input: PassInput,
  { result, after }: Made,
): Promise<PassResult> {
  if (after === null || !result.atOnce || result.outcome !== 'continue' || result.steps.length > 0) return result;
  const next = await planAndCommit(ports, settings, input, after);
  return next.ok ? next.value.result : result;
}

const isRaced = ({ kind }: PortError): boolean => kind === 'Conflict';

function later({ log, now }: ActivityPorts, input: PassInput, error: PortError): PassResult {
  log.warn('The pass could not be made; it comes again.', { ...input, ...error });
  return { outcome: 'continue', steps: [], wakeAt: now() + retryMs, atOnce: false, guardEtag: '' };
}

async function read(
  ports: ActivityPorts,
  settings: ActivitySettings,
  { app, service, workflow }: PassInput,
): Promise<Result<Found | null, PortError>> {
  const rows = await ports.store.readService(app, service);
  if (!rows.ok) return rows;
  const guard = rows.value.guards.find((row) => row.service === service);
  if (guard === undefined || guard.workflow !== workflow) return ok(null);
  // Without the app's uid no group could be named or recognised.
  if (rows.value.app === null) return err(unreadable(`the app row of ${app} is not there`));
  const pools = await readPools(ports, settings);
  if (!pools.ok) return pools;
  return ok({ rows: rows.value, guard, replicas: rows.value.replicas, pools: pools.value });
}

interface Made {
  readonly result: PassResult;
  /** As the commit left it; null = it must be read to be known. */
  readonly after: Found | null;
}

async function planAndCommit(
  ports: ActivityPorts,
  settings: ActivitySettings,
  input: PassInput,
  found: Found,
): Promise<Result<Made, PortError>> {
  const snapshot = await look(ports, settings, found);
  const now = ports.now();
  const plan = await planWithBudget(ports, settings, snapshot, found.pools, now);
  if (!plan.ok) return plan;
  // An older version began this workflow: the assessor lets a new one take over between two passes.
  const isOutdated = isOlder(found.guard.claimedBy, settings.version);
  const wakeApp = (plan.value.wakeApp || isOutdated) && !plan.value.done;
  if (wakeApp) {
    const noted = await noteDue(ports, input.app);
    if (!noted.ok) return noted;
  }
  const committed = await commit(ports, input, found, plan.value, now);
  if (!committed.ok) return committed;
  const replicas = plan.value.replicas.map(({ row }) => row);
  await releaseBudget(ports, replicas, found.pools);
  if (wakeApp) await wakeAssessor(ports, ports.workflows, input.app);
  const result: PassResult = {
    outcome: plan.value.done ? 'done' : 'continue',
    steps: plan.value.steps,
    wakeAt: plan.value.wakeAt,
    atOnce: plan.value.wakeAt <= now,
    guardEtag: committed.value.guard.etag,
  };
  return ok({ result, after: isFollowed(plan.value) ? committedState(found, committed.value) : null });
}

/** Budget is neither taken nor given back, and no rollout has come to an end: that is written to rows whose tags nobody keeps. */
const isFollowed = ({ replicas, marks, appGeneration }: Plan): boolean =>
  marks.length === 0 && appGeneration === null && replicas.every(({ insert, row }) => !insert && row.state !== 'gone');

function committedState(found: Found, { guard, replicas, rollouts }: Committed): Found | null {
  if ([...replicas, ...rollouts].some(({ etag }) => etag === '')) return null;
  const written = new Map(replicas.map((row) => [keyOf(row).row, row]));
  return {
    ...found,
    rows: { ...found.rows, rollouts: [...rollouts, ...found.rows.rollouts] },
    guard,
    replicas: found.replicas.map((row) => written.get(keyOf(row).row) ?? row),
  };
}

async function look(ports: ActivityPorts, settings: ActivitySettings, found: Found): Promise<ServiceSnapshot> {
  const { rows, guard, pools } = found;
  const replicas = found.replicas.map(bare);
  const templates = new Map<number, ServiceTemplate>(rows.revisions.map((row) => [row.revision, row.template]));
  const service = serviceNamed(rows.app?.spec, guard.service);
  const rollout = rows.rollouts.find(
    ({ service: owner, number }) => owner === guard.service && number === guard.rollout,
  );
  const watched = rollout && { rollout, ...policyOf(service?.rollout, rollout.purpose, settings) };
  const cutOff = isCutOff(pools);
  const wanted = new Set(service?.dependsOn.map((dependency) => dependency.service));
  const dependencies = rows.guards.filter((row) => wanted.has(row.service));
  return {
    installation: settings.installation,
    appUid: rows.app?.uid ?? '',
    app: rows.app?.spec ?? null,
    frozen: (rows.app?.frozen ?? false) || cutOff,
    cutOff,
    appGeneration: rows.app?.generation ?? 0,
    guard: bare(guard),
    rollout: rollout ? bare(rollout) : null,
    templates,
    replicas,
    // What is seen by who is cut off says nothing about what is there.
    observations: cutOff ? new Map() : await observe(ports, settings, replicas, templates, pools, watched),
    dependencies: new Map(dependencies.map((row) => [row.service, bare(row)])),
    pools: pools.map(bare),
    attemptIds: Array.from({ length: limits.replicaChangesPerTransaction + limits.runsPerApp }, () => ports.ids.next()),
    settings,
  };
}

interface Committed {
  readonly guard: Stored<GuardRow>;
  /** Those that were written; an empty tag = the commit was found by its witness, which tells only the guard's. */
  readonly replicas: readonly Stored<ReplicaRow>[];
  readonly rollouts: readonly Stored<RolloutRow>[];
}

async function commit(
  { store, ids }: ActivityPorts,
  { app, service, workflow }: PassInput,
  { rows, guard, replicas }: Found,
  plan: Plan,
  now: number,
): Promise<Result<Committed, PortError>> {
  const txId = ids.next();
  const tags = new Map(replicas.map((row) => [keyOf(row).row, row.etag]));
  const next: GuardRow = { ...bare(guard), ...plan.guard, passAt: now, wakeAt: plan.wakeAt, lastTx: txId };
  const events = [...plan.events, ...plan.replicas.flatMap((change) => change.events)];
  const witness: Key = keys.guard(app, service);
  const written = await store.commit({
    txId,
    witness,
    changes: [
      { type: 'update', row: next, etag: guard.etag },
      ...rolloutWrites(rows, guard, plan, now),
      ...plan.replicas.map(
        ({ insert, row }): Change =>
          insert ? { type: 'insert', row } : { type: 'update', row, etag: tags.get(keyOf(row).row) ?? '' },
      ),
      ...eventRows(events, { app, service, txId, at: now, cause: workflow }).map(
        (row): Change => ({ type: 'insert', row }),
      ),
    ],
  });
  if (!written.ok) return written;
  const stored = <R extends Row>(row: R) => withTag(row, written.value.etags);
  const committed = {
    guard: stored(next),
    replicas: plan.replicas.map(({ row }) => stored(row)),
    rollouts: plan.rollouts.map(({ row }) => stored(row)),
  };
  return committed.guard.etag === '' ? err(unreadable('the commit did not tell the tag of the guard')) : ok(committed);
}

/** Records of rollouts, what they proved of revisions, and the generation that a way back makes. */
function rolloutWrites(
  { app, rollouts, revisions }: ServiceRows,
  { service }: GuardRow,
  plan: Plan,
  now: number,
): readonly Change[] {
  const records = plan.rollouts.map(({ insert, row }): Change => {
    const before = rollouts.find((one) => one.service === service && one.number === row.number);
    return insert ? { type: 'insert', row } : { type: 'update', row, etag: before?.etag ?? '' };
  });
  const marked = plan.marks.flatMap(({ revision, is }): readonly Change[] => {
    const before = revisions.find((one) => one.service === service && one.revision === revision);
    if (before === undefined) return [];
    const mark = is === 'verified' ? { verifiedAt: now, rolledBackAt: null } : { rolledBackAt: now };
    return [{ type: 'update', row: { ...bare(before), ...mark }, etag: before.etag }];
  });
  if (plan.appGeneration === null || app === null) return [...records, ...marked];
  const row: AppRow = { ...bare(app), generation: plan.appGeneration, updatedAt: now };
  return [...records, ...marked, { type: 'update', row, etag: app.etag }];
}

const unreadable = (message: string): PortError => ({ kind: 'Unavailable', code: null, message, retryAfterMs: null });
