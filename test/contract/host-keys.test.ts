/** Who may call what: levels of HTTP functions, kinds of keys, where keys are kept. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFunctionsHost, type FunctionsHost } from '../../src/local/host/functions-host.ts';
import { openHostKeys } from '../../src/local/host/keys.ts';

const appDir = fileURLToPath(new URL('./fixtures/http-app', import.meta.url));
let host: FunctionsHost;
beforeAll(async () => {
  host = await createFunctionsHost({ appDir, port: 0, log: () => undefined });
});
afterAll(() => host.close());

const keys = () => ({
  none: '',
  wrong: 'x'.repeat(43),
  host: host.keys.list('host')['default'] ?? '',
  own: host.keys.list({ function: 'owned' })['default'] ?? '',
  system: host.keys.extension('eventgrid'),
  master: host.keys.master,
});
const answerOf = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(host.url + path, { headers });
  return [answer.status, await answer.text()];
};
type Kind = keyof ReturnType<typeof keys>;

describe('an HTTP function', () => {
  it.each<[string, readonly Kind[]]>([
    ['text', ['none', 'wrong', 'host', 'own', 'system', 'master']],
    ['keyed', ['host', 'master']],
    ['owned', ['host', 'own', 'master']],
    ['governed', ['master']],
  ])('%s opens with %j, and is 401 without a body otherwise', async (path, opening) => {
    for (const [kind, key] of Object.entries(keys())) {
      const header = key === '' ? {} : { 'x-functions-key': key };
      const query = key === '' ? '' : `?code=${encodeURIComponent(key)}`;
      const expected = opening.includes(kind as Kind) ? [200, expect.anything()] : [401, ''];
      expect(await answerOf(`/api/${path}`, header), kind).toEqual(expected);
      expect(await answerOf(`/api/${path}${query}`), kind).toEqual(expected);
    }
  });

  it('judges the header before the query, as Azure does', async () => {
    const { host: good, wrong } = keys();
    const status = async (header: string, code: string) =>
      (await fetch(`${host.url}/api/keyed?code=${code}`, { headers: { 'x-functions-key': header } })).status;
    expect([await status(good, wrong), await status(wrong, good)]).toEqual([200, 401]);
  });

  it('that does not exist is 404 for everybody', async () => {
    expect((await fetch(`${host.url}/api/absent`)).status).toBe(404);
  });
});

describe('the keys', () => {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-keys-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('are the same at the next start, and only their owner can read them', () => {
    const path = join(directory, 'keys.json');
    const first = openHostKeys(path);
    const own = first.list({ function: 'Web' });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const second = openHostKeys(path);
    expect(second.master).toBe(first.master);
    expect(second.list('host')).toEqual(first.list('host'));
    expect(second.list({ function: 'web' })).toEqual(own);
  });

  it('stop opening when they are removed or replaced', () => {
    const opened = openHostKeys(undefined);
    const { value } = opened.set('host', 'ci');
    const levelOf = (key: string) => opened.accessOf({ url: `/?code=${key}`, headers: {} }).level;
    expect(levelOf(value)).toBe('function');
    expect(opened.remove('host', 'ci')).toBe(true);
    expect(opened.remove('host', 'ci')).toBe(false);
    expect(levelOf(value)).toBe('anonymous');
    const before = opened.master;
    opened.setMaster();
    expect([levelOf(before), levelOf(opened.master)]).toEqual(['anonymous', 'admin']);
  });

  it.each(['', '{}', '{"masterKey":""}', 'null'])('are never overwritten where the file holds %j instead', (text) => {
    const path = join(directory, 'broken.json');
    writeFileSync(path, text);
    expect(() => openHostKeys(path)).toThrow(/broken\.json holds no keys of the host\. Move or remove it/);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});
