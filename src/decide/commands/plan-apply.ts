/**
 * What applying a document changes. A service that was removed earlier is continued, not begun anew: its counters must never give a name twice.
 * Only what differs is written, so that a repeated document changes nothing.
 */
import type { AppSpec, ServiceSpec } from '../../model/app-spec.ts';
import type { Problem } from '../../model/problem.ts';
import type { GuardRow, OperationRow, RevisionChange, RevisionRow, Stored } from '../../model/state.ts';
import { canonicalJson } from '../../spec/json.ts';
import { revisionHash } from '../../spec/revision.ts';
import { type CommandView, conclude, type Happening, type Moment, type Write, withoutEtag } from './conclude.ts';
import { removeService, type ServiceWrites } from './remove-service.ts';

/** `warnings` are kept in the operation. */
export function planApply(
  view: CommandView,
  operation: Stored<OperationRow>,
  document: { readonly app: AppSpec; readonly warnings: readonly Problem[] },
  moment: Moment,
): readonly Write[] {
  const generation = view.app.generation + 1;
  const changes = servicesOf(view, document.app, { ...moment, generation, cause: operation.id });
  const isChanged =
    changes.some(({ writes }) => writes.length > 0) ||
    view.app.state !== 'active' ||
    canonicalJson(view.app.spec) !== canonicalJson(document.app);
  const app = withoutEtag(view.app);
  return conclude(
    view,
    operation,
    {
      state: 'applied',
      app: isChanged ? { ...app, state: 'active', generation, spec: document.app, updatedAt: moment.now } : app,
      services: changes.flatMap(({ writes }) => writes),
      happenings: changes.flatMap(({ happening }) => happening ?? []),
      reason: null,
      problems: [...document.warnings, ...changes.flatMap(({ notice }) => notice ?? [])],
      summary: isChanged
        ? `Applied as generation ${generation}.`
        : `Nothing differs from generation ${app.generation}.`,
    },
    moment,
  );
}

/** The command as each service meets it. */
interface Applied extends Moment {
  readonly generation: number;
  /** Its operation. */
  readonly cause: string;
}

function servicesOf(view: CommandView, spec: AppSpec, applied: Applied): readonly ServiceWrites[] {
  const guards = new Map(view.guards.map((guard) => [guard.service, guard]));
  const wanted = new Set(spec.services.map(({ name }) => name));
  const placed = spec.services.map((service) => placeService(view, guards.get(service.name) ?? null, service, applied));
  const removed = view.guards
    .filter((guard) => !guard.removed && !wanted.has(guard.service))
    .map((guard) => removeService(guard, applied.generation, applied));
  return [...placed, ...removed];
}

/** The number that a document leads to, and why it is not the document's own. */
function countOf(
  view: CommandView,
  guard: GuardRow | null,
  { name, replicas, replicasByDefault }: ServiceSpec,
): Pick<GuardRow, 'desired' | 'stopped' | 'scaledTo'> & { readonly notice: Problem | null } {
  const known = guard === null || guard.removed ? null : guard;
  const stopped = known?.stopped ?? isStoppedAsAWhole(view);
  const scaledTo = replicasByDefault ? (known?.scaledTo ?? null) : null;
  const desired = stopped ? 0 : (scaledTo ?? replicas);
  const kept = scaledTo !== null && scaledTo !== replicas ? keptScale(name, scaledTo) : null;
  return { desired, stopped, scaledTo, notice: stopped ? staysStopped(view.app.app, name) : kept };
}

/** What is added to an app of which every service is stopped is stopped too. */
function isStoppedAsAWhole({ app, guards }: CommandView): boolean {
  const present = guards.filter(({ removed }) => !removed);
  return app.state === 'active' && present.length > 0 && present.every(({ stopped }) => stopped);
}

const staysStopped = (app: string, service: string): Problem => ({
  severity: 'warning',
  path: `services.${service}`,
  problem: `${service} is stopped and stays so.`,
  remedy: `Start it with \`flotilla start ${app}.${service}\`.`,
});

const keptScale = (service: string, scaledTo: number): Problem => ({
  severity: 'warning',
  path: `services.${service}`,
  problem: `${service} stays at the ${scaledTo} replicas that were commanded, because the file states no number.`,
  remedy: 'State `deploy.replicas`, or scale it.',
});

