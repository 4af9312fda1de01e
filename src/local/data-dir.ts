/**
 * Who may use a data directory. What the processes of a platform keep in memory is right only while nobody else writes to their files, so each holds a
 * lock for as long as it lives. The locks are those of the operating system, by way of SQLite: a process that is killed leaves none behind.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { version } from '../model/version.ts';
import { sqliteCodeOf, sqliteCodes } from './sqlite.ts';

/** Of what the files of a data directory hold. Raised when an older version could not read them. */
const FORMAT = 1;

export interface Claim {
  release(): void;
}

export interface ClaimOptions {
  /** What is claimed: the platform as a whole, or the part of one process. */
  readonly part: 'platform' | 'broker' | 'world' | 'host';
  /** How long to wait for a holder that may be on its way out, in ms. */
  readonly waitMs: number;
}

/** A process that lost its supervisor ends within 3 s. */
const LEAVING_MS = 10_000;

/** For a process of a platform: waits for a predecessor that is still ending. */
export const claimPart = (dataDir: string, part: Exclude<ClaimOptions['part'], 'platform'>): Claim =>
  claim(dataDir, { part, waitMs: LEAVING_MS });

/**
 * Makes the directory if need be, and claims it.
 * @throws Error in plain words when it cannot be used, belongs to a newer version, or somebody else is using it.
 */
export function claimDataDir(dataDir: string): Claim {
  usable(dataDir, () => mkdirSync(dataDir, { recursive: true }));
  const claimed = claim(dataDir, { part: 'platform', waitMs: 0 });
  try {
    checkFormat(dataDir);
    return claimed;
  } catch (error) {
    claimed.release();
    throw error;
  }
}

function claim(dataDir: string, { part, waitMs }: ClaimOptions): Claim {
  const directory = join(dataDir, 'locks');
  const db = usable(dataDir, () => {
    mkdirSync(directory, { recursive: true });
    return new DatabaseSync(join(directory, part));
  });
  try {
    db.exec(`PRAGMA busy_timeout = ${waitMs}; BEGIN EXCLUSIVE;`);
  } catch (error) {
    db.close();
    if (sqliteCodeOf(error) !== sqliteCodes.busy) throw unusable(dataDir, error);
    throw new Error(
      `${dataDir} is in use by another platform${holderOf(directory, part)}. Stop that one, or choose another data directory (--data DIR).`,
    );
  }
  usable(dataDir, () =>
    replaceFile(join(directory, `${part}.json`), { pid: process.pid, since: new Date().toISOString() }),
  );
  return { release: () => db.close() };
}

/** For people; the lock itself does not depend on it. */
function holderOf(directory: string, part: string): string {
  try {
    const { pid, since } = JSON.parse(readFileSync(join(directory, `${part}.json`), 'utf8')) as Record<string, unknown>;
    return ` (process ${pid}, since ${since})`;
  } catch {
    return '';
  }
}

function checkFormat(dataDir: string): void {
  const path = join(dataDir, 'flotilla.json');
  if (!existsSync(path)) {
    usable(dataDir, () => replaceFile(path, { format: FORMAT, version }));
    return;
  }
  const { format, version: writer } = readMarker(path);
  if (typeof format !== 'number' || !Number.isInteger(format))
    throw new Error(
      `${path} does not say what the data directory holds. Put back a copy of it, or choose another directory.`,
    );
  if (format > FORMAT)
    throw new Error(
      `${dataDir} was written by a newer version of Flotilla (${writer}, format ${format}); this is ${version}, which reads formats up to ${FORMAT}. ` +
        'Start the newer version, or choose another data directory. Nothing in it was changed.',
    );
}

function readMarker(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Whole or not at all. */
function replaceFile(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value)}\n`);
  renameSync(`${path}.new`, path);
}

function usable<T>(dataDir: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw unusable(dataDir, error);
  }
}

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'Make room on its disk',
  ENOTDIR: 'Something on the way there is a file: name a directory',
  EEXIST: 'It is a file: name a directory',
  EROFS: 'Its file system is read-only: mount it for writing',
};

/** What SQLite calls them. */
const codeBySqlite: Readonly<Record<number, string>> = {
  [sqliteCodes.full]: 'ENOSPC',
  [sqliteCodes.readOnly]: 'EROFS',
};

function unusable(dataDir: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const remedy = remedies[codeBySqlite[sqliteCodeOf(error)] ?? code ?? ''] ?? 'Let this user read and write it';
  return new Error(
    `${dataDir} cannot be used as data directory (${message}). ${remedy}, or choose another one (--data DIR).`,
  );
}
