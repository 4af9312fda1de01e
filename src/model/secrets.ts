/** Names and facts of stored secret values: everything about them but the values. */

/** What is known of one stored value. */
export interface SecretFacts {
  readonly name: string;
  /** 16 hex digits of a keyed hash: it says whether two values are equal, and to nobody without the key what they are. */
  readonly version: string;
  readonly sizeBytes: number;
  /** UTF-8 without NUL: only such a value can be an environment variable. */
  readonly isText: boolean;
  /** Uploaded from the Compose file: it goes once nothing refers to it. What people set by hand stays until they remove it. */
  readonly managed: boolean;
  /** When it was last set, epoch ms; the latest of a name is its newest version. */
  readonly setAt: number;
}

/** Configs lie beside the secrets of an app, under names that no Compose secret can have. */
const configPrefix = 'config~';

export const storedConfigName = (name: string): string => `${configPrefix}${name}`;

/** As the Compose file has it. */
export const composeName = (stored: string): { readonly kind: 'secret' | 'config'; readonly name: string } =>
  stored.startsWith(configPrefix)
    ? { kind: 'config', name: stored.slice(configPrefix.length) }
    : { kind: 'secret', name: stored };

/** Names of the Compose Specification; row keys and URLs take them as they are. */
export const secretNamePattern = /^(config~)?[a-zA-Z0-9._-]{1,128}$/;
export const secretVersionPattern = /^[0-9a-f]{16}$/;

/** The newest version of each name. */
export function newestByName<F extends Pick<SecretFacts, 'name' | 'setAt'>>(
  facts: readonly F[],
): ReadonlyMap<string, F> {
  const newest = new Map<string, F>();
  for (const fact of facts) {
    const known = newest.get(fact.name);
    if (known === undefined || fact.setAt > known.setAt) newest.set(fact.name, fact);
  }
  return newest;
}
