/**
 * The store of secrets in the table of the installation: each version is a row whose value is sealed (`keyring.ts`). One transaction of the table writes
 * a value whole or not at all, on Azure and embedded alike; the key is never in the table.
 */
import { newestVersion } from '../model/app-spec.ts';
import { keys } from '../model/keys.ts';
import { err, ok, type Result } from '../model/result.ts';
import { newestByName, type SecretFacts } from '../model/secrets.ts';
import type { SecretRow, Stored } from '../model/state.ts';
import type { Ids, Now } from '../ports/ambient.ts';
import type { PortError } from '../ports/errors.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { Change, StateStore } from '../ports/state-store.ts';
import type { Keyring } from './keyring.ts';

export interface SealedSecretsOptions {
  readonly store: StateStore;
  /** An error is what every call but a listing answers with. */
  readonly keyring: Result<Keyring, string>;
  readonly installation: string;
  readonly now: Now;
  readonly ids: Ids;
}

type NewSecret = Parameters<Secrets['set']>[1];

export function createSealedSecrets(options: SealedSecretsOptions): Secrets {
  const { store, keyring } = options;
  return {
    async list(app) {
      const rows = await store.readSecrets(app);
      return rows.ok ? ok(rows.value.map(factsOf).sort(byNameAndTime)) : rows;
    },
    async set(app, secret) {
      if (!keyring.ok) return err(unusable(keyring.error));
      return await setValue(options, keyring.value, app, secret);
    },
    async read(app, ref) {
      if (!keyring.ok) return err(unusable(keyring.error));
      const row = await store.read<SecretRow>(keys.secret(app, ref.secretRef, ref.version));
      if (!row.ok) return row;
      const sealed = row.value?.sealed ?? null;
      if (sealed === null) return err(failure('NotFound', `version ${ref.version} of ${ref.secretRef} is not stored`));
      const opened = keyring.value.open(sealed, placeOf(options, app, ref.secretRef, ref.version));
      return opened.ok ? opened : err(unusable(`${ref.secretRef} cannot be opened: ${opened.error}`));
    },
    async remove(app, ref) {
      const key = keys.secret(app, ref.secretRef, ref.version);
      const row = await store.read<SecretRow>(key);
      if (!row.ok) return row;
      if (row.value === null) return ok(undefined);
      // Alone, with its tag: who sets the same value again in this moment must not lose it.
      const removed = await store.commit({
        txId: options.ids.next(),
        changes: [{ type: 'delete', key, etag: row.value.etag }],
      });
      return removed.ok ? ok(undefined) : removed;
    },
  };
}

async function setValue(
  options: SealedSecretsOptions,
  keyring: Keyring,
  app: string,
  { name, value, managed, dryRun = false }: NewSecret,
): Promise<Result<SecretFacts, PortError>> {
  const { store, now, ids } = options;
  const rows = await store.readSecrets(app);
  if (!rows.ok) return rows;
  const before = newestByName(rows.value).get(name);
  const version = await versionOf(options, keyring, { app, name, value }, before);
  const known = rows.value.find((row) => row.name === name && row.version === version);
  // Later than any other, whatever the clocks of two hosts say.
  const setAt = Math.max(now(), (before?.setAt ?? 0) + 1);
  const isText = isUtf8(value);
  // What was set by hand stays by hand, also when a file says the same.
  const facts = { name, version, sizeBytes: value.length, isText, managed: managed && known?.managed !== false, setAt };
  if (dryRun) return ok(facts);
  const sealed = keyring.seal(value, placeOf(options, app, name, version));
  const row: SecretRow = { kind: 'secret', app, ...facts, sealed };
  const change: Change = known ? { type: 'update', row, etag: known.etag } : { type: 'insert', row };
  const written = await store.commit({ txId: ids.next(), changes: [change] });
  return written.ok ? ok(facts) : written;
}

/** The newest version where the value is the same, whichever key made it: a new key alone must not replace every container. */
async function versionOf(
  options: SealedSecretsOptions,
  keyring: Keyring,
  { app, name, value }: { readonly app: string; readonly name: string; readonly value: Uint8Array },
  before: Stored<SecretRow> | undefined,
): Promise<string> {
  const version = keyring.fingerprint(value, placeOf(options, app, name, newestVersion));
  if (before === undefined || before.version === version) return version;
  const row = await options.store.read<SecretRow>(keys.secret(app, name, before.version));
  const sealed = row.ok ? (row.value?.sealed ?? null) : null;
  const opened = sealed === null ? null : keyring.open(sealed, placeOf(options, app, name, before.version));
  return opened?.ok && Buffer.compare(opened.value, value) === 0 ? before.version : version;
}

const placeOf = ({ installation }: SealedSecretsOptions, app: string, name: string, version: string): string =>
  JSON.stringify([installation, app, name, version]);

function factsOf({ name, version, sizeBytes, isText, managed, setAt }: SecretRow): SecretFacts {
  return { name, version, sizeBytes, isText, managed, setAt };
}

const byNameAndTime = (left: SecretFacts, right: SecretFacts): number =>
  left.name < right.name ? -1 : left.name > right.name ? 1 : left.setAt - right.setAt;

function isUtf8(value: Uint8Array): boolean {
  if (value.includes(0)) return false;
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
    return true;
  } catch {
    return false;
  }
}

const failure = (kind: PortError['kind'], message: string): PortError => ({
  kind,
  code: null,
  message,
  retryAfterMs: null,
});

/** Code of values that no repetition makes readable: the operator must act. */
const unusable = (message: string): PortError => ({ ...failure('Invalid', message), code: 'SecretUnreadable' });
