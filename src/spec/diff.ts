/** What becomes different between two specs of one app, service by service. Says what changes, not what to do about it. */

import type { AppSpec, ServiceSpec } from '../model/app-spec.ts';
import { canonicalJson, compareText, isObject, joinPath, ownValue } from './json.ts';

export interface ServiceChange {
  readonly service: string;
  /**
   * `revised`: the template differs, so new container groups (the number of replicas may differ too) · `scaled`: only the number of replicas
   * touches groups · `unchanged`: no group is touched; `fields` then names what merely applies from now on (`drainMs`, `dependsOn`).
   */
  readonly kind: 'added' | 'removed' | 'revised' | 'scaled' | 'unchanged';
  /** Paths within the service spec that differ, sorted: `template.environment.MODE`, `replicas`. Empty for added and removed. */
  readonly fields: readonly string[];
}

/** Sorted by service; `undefined` = no app before (all added) or none after (all removed). */
export function diffApps(before: AppSpec | undefined, after: AppSpec | undefined): readonly ServiceChange[] {
  const old = byName(before);
  const next = byName(after);
  const names = [...new Set([...old.keys(), ...next.keys()])].sort(compareText);
  return names.map((service): ServiceChange => {
    const left = old.get(service);
    const right = next.get(service);
    if (left === undefined) return { service, kind: 'added', fields: [] };
    if (right === undefined) return { service, kind: 'removed', fields: [] };
    const fields = changedPaths(left, right, '').filter(isTold).sort(compareText);
    return { service, kind: kindOf(fields), fields };
  });
}

/** Whether a number is stated is no difference by itself. */
const isTold = (field: string): boolean => field !== 'replicasByDefault';

function kindOf(fields: readonly string[]): ServiceChange['kind'] {
  if (fields.some((field) => field.startsWith('template.'))) return 'revised';
  return fields.includes('replicas') ? 'scaled' : 'unchanged';
}

const byName = (app: AppSpec | undefined): ReadonlyMap<string, ServiceSpec> =>
  new Map((app?.services ?? []).map((service) => [service.name, service]));

/** Mappings are compared member by member; lists and single values as a whole. */
function changedPaths(left: unknown, right: unknown, path: string): string[] {
  if (isObject(left) && isObject(right)) {
    const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
    return [...keys].flatMap((key) => changedPaths(ownValue(left, key), ownValue(right, key), joinPath(path, key)));
  }
  return canonicalJson(left) === canonicalJson(right) ? [] : [path];
}