/** Without writes where the service stays as it is. */
function placeService(
  view: CommandView,
  guard: Stored<GuardRow> | null,
  service: ServiceSpec,
  applied: Applied,
): ServiceWrites {
  const revisions = view.revisions.filter((row) => row.service === service.name);
  const hash = revisionHash(service.template);
  const differs = revisions.find((row) => row.revision === guard?.revision)?.hash !== hash;
  const refused = differs ? rolledBack(revisions, hash) : null;
  const isRevised = differs && refused === null;
  const { notice: kept, ...count } = countOf(view, guard, service);
  const notice = refused === null ? kept : staysBack(view.app.app, guard, refused);
  const isScaled = guard?.desired !== count.desired;
  const isAdded = guard === null || guard.removed;
  const isSame = !isRevised && !isScaled && guard?.drainMs === service.drainMs && guard.scaledTo === count.scaledTo;
  if (!isAdded && isSame) return { writes: [], happening: null, notice };

  // Above every revision there ever was, also when the guard points at an older one.
  const newest = Math.max(guard?.revision ?? 0, ...revisions.map((row) => row.revision));
  const revision = isRevised ? newest + 1 : (guard?.revision ?? newest);
  const before = guard ? withoutEtag<GuardRow>(guard) : newGuard(view.app.app, service.name);
  const next = placed({ ...before, ...count, drainMs: service.drainMs, revision }, isAdded, applied);
  const from = isScaled ? (guard?.desired ?? 0) : null;
  const happening = happeningOf(service, next, { isAdded, isRevised, from });
  const change = isAdded || isRevised ? deployed(happening, applied) : next.change;
  const revised = revisionRow(next, service, hash, applied);
  return {
    writes: [
      { row: { ...next, change }, etag: guard?.etag ?? null },
      ...(isRevised ? [{ row: revised, etag: null }] : []),
    ],
    notice,
    happening,
  };
}

const deployed = (happening: Happening | null, { cause, now }: Applied): RevisionChange => ({
  purpose: 'deploy',
  cause,
  at: now,
  why: happening?.message ?? '',
});

const placed = (guard: GuardRow, isAdded: boolean, { generation, txId }: Applied): GuardRow => ({
  ...guard,
  // What was once ready is gone with the removal: dependants, and this service's own dependencies, are waited for again.
  ...(isAdded && { healthyRevision: null, startedRevision: null, dependenciesMetRevision: null }),
  removed: false,
  generation,
  reason: null,
  message: null,
  lastTx: txId,
});

const revisionRow = (
  { app, service, revision, generation }: GuardRow,
  { template }: ServiceSpec,
  hash: string,
  { now, cause }: Applied,
): RevisionRow => ({
  kind: 'revision',
  app,
  service,
  revision,
  hash,
  template,
  generation,
  createdAt: now,
  cause,
  verifiedAt: null,
  rolledBackAt: null,
});

/** A pipeline that pushes the same file again must not repeat what failed (semantics, "Rollouts"). */
function rolledBack(revisions: readonly RevisionRow[], hash: string): RevisionRow | null {
  const [newest] = revisions.filter((row) => row.hash === hash).toSorted((a, b) => b.revision - a.revision);
  return newest !== undefined && (newest.rolledBackAt ?? null) !== null ? newest : null;
}

const staysBack = (app: string, guard: GuardRow | null, { service, revision }: RevisionRow): Problem => ({
  severity: 'warning',
  path: `services.${service}`,
  problem: `RevisionRolledBack: the file asks for revision ${revision} of ${service}, which was rolled back; it stays at revision ${guard?.revision}.`,
  remedy: `Mend it, or try it once more with \`flotilla rollout undo ${app}.${service} --to ${revision}\`.`,
});

/** A new wait before deletion is no news: it touches no container group. */
function happeningOf(
  { name, template }: ServiceSpec,
  { revision, desired: replicas }: GuardRow,
  facts: { readonly isAdded: boolean; readonly isRevised: boolean; readonly from: number | null },
): Happening | null {
  const what = `revision ${revision} (${template.image})`;
  if (facts.isAdded) {
    return { type: 'ServiceAdded', service: name, message: `${name} is added: ${replicas} × ${what}.` };
  }
  if (facts.isRevised) {
    return { type: 'ServiceRevised', service: name, message: `${name} moves to ${what}, ${replicas} replicas.` };
  }
  if (facts.from === null) return null;
  return { type: 'ServiceScaled', service: name, message: `${name} is scaled from ${facts.from} to ${replicas}.` };
}

const newGuard = (app: string, service: string): GuardRow => ({
  kind: 'service',
  app,
  service,
  workflow: null,
  epoch: 0,
  claimedAt: null,
  claimedBy: null,
  wakeAt: null,
  passAt: null,
  desired: 0,
  stopped: false,
  scaledTo: null,
  cycle: 0,
  removed: false,
  drainMs: 0,
  nextIncarnation: 1,
  revision: 0,
  verifiedRevision: null,
  healthyRevision: null,
  startedRevision: null,
  dependenciesMetRevision: null,
  rollouts: 0,
  rollout: null,
  change: null,
  generation: 0,
  observedGeneration: 0,
  reason: null,
  message: null,
  lastTx: '',
});
