/** The real store of secrets over a table of the test's, with a key that everybody may know. */
import type { Keyring } from '../../src/azure/keyring.ts';
import { createSealedSecrets } from '../../src/azure/sealed-secrets.ts';
import { ok, type Result } from '../../src/model/result.ts';
import type { Ids, Now } from '../../src/ports/ambient.ts';
import type { Secrets } from '../../src/ports/secrets.ts';
import type { StateStore } from '../../src/ports/state-store.ts';
import { keyringFor } from './keys.ts';

export function secretsFixture(
  { store, now, ids }: { readonly store: StateStore; readonly now: Now; readonly ids: Ids },
  keyring: Result<Keyring, string> = ok(keyringFor('a')),
): Secrets {
  return createSealedSecrets({ store, keyring, installation: 'test', now, ids });
}
