/** Which stored secrets an app still needs, and which can go. Pure. */
import { newestByName, type SecretFacts } from '../model/secrets.ts';
import type { AppRow, GuardRow, ReplicaRow, RevisionRow } from '../model/state.ts';
import { templateReferences } from '../spec/references.ts';

export interface SecretUsers {
  readonly app: AppRow | null;
  readonly guards: readonly GuardRow[];
  readonly revisions: readonly RevisionRow[];
  readonly replicas: readonly ReplicaRow[];
}

type Version = Pick<SecretFacts, 'name' | 'version'>;

const keyOf = ({ name, version }: Version): string => `${name} ${version}`;

/**
 * Services by the version they need: of the spec, of every kept revision of a service that is wanted (it may be rolled back to), and of whatever still has
 * replicas. A removed service keeps revisions for their numbers only.
 */
export function servicesUsing({
  app,
  guards,
  revisions,
  replicas,
}: SecretUsers): (version: Version) => readonly string[] {
  const users = new Map<string, Set<string>>();
  const note = (service: string, template: RevisionRow['template']): void => {
    for (const { secretRef, version } of templateReferences(template)) {
      const key = keyOf({ name: secretRef, version });
      users.set(key, (users.get(key) ?? new Set()).add(service));
    }
  };
  for (const { name, template } of app?.spec?.services ?? []) note(name, template);
  const wanted = new Set(guards.filter(({ removed }) => !removed).map(({ service }) => service));
  const atWork = new Set(
    replicas.filter(({ state }) => state !== 'gone').map(({ service, revision }) => `${service} ${revision}`),
  );
  for (const { service, revision, template } of revisions) {
    if (wanted.has(service) || atWork.has(`${service} ${revision}`)) note(service, template);
  }
  return (version) => [...(users.get(keyOf(version)) ?? [])].sort();
}

/**
 * Versions that nothing needs, and that were set before `before`: whoever uploads a value refers to it soon after. Of a name that was set by hand the
 * newest one stays until somebody removes it.
 */
export function staleSecrets<F extends SecretFacts>(
  facts: readonly F[],
  users: SecretUsers,
  before: number,
): readonly F[] {
  const usersOf = servicesUsing(users);
  const newest = newestByName(facts);
  return facts.filter(
    (fact) =>
      fact.setAt < before &&
      usersOf(fact).length === 0 &&
      (fact.managed || newest.get(fact.name)?.version !== fact.version),
  );
}
