/** The key file of the embedded platform: every way in which it can be missing, wrong or unsafe. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultKeyFile, freshKey, openKey } from '../../../src/local/secrets-key.ts';

let root: string;
let place: { dataDir: string; keyFile: string };
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flotilla-key-'));
  place = { dataDir: join(root, 'data'), keyFile: join(root, 'home', 'keys', 'one.key') };
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('the key of a data directory', () => {
  it('is made with it, outside of it, for its owner alone', () => {
    const key = openKey(place);
    expect(Buffer.from(key, 'base64')).toHaveLength(32);
    expect(statSync(place.keyFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(place.dataDir, 'secrets-key.json'), 'utf8')).not.toContain(key.slice(0, 8));
  });

  it('is the same at the next start, and another for another directory', () => {
    expect(openKey(place)).toBe(openKey(place));
    expect(defaultKeyFile('/home/me/.flotilla', '/a')).not.toBe(defaultKeyFile('/home/me/.flotilla', '/b'));
  });

  it('that is missing is not made anew: the secrets would be lost in silence', () => {
    openKey(place);
    rmSync(place.keyFile);
    expect(() => openKey(place)).toThrow(/key of the secrets in .*data is missing.*one\.key.*--secrets-key/);
  });

  it('that is another one is refused, and can be put in front of the old one', () => {
    const old = openKey(place);
    const fresh = freshKey();
    writeFileSync(place.keyFile, fresh, { mode: 0o600 });
    expect(() => openKey(place)).toThrow(/is not the key of the secrets/);
    writeFileSync(place.keyFile, `${fresh},${old}`, { mode: 0o600 });
    rmSync(join(place.dataDir, 'secrets-key.json'));
    expect(openKey(place)).toBe(`${fresh},${old}`);
  });

  it.skipIf(process.platform === 'win32').each([0o644, 0o640, 0o604])(
    'with mode %o is refused: others may read it',
    (mode) => {
      openKey(place);
      chmodSync(place.keyFile, mode);
      expect(() => openKey(place)).toThrow(/may be read by others.*chmod 600/);
    },
  );

  it('in the data directory is refused: a copy of the data would hold both', () => {
    const inside = { ...place, keyFile: join(place.dataDir, 'keys', 'one.key') };
    mkdirSync(join(place.dataDir, 'keys'), { recursive: true });
    expect(() => openKey(inside)).toThrow(/lies in the data directory/);
    expect(() => openKey({ ...place, keyFile: join(place.dataDir, 'one.key') })).toThrow(/lies in the data directory/);
  });

  it.each(['', 'short', 'not a key'])('file that holds %j is refused', (text) => {
    mkdirSync(join(root, 'home', 'keys'), { recursive: true });
    writeFileSync(place.keyFile, text, { mode: 0o600 });
    expect(() => openKey(place)).toThrow(/holds no key.*openssl rand -base64 32/);
  });

  it('whose note in the data directory is damaged is refused, and the note is left alone', () => {
    openKey(place);
    writeFileSync(join(place.dataDir, 'secrets-key.json'), '{');
    expect(() => openKey(place)).toThrow(/secrets-key\.json is damaged/);
    expect(readFileSync(join(place.dataDir, 'secrets-key.json'), 'utf8')).toBe('{');
  });
});
