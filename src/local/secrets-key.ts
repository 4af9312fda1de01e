/**
 * The key that secrets are sealed with on the embedded platform. What Key Vault does for a Function App, a file does here: it lies outside the data
 * directory, for its user alone, so that a copy of the data tells nobody a secret. The data directory remembers which key it belongs to.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export interface KeyPlace {
  readonly dataDir: string;
  readonly keyFile: string;
}

/** Where the key of a data directory lies unless somebody says otherwise. */
export function defaultKeyFile(userDirectory: string, dataDir: string): string {
  const name = createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16);
  return join(userDirectory, 'keys', `${name}.key`);
}

/** A key for data that does not outlive the platform. */
export const freshKey = (): string => randomBytes(32).toString('base64');

/** The key of the data directory, made when it is new. @throws Error that names the fault and its remedy. */
export function openKey({ dataDir, keyFile }: KeyPlace): string {
  mkdirSync(dataDir, { recursive: true });
  const marker = join(dataDir, 'secrets-key.json');
  const known = readMarker(marker);
  refuseInside(dataDir, keyFile);
  if (!existsSync(keyFile)) {
    if (known !== null) {
      throw new Error(
        `the key of the secrets in ${dataDir} is missing: it should be in ${keyFile}. Put it back there, or name the file with --secrets-key; without it those secrets cannot be read (to give them up, remove ${marker} and store them again)`,
      );
    }
    mkdirSync(dirname(keyFile), { recursive: true, mode: 0o700 });
    writeFileSync(keyFile, `${freshKey()}\n`, { mode: 0o600, flag: 'wx', flush: true });
  }
  const key = readKey(keyFile);
  const id = idOf(key);
  if (known !== null && known !== id) {
    throw new Error(
      `${keyFile} is not the key of the secrets in ${dataDir}: they were sealed with ${known}, and this is ${id}. Name the right file with --secrets-key, or put the old key behind the new one in it, with a comma between them, and remove ${marker}`,
    );
  }
  if (known === null) writeFileSync(marker, `${JSON.stringify({ key: id })}\n`, { flush: true });
  return key;
}

function refuseInside(dataDir: string, keyFile: string): void {
  const directory = existsSync(dirname(keyFile)) ? realpathSync(dirname(keyFile)) : resolve(dirname(keyFile));
  const path = relative(realpathSync(dataDir), directory);
  if (path !== '' && (path.startsWith('..') || resolve(path) === path)) return;
  throw new Error(
    `the key ${keyFile} lies in the data directory: whoever copies the data would have both. Choose a file elsewhere`,
  );
}

function readKey(keyFile: string): string {
  const { mode } = statSync(keyFile);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new Error(
      `${keyFile} may be read by others than its owner (mode ${(mode & 0o777).toString(8).padStart(4, '0')}): run chmod 600 ${keyFile}, and replace the key if somebody may have seen it`,
    );
  }
  const key = readFileSync(keyFile, 'utf8').trim();
  if (key.split(',').every((one) => one.trim().length >= 32)) return key;
  throw new Error(
    `${keyFile} holds no key: write the output of openssl rand -base64 32 into it, or restore it from a copy`,
  );
}

function readMarker(marker: string): string | null {
  if (!existsSync(marker)) return null;
  try {
    const { key } = JSON.parse(readFileSync(marker, 'utf8')) as { key?: unknown };
    if (typeof key === 'string') return key;
  } catch {
    // Said below: what cannot be read is not overwritten.
  }
  throw new Error(
    `${marker} is damaged: it should say which key the secrets were sealed with. Remove it if the key file is the right one`,
  );
}

/** Tells keys apart and nothing about them. */
const idOf = (key: string): string =>
  createHash('sha256').update(`flotilla secrets key\n${key}`).digest('hex').slice(0, 16);
