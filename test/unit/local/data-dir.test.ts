/** One data directory, one platform: who is refused, with which words, and that a killed holder is in nobody's way. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimDataDir, claimPart } from '../../../src/local/data-dir.ts';

let root: string;
let dataDir: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flotilla-data-'));
  dataDir = join(root, 'data');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Another process that holds the directory. */
async function holder() {
  const child = fork(join(import.meta.dirname, '../../support/data-dir-holder.ts'), [dataDir], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  await once(child, 'message');
  const end = async (how: () => void) => {
    const exited = once(child, 'exit');
    how();
    await exited;
  };
  return { pid: child.pid, kill: () => end(() => child.kill('SIGKILL')), leave: () => end(() => child.disconnect()) };
}

describe('a data directory', () => {
  it('is made when it is not there, and says what it holds', () => {
    claimDataDir(dataDir).release();
    expect(JSON.parse(readFileSync(join(dataDir, 'flotilla.json'), 'utf8'))).toMatchObject({ format: 1 });
  });

  it('is refused to a second platform, which hears who has it and what to do', async () => {
    const first = await holder();
    expect(() => claimDataDir(dataDir)).toThrow(
      new RegExp(
        `^${dataDir} is in use by another platform \\(process ${first.pid}, since .*\\)\\. Stop that one, or choose another data directory \\(--data DIR\\)\\.$`,
      ),
    );
    await first.leave();
    claimDataDir(dataDir).release();
  });

  it('is free again at once when its platform was killed, whoever has the process id now', async () => {
    await (await holder()).kill();
    const lock = join(dataDir, 'locks', 'platform.json');
    // The number in the file belongs to a process that lives: this one.
    writeFileSync(lock, JSON.stringify({ pid: process.pid, since: 'before' }));
    const claim = claimDataDir(dataDir);
    expect(() => claimDataDir(dataDir)).toThrow('is in use');
    claim.release();
  });

  it('is refused within one process, too', () => {
    const claim = claimDataDir(dataDir);
    expect(() => claimDataDir(dataDir)).toThrow(`process ${process.pid}`);
    claim.release();
    claimDataDir(dataDir).release();
  });

  it('lends its parts to different processes', () => {
    const claims = [claimDataDir(dataDir), claimPart(dataDir, 'broker'), claimPart(dataDir, 'world')];
    for (const { release } of claims) release();
  });

  it.each([
    [
      'a newer version',
      '{"format":2,"version":"9.1.0"}',
      /written by a newer version of Flotilla \(9\.1\.0, format 2\).*Start the newer version/,
    ],
    ['something unreadable', 'garbage', /flotilla\.json does not say what the data directory holds/],
  ])('of %s is refused, left as it is and not kept locked', (_, marker, says) => {
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'flotilla.json'), marker);
    expect(() => claimDataDir(dataDir)).toThrow(says);
    expect(() => claimDataDir(dataDir)).toThrow(says);
    expect(readFileSync(join(dataDir, 'flotilla.json'), 'utf8')).toBe(marker);
    expect(readdirSync(dataDir).toSorted()).toEqual(['flotilla.json', 'locks']);
  });

  it('that was there before directories were marked is taken over', () => {
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'tables.db'), '');
    claimDataDir(dataDir).release();
    expect(existsSync(join(dataDir, 'flotilla.json'))).toBe(true);
  });

  const file = (): string => {
    writeFileSync(dataDir, '');
    return dataDir;
  };

  it.each<[string, () => string, RegExp]>([
    ['is a file', file, /It is a file: name a directory, or choose/],
    ['lies behind a file', () => join(file(), 'x'), /on the way there is a file/],
    ['the system does not let be made', () => '/sys/flotilla', /Let this user read and write it, or choose/],
  ])('that %s is refused in plain words', (_, place, says) => {
    const path = place();
    expect(() => claimDataDir(path)).toThrow(`${path} cannot be used as data directory`);
    expect(() => claimDataDir(path)).toThrow(says);
  });

  it.skipIf(process.getuid?.() === 0)('that may not be written is refused in plain words', () => {
    mkdirSync(dataDir);
    chmodSync(dataDir, 0o500);
    expect(() => claimDataDir(dataDir)).toThrow(/EACCES.*Let this user read and write it, or choose/);
  });
});
