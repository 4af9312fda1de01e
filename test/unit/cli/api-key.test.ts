/** Which key goes to which API. */
import { describe, expect, it } from 'vitest';
import { findKey } from '../../../src/cli/api-key.ts';
import { err } from '../../../src/model/result.ts';
import { runCli } from '../../support/cli-fixture.ts';

const left = (port: number) => ({
  [`/home/me/.flotilla/loopback/${port}.json`]: JSON.stringify({ api: `http://127.0.0.1:${port}`, key: `of-${port}` }),
});

interface Row {
  readonly name: string;
  readonly api: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly key: string | null | 'refused';
}

describe('the key that is sent', () => {
  it.each<Row>([
    {
      name: 'is the one that the platform at this port has left',
      api: 'http://127.0.0.1:7071',
      files: left(7071),
      key: 'of-7071',
    },
    { name: 'is found under localhost as well', api: 'http://localhost:7071', files: left(7071), key: 'of-7071' },
    { name: 'is never that of another port', api: 'http://127.0.0.1:7072', files: left(7071), key: null },
    { name: 'is never the local one on another machine', api: 'http://build:7071', files: left(7071), key: null },
    {
      name: 'is looked for in FLOTILLA_HOME',
      api: 'http://127.0.0.1:80',
      environment: { FLOTILLA_HOME: '/elsewhere' },
      files: { '/elsewhere/loopback/80.json': '{"api":"x","key":"there"}' },
      key: 'there',
    },
    {
      name: 'is the configured one first',
      api: 'http://127.0.0.1:7071',
      environment: { FLOTILLA_KEY: 'mine' },
      files: left(7071),
      key: 'mine',
    },
    {
      name: 'is the configured one over TLS',
      api: 'https://shop.azurewebsites.net',
      environment: { FLOTILLA_KEY: 'mine' },
      key: 'mine',
    },
    {
      name: 'never travels in the clear',
      api: 'http://shop.azurewebsites.net',
      environment: { FLOTILLA_KEY: 'mine' },
      key: 'refused',
    },
    {
      name: 'is none where the file is no such file',
      api: 'http://127.0.0.1:1',
      files: { '/home/me/.flotilla/loopback/1.json': '{"key":7}' },
      key: null,
    },
  ])('$name', async ({ api, environment = {}, files = {}, key }) => {
    const found = await findKey({ environment, homeDirectory: '/home/me', readFile: async (path) => files[path] }, api);
    expect(found.ok ? (found.value?.key ?? null) : 'refused').toBe(key);
    expect(JSON.stringify(found.ok ? found.value?.source : found.error) ?? '').not.toContain('mine');
  });
});

describe('a command whose key opens nothing', () => {
  const unauthorized = { info: async () => err({ kind: 'unauthorized' as const, message: '401' }) };

  it.each([
    ['wants a key', {}, undefined],
    ['does not accept the key from FLOTILLA_KEY', { FLOTILLA_KEY: 'old' }, undefined],
    ['does not accept the key from /home/me/.flotilla/loopback/7071.json', {}, left(7071)],
  ])('says that the API %s, and what to do', async (said, environment, files) => {
    const { code, errors } = await runCli(['ps'], { environment, overrides: unauthorized, ...(files && { files }) });
    expect(code).toBe(5);
    expect(errors[0]).toBe(`error: the API at http://127.0.0.1:7071 ${said}.`);
    expect(errors[1]).toContain('FLOTILLA_KEY');
  });
});
