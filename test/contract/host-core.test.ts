import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { loadApp } from '../../src/local/host/core.ts';
import type { LoadedApp } from '../../src/local/host/functions-core.ts';
import { createInvoker, type Invocation, type LogLine } from '../../src/local/host/invoke.ts';
import type { RpcTypedData } from '../../src/local/host/rpc.ts';

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

function functionOf(app: LoadedApp, name: string) {
  const fn = app.functions.find((f) => f.name === name);
  if (!fn) throw new Error(`${name} is not registered`);
  return fn;
}

async function call(
  app: LoadedApp,
  name: string,
  data: RpcTypedData,
  more: Partial<Invocation> = {},
  timeoutMs = 5_000,
) {
  const lines: LogLine[] = [];
  let ids = 0;
  const invoker = createInvoker({ app, log: (line) => lines.push(line), timeoutMs, newId: () => `id-${++ids}` });
  const outcome = await invoker.invoke(functionOf(app, name), { inputData: [{ name: 'in', data }], ...more });
  expect(invoker.inFlight()).toBe(0);
  return { outcome, lines };
}

const returned = async (app: LoadedApp, name: string, data: RpcTypedData = { string: 'x' }) => {
  const { outcome } = await call(app, name, data);
  return outcome.ok ? outcome.returnValue : outcome.error;
};

afterEach(() => {
  delete process.env['LATE_APP'];
});

describe('loading a function app', () => {
  it('collects what every file matched by "main" registers, from ES modules', async () => {
    const app = await loadApp({ appDir: fixture('esm-app') });
    expect(app.functions.map((f) => f.name)).toEqual(expect.arrayContaining(['hooked', 'nightly', 'hello']));
    expect(functionOf(app, 'hello').trigger).toMatchObject({ type: 'httpTrigger', route: 'hello/{name}' });
    expect(app.programmingModel.name).toBe('@azure/functions');
  });

  it('collects registrations of CommonJS files, durable ones too', async () => {
    const app = await loadApp({ appDir: fixture('cjs-app') });
    expect(app.functions.map((f) => [f.name, f.trigger.type])).toEqual([
      ['fromCommonJs', 'httpTrigger'],
      ['double', 'activityTrigger'],
      ['twice', 'orchestrationTrigger'],
    ]);
  });

  it.each(['esm-app', 'cjs-app'])('loads %s again in the same process, as a restart in a test does', async (name) => {
    const first = await loadApp({ appDir: fixture(name) });
    const second = await loadApp({ appDir: fixture(name) });
    expect(second.functions.map((f) => f.name)).toEqual(first.functions.map((f) => f.name));
  });

  it('names the file that throws while it is loaded, and its error', async () => {
    await expect(loadApp({ appDir: fixture('throwing-app') })).rejects.toThrow(
      /broken\.js: failed while it was loaded: Error: configuration is missing/,
    );
  });

  it('refuses an app that registers nothing', async () => {
    await expect(loadApp({ appDir: fixture('empty-app') })).rejects.toThrow(/"index\.js" registered no function/);
  });

  it('refuses a directory without package.json, one without "main", and a "main" that matches nothing', async () => {
    const appDir = mkdtempSync(join(tmpdir(), 'flotilla-host-'));
    await expect(loadApp({ appDir })).rejects.toThrow(/package\.json: cannot be read/);
    writeFileSync(join(appDir, 'package.json'), '{}');
    await expect(loadApp({ appDir })).rejects.toThrow(/package\.json: has no "main"/);
    writeFileSync(join(appDir, 'package.json'), '{"main":"dist/*.js"}');
    await expect(loadApp({ appDir })).rejects.toThrow(/no file matches "dist\/\*\.js"/);
  });

  it('refuses two functions whose names differ only in case', async () => {
    process.env['LATE_APP'] = 'duplicate';
    await expect(loadApp({ appDir: fixture('late-app') })).rejects.toThrow(
      /A function named "early" is registered already/,
    );
  });

  it('refuses a registration after start-up', async () => {
    const app = await loadApp({ appDir: fixture('late-app') });
    const { outcome } = await call(app, 'early', {});
    expect(outcome).toMatchObject({
      ok: false,
      error: { message: expect.stringMatching(/"late".*only.*during app start-up/) },
    });
  });

  it('runs appStart and appTerminate hooks over one shared hookData', async () => {
    const app = await loadApp({ appDir: fixture('esm-app') });
    expect(app.appLevelHookData['started']).toBe(true);
    await app.terminate();
    expect(app.appLevelHookData['terminated']).toBe(true);
  });
});

describe('invoking a function', () => {
  it('gives pre- and post-invocation hooks the same hookData and lets them change the result', async () => {
    const app = await loadApp({ appDir: fixture('esm-app') });
    const value = await returned(app, 'hooked', { string: '{"a":1}' });
    expect(value).toEqual({
      json: JSON.stringify({ input: { a: 1 }, seen: 'hooked' }),
    });
  });

  it('lets a pre-invocation hook replace handler and inputs, and a post-invocation hook clear an error', async () => {
    const app = await loadApp({ appDir: fixture('esm-app') });
    expect(await returned(app, 'replaced')).toEqual({ string: 'replaced: changed by the hook' });
    expect(await returned(app, 'forgiven')).toEqual({ string: 'forgiven' });
  });

  it.each([
    ['number', { int: 7 }],
    ['bytes', { bytes: Buffer.from('abc') }],
    ['nothing', undefined],
  ])('returns the value of "%s" as typed data', async (name, expected) => {
    const app = await loadApp({ appDir: fixture('esm-app') });
    expect(await returned(app, name)).toEqual(expected);
  });

  it.each([
    ['boom', 'kaput'],
    ['throwsObject', '{"code":7}'],
    ['throwsUndefined', 'Unknown error'],
  ])('answers a failure of "%s" as a value with its message', async (name, message) => {
    const app = await loadApp({ appDir: fixture('esm-app') });
    const { outcome, lines } = await call(app, name, {});
    expect(outcome).toMatchObject({ ok: false, timedOut: false, error: { message } });
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        functionName: name,
        invocationId: 'id-1',
        message: expect.stringContaining(message),
      }),
    );
  });

  it('reports a handler that outlives functionTimeout as failed', async () => {
    const app = await loadApp({ appDir: fixture('esm-app') });
    const { outcome } = await call(app, 'hangs', {}, {}, 20);
    expect(outcome).toMatchObject({
      ok: false,
      timedOut: true,
      error: { message: expect.stringContaining('Timeout value of 20 ms') },
    });
  });

  it('sends log lines to the sink with function and invocation, after the log hooks', async () => {
    const app = await loadApp({ appDir: fixture('esm-app') });
    const { lines } = await call(app, 'logs', {});
    const at = { functionName: 'logs', invocationId: 'id-1', category: 'user' };
    expect(lines).toEqual([
      { ...at, level: 'information', message: 'the *** is out' },
      { ...at, level: 'warning', message: 'careful 3' },
    ]);
  });

  it('hands triggerMetadata over in camel case and keeps a given invocation id', async () => {
    const app = await loadApp({ appDir: fixture('esm-app') });
    const { outcome } = await call(
      app,
      'metadata',
      { string: 'text' },
      { invocationId: 'mine', triggerMetadata: { ApplicationProperties: { json: '{"Tenant":"a"}' } } },
    );
    expect(outcome).toMatchObject({ ok: true, invocationId: 'mine' });
    expect(outcome.ok && JSON.parse(outcome.returnValue?.json ?? '')).toEqual({
      input: 'text',
      id: 'mine',
      trigger: { applicationProperties: { tenant: 'a' } },
    });
  });
});
