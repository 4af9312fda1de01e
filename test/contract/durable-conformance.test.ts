/**
 * The 122 cases recorded from the real Durable extension, run against the embedded engine through the real `durable-functions` client.
 * Every part agrees, or differs for a reason that is a heading of DIFFERENCES.md.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadApp, startDurableServer, writeApp } from '../support/durable-host.ts';

const fixtures = resolve('test/contract/fixtures/durable-conformance');
const differencesFile = resolve('src/local/host/DIFFERENCES.md');

const reasons = {
  entities: 'Entities are refused',
  hangs: 'What hangs in Azure fails here',
  ids: "Instance ids follow Azure's documentation",
  json: 'Terminate without a reason gives valid JSON',
  stacks: '.NET stack traces are not imitated',
  timing: 'Timing and the rest of the store',
} as const;

/** Parts that differ in every run. */
const differing: Readonly<Record<string, keyof typeof reasons>> = {
  entityErr: 'entities',
  entityErrStr: 'entities',
  entityUncaught: 'entities',
  entityRollback: 'entities',
  entityMissing: 'entities',
  entCall: 'entities',
  entPoke: 'entities',
  shapes: 'entities',
  'locked.a': 'entities',
  'locked.b': 'entities',
  'queries.all': 'entities',
  'entities.signal': 'entities',
  'entities.read': 'entities',
  'entities.readCase': 'entities',
  'entities.missing': 'entities',
  'entities.unknown': 'entities',
  'entities.apiSignal': 'entities',
  'entities.api': 'entities',
  'entities.apiMissing': 'entities',
  'entities.list': 'entities',
  'entities.asInstance': 'entities',
  'entities.deleted': 'entities',
  'entities._driverError': 'entities',
  unknownAct: 'hangs',
  unknownSub: 'hangs',
  throwsStr: 'hangs',
  throwsObj: 'hangs',
  'statusVariants.badId': 'ids',
  terminateNoReason: 'json',
  'raiseVariants.apiUndef': 'stacks',
  'nondet.StackTrace': 'stacks',
};

/** Parts in which the real extension differs from its own recording: they may agree or not. */
const noise: Readonly<Record<string, keyof typeof reasons>> = {
  allRetry: 'timing',
  'queries.by': 'timing',
  'queries.badStatus': 'timing',
  'nondet._elapsedMs': 'timing',
};

type Observed = Record<string, Record<string, unknown> | string | undefined>;

interface Part {
  readonly name: string;
  readonly expected: string | undefined;
  readonly observed: string | undefined;
}

const ignored = new Set(
  `_elapsedMs createdTime lastUpdatedTime Timestamp ScheduledTime FireAt lastOperationTime location now content-length ExceptionMessage ExceptionType meta StackTrace`.split(
    ' ',
  ),
);

/** The rules of the recorder's own compare.cjs, for any port. */
function normal(value: unknown): string | undefined {
  return JSON.stringify(value, (key, v: unknown) => {
    if (ignored.has(key)) return undefined;
    if (typeof v !== 'string') return v;
    return v
      .replace(/\{\\*"\$type[\s\S]*/, '{$type…')
      .replace(/StackTrace:[\s\S]*/, 'StackTrace:…')
      .replace(/[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/g, 'GUID')
      .replace(/(localhost|127\.0\.0\.1):\d+(?=\/(runtime|durabletask))/g, 'HOST')
      .replace(/code=\w+/g, 'code=K')
      .replace(/taskHub=\w+/g, 'taskHub=H');
  });
}

function summary(value: unknown): unknown {
  const status = value as {
    runtimeStatus?: string;
    output?: unknown;
    customStatus?: unknown;
    historyEvents?: { EventType: string }[];
  };
  if (!value || typeof value !== 'object' || status.runtimeStatus === undefined) return value;
  const ev = (status.historyEvents ?? []).map((event) => event.EventType).join(' ');
  return { st: status.runtimeStatus, out: status.output, cs: status.customStatus, ev };
}

function compare(expected: Observed, observed: Observed): Part[] {
  return Object.keys(expected).flatMap((name) => {
    const [a, b] = [expected[name], observed[name]];
    const whole = [a, b].some((v) => typeof v === 'string' || (v && 'runtimeStatus' in v));
    if (whole) return [{ name, expected: normal(summary(a)), observed: normal(summary(b)) }];
    const [x, y] = [(a ?? {}) as Record<string, unknown>, (b ?? {}) as Record<string, unknown>];
    return [...new Set([...Object.keys(x), ...Object.keys(y)])].map((part) => ({
      name: `${name}.${part}`,
      expected: normal(summary(x[part])),
      observed: normal(summary(y[part])),
    }));
  });
}

async function drive(url: string, appDir: string, out: string): Promise<Observed> {
  const driver = spawn(process.execPath, [join(fixtures, 'drive.cjs'), out], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      APP_DIR: appDir,
      CLIENT_URL: `${url}/api/_client`,
      RUN: 'g1',
      WEBSITE_HOSTNAME: url.replace('http://127.0.0.1', 'localhost'),
    },
  });
  const code = await new Promise((done) => driver.on('exit', done));
  expect(code, 'drive.cjs ended with an error').toBe(0);
  return JSON.parse(readFileSync(out, 'utf8')) as Observed;
}

describe('the recorded cases of the real extension', () => {
  const logged: string[] = [];
  let parts: Part[] = [];
  let cleanUp = async () => {};

  beforeAll(async () => {
    const app = writeApp(stripTypeScriptTypes(readFileSync(join(fixtures, 'cases.ts.txt'), 'utf8')));
    // As slow and as early as the cloud: the recording shows Pending instances, racing starts and early timers.
    const server = await startDurableServer(await loadApp({ appDir: app.appDir }), {
      storePath: join(app.appDir, 'durable.db'),
      faults: { earlyTimers: true, queueDelayMs: 20, startGapMs: 40 },
      log: (_level, message) => logged.push(message),
    });
    cleanUp = async () => {
      await server.close();
      app.remove();
    };
    const observed = await drive(server.url, app.appDir, join(app.appDir, 'observed.json'));
    const expected = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as Observed;
    expect(Object.keys(expected)).toHaveLength(122);
    parts = compare(expected, observed);
  }, 120_000);

  afterAll(() => cleanUp());

  it('agree in every part that is not listed with a reason', () => {
    const unexplained = parts.filter((p) => p.expected !== p.observed && !(p.name in differing) && !(p.name in noise));
    expect(unexplained).toEqual([]);
  });

  it('still differ in every part that is listed', () => {
    const stale = Object.keys(differing).filter((name) => {
      const part = parts.find((p) => p.name === name);
      return !part || part.expected === part.observed;
    });
    expect(stale, 'remove these from the list').toEqual([]);
  });

  it('agree in at least as many parts as on the day the list was made', () => {
    expect(parts.filter((p) => p.expected === p.observed).length).toBeGreaterThanOrEqual(190);
  });

  it('names only reasons that DIFFERENCES.md explains', () => {
    const text = readFileSync(differencesFile, 'utf8');
    for (const reason of Object.values(reasons)) expect(text).toContain(`### ${reason}`);
  });

  it('says of instances that fail here and hang in the cloud that they would hang', () => {
    const failed = parts.filter((p) => differing[p.name] === 'hangs');
    expect(failed.length).toBeGreaterThan(0);
    for (const part of failed) expect(part.observed).toContain('In Azure this instance would stay Running for ever');
  });

  it('make the engine report no error of its own', () => {
    expect(logged.filter((line) => line.includes('the engine failed'))).toEqual([]);
  });
});
