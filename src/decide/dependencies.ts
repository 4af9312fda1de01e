/** Whether a service may start its target revision. A dependency gates that once; repair and scaling are never gated again (semantics, "Dependencies"). */
import { type AppSpec, type Dependency, serviceNamed } from '../model/app-spec.ts';
import type { GuardRow } from '../model/state.ts';

export interface Gate {
  readonly open: boolean;
  /** What is waited for, in words; null when open. */
  readonly message: string | null;
}

const open: Gate = { open: true, message: null };

export function gateOf(guard: GuardRow, app: AppSpec | null, dependencies: ReadonlyMap<string, GuardRow>): Gate {
  if (guard.removed || guard.dependenciesMetRevision === guard.revision) return open;
  const spec = serviceNamed(app, guard.service);
  const unmet = (spec?.dependsOn ?? []).filter(
    (dependency) => !isMet(dependency, dependencies.get(dependency.service)),
  );
  if (unmet.length === 0) return open;
  const names = unmet.map(({ service, condition }) => {
    const stopped = dependencies.get(service)?.stopped ? ' (it is stopped)' : '';
    return `${service} to be ${condition}${stopped}`;
  });
  return { open: false, message: `Waiting for ${names.join(' and ')}.` };
}

/**
 * The revision that replicas should have now. While the dependencies of a new revision are not met, the one before goes on: it is repaired and scaled
 * as ever. null = nothing may start yet.
 */
export const targetOf = (guard: GuardRow, gate: Gate): number | null =>
  gate.open ? guard.revision : guard.dependenciesMetRevision;

function isMet(dependency: Dependency, guard: GuardRow | undefined): boolean {
  if (guard === undefined || guard.removed) return false;
  const reached = dependency.condition === 'healthy' ? guard.healthyRevision : guard.startedRevision;
  return reached === guard.revision;
}
