/**
 * A named volume that is a share of Azure Files: `x-flotilla.azureFile`, which Docker leaves alone, or the driver `azure_file` in the words of Docker's
 * former integration with Container Instances. The key of the storage account is a secret of the document.
 */

import type { VolumeSpec } from '../model/app-spec.ts';
import { isObject, joinPath, ownValue } from './json.ts';
import { readBoolean } from './read.ts';
import type { Report } from './report.ts';
import { lookUp, type SecretTable } from './secrets.ts';

type Share = Omit<Extract<VolumeSpec, { kind: 'azureFile' }>, 'name'>;

interface Field {
  readonly key: string;
  readonly what: string;
  readonly pattern: RegExp;
}

/** Rules for names of shares and accounts: learn.microsoft.com, "Naming rules and restrictions for Azure resources" (read 2026-11). */
const share = { what: 'the name of a file share', pattern: /^(?!.*--)[a-z0-9][-a-z0-9]{1,61}[a-z0-9]$/ };
const account = { what: 'the name of a storage account', pattern: /^[a-z0-9]{3,24}$/ };

const keysOf = {
  extension: { share: 'share', account: 'storageAccount', secret: 'keySecret', readOnly: 'readOnly' },
  driver: {
    share: 'share_name',
    account: 'storage_account_name',
    secret: 'storage_account_key_secret',
    readOnly: 'read_only',
  },
} as const;

/** `none`: the volume does not speak of Azure Files. `undefined`: it does, and is refused. */
export function readAzureFile(
  definition: unknown,
  path: string,
  secrets: SecretTable,
  report: Report,
): Share | 'none' | undefined {
  const stated = ownValue(ownValue(definition, 'x-flotilla'), 'azureFile');
  if (isObject(stated)) {
    return readShare(stated, joinPath(path, 'x-flotilla', 'azureFile'), keysOf.extension, secrets, report);
  }
  if (ownValue(definition, 'driver') !== 'azure_file') return 'none';
  const options = ownValue(definition, 'driver_opts');
  return readShare(isObject(options) ? options : {}, joinPath(path, 'driver_opts'), keysOf.driver, secrets, report);
}

function readShare(
  stated: Readonly<Record<string, unknown>>,
  path: string,
  keys: (typeof keysOf)[keyof typeof keysOf],
  secrets: SecretTable,
  report: Report,
): Share | undefined {
  const shareName = readText(stated, { key: keys.share, ...share }, path, report);
  const storageAccount = readText(stated, { key: keys.account, ...account }, path, report);
  const readOnly = readBoolean(stated[keys.readOnly], false, joinPath(path, keys.readOnly), report);
  const secret = stated[keys.secret];
  if (typeof secret !== 'string') {
    report.refuse(
      joinPath(path, keys.secret),
      'must name the secret that holds the key of the storage account.',
      `Declare it under \`secrets:\` at the top, and write \`${keys.secret}: NAME\`.`,
    );
    return undefined;
  }
  const key = lookUp(secrets, 'secrets', secret, joinPath(path, keys.secret), report);
  if (shareName === undefined || storageAccount === undefined || key === undefined) return undefined;
  return { kind: 'azureFile', share: shareName, storageAccount, key, readOnly };
}

function readText(
  stated: Readonly<Record<string, unknown>>,
  { key, what, pattern }: Field,
  path: string,
  report: Report,
): string | undefined {
  const value = stated[key];
  if (typeof value === 'string' && pattern.test(value)) return value;
  report.refuse(joinPath(path, key), `must be ${what}.`, `Write \`${key}: NAME\`.`);
  return undefined;
}
