/** A run of the CLI without process, network or clock: a scripted API, files in a map, time that only passes while something sleeps. */

import type { Answer, Surroundings } from '../../src/cli/context.ts';
import { run } from '../../src/cli/run.ts';
import type { ApiClient, ApiError } from '../../src/client/client.ts';
import type { ConsoleError, FaultConsole } from '../../src/client/fault-console.ts';
import type {
  ApplyPreview,
  AppResource,
  EventList,
  EventResource,
  ForecastResource,
  OperationResource,
  PoolResource,
  RevisionResource,
  RolloutSummary,
  SecretResource,
  ServiceResource,
} from '../../src/model/api.ts';
import { err, ok, type Result } from '../../src/model/result.ts';

export const startAt = Date.parse('2026-11-24T12:00:00.000Z');
export const instant = (seconds: number): string => new Date(startAt + seconds * 1000).toISOString();

export const anEvent = (over: Partial<EventResource> = {}): EventResource => ({
  at: instant(1),
  type: 'ReplicaReady',
  service: 'web',
  replica: 'web/0/1',
  reason: null,
  message: 'The replica is ready.',
  cause: 'deployment:shop.web:1',
  ...over,
});

export const aReplica = (
  over: Partial<ServiceResource['replicas'][number]> = {},
): ServiceResource['replicas'][number] => ({
  slot: 0,
  incarnation: 1,
  revision: 1,
  state: 'ready',
  since: instant(0),
  reason: null,
  message: null,
  pool: 'east',
  region: 'eastus',
  group: 'f-0-web',
  addresses: ['http://10.0.0.4:8080'],
  restartCount: 0,
  logTail: null,
  ...over,
});

export const aRollout = (over: Partial<RolloutSummary> = {}): RolloutSummary => ({
  id: 'web.2',
  service: 'web',
  purpose: 'deploy',
  from: 1,
  to: 2,
  strategy: 'rolling',
  phase: 'progressing',
  reason: null,
  message: null,
  cause: 'op-2',
  why: 'web moves to revision 2.',
  generation: 2,
  startedAt: instant(0),
  endedAt: null,
  desired: 2,
  ready: 1,
  old: 1,
  failed: 0,
  strikes: 0,
  successor: null,
  ...over,
});

export const aService = (over: Partial<ServiceResource> = {}): ServiceResource => ({
  name: 'web',
  image: 'nginx:1.27',
  revision: 1,
  desired: 1,
  ready: 1,
  converged: true,
  removed: false,
  stopped: false,
  scaledTo: null,
  reason: null,
  message: null,
  workflow: null,
  rollout: null,
  replicas: [aReplica()],
  ...over,
});

export const secretVersion = '0123456789abcdef';

export const aSecret = (over: Partial<SecretResource> = {}): SecretResource => ({
  kind: 'secret',
  name: 'db-password',
  version: secretVersion,
  newest: true,
  sizeBytes: 12,
  managed: true,
  setAt: instant(0),
  usedBy: ['web'],
  ...over,
});

export const anApp = (over: Partial<AppResource> = {}): AppResource => ({
  name: 'shop',
  state: 'active',
  generation: 1,
  observedGeneration: 1,
  converged: true,
  frozen: false,
  stopped: false,
  services: 1,
  ready: 1,
  desired: 1,
  serviceList: [aService()],
  pendingOperations: [],
  ...over,
});

export const nothingForecast: ForecastResource = {
  durationMs: 0,
  services: [],
  pools: [],
  costPerHour: null,
  waits: [],
};

export const planId = 'p0123456789abcdef';

export const aPreview = (over: Partial<ApplyPreview> = {}): ApplyPreview => ({
  id: planId,
  app: 'shop',
  changes: [],
  services: [],
  warnings: [],
  pending: 0,
  forecast: nothingForecast,
  ...over,
});

export const aPool = (over: Partial<PoolResource> = {}): PoolResource => ({
  name: 'eastus',
  kind: 'aci',
  region: 'eastus',
  quota: { groups: 100, cores: 100 },
  used: { groups: 2, cores: 1.5 },
  labels: {},
  price: null,
  cordoned: false,
  draining: false,
  reason: null,
  message: null,
  ...over,
});

export const anOperation = (over: Partial<OperationResource> = {}): OperationResource => ({
  id: '0123456789abcdef0123456789abcdef',
  app: 'shop',
  seq: 1,
  command: 'apply',
  state: 'applied',
  generation: 1,
  reason: null,
  problems: [],
  acceptedAt: instant(0),
  finishedAt: instant(0),
  ...over,
});

export const refused = (status: number, detail: string): ApiError => ({
  kind: 'refused',
  problem: { type: 'about:blank', title: 'No', status, detail },
});

export const unreachable: ApiError = { kind: 'unreachable', message: 'http://api: connect ECONNREFUSED' };

/** What each look at the API finds, in turn; the last one stays. */
export interface Script {
  readonly apps?: readonly (AppResource | ApiError)[];
  readonly operations?: readonly OperationResource[];
  /** Oldest first, visible once their instant is past. */
  readonly events?: readonly EventResource[];
  /** Each listing of rollouts in turn, the last for ever. */
  readonly rollouts?: readonly (readonly RolloutSummary[])[];
  readonly revisions?: readonly RevisionResource[];
  readonly overrides?: Partial<ApiClient>;
}

export interface RunOptions extends Script {
  readonly files?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Ctrl-C at this time after the start. */
  readonly interruptAfterMs?: number;
  /** Ctrl-C before anything else. */
  readonly interrupted?: boolean;
  readonly answers?: Readonly<Record<string, Answer>>;
  readonly colours?: boolean;
  /** The fault console of the platform. */
  readonly console?: (baseUrl: string) => FaultConsole;
  /** Nothing is typed unless they say so. */
  readonly keyboard?: Surroundings['keyboard'];
  readonly dial?: Surroundings['dial'];
  readonly onConnect?: (baseUrl: string, key: string | undefined) => void;
}

const nobody = async () => err<ConsoleError>({ kind: 'unreachable', message: 'connect ECONNREFUSED' });
const noConsole: FaultConsole = { view: nobody, inject: nobody, clear: nobody };

const noKeyboard: Surroundings['keyboard'] = {
  isTerminal: false,
  size: () => null,
  listen: () => ({ end() {} }),
  show: async () => {},
};

export interface Ran {
  readonly code: number;
  readonly out: readonly string[];
  readonly errors: readonly string[];
  /** Calls that change something: method and app. */
  readonly commands: readonly string[];
  /** Files as they were written, by path. */
  readonly written: ReadonlyMap<string, string>;
  readonly tookMs: number;
}

export async function runCli(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  let now = startAt;
  const interruption = new AbortController();
  if (options.interrupted) interruption.abort();
  const out: string[] = [];
  const errors: string[] = [];
  const commands: string[] = [];
  const written = new Map<string, string>();
  const surroundings: Surroundings = {
    environment: options.environment ?? {},
    workingDirectory: '/work',
    readFile: async (path) => written.get(path) ?? options.files?.[path],
    readBytes: async (path) => (options.files?.[path] === undefined ? undefined : Buffer.from(options.files[path])),
    homeDirectory: '/home/me',
    writePrivateFile: async (path, text) => void written.set(path, text),
    connect: (baseUrl, key) => {
      options.onConnect?.(baseUrl, key);
      return scriptedClient(options, () => now, commands);
    },
    connectConsole: (baseUrl) => options.console?.(baseUrl) ?? noConsole,
    knock: async (address) => options.answers?.[address] ?? { answers: true, detail: 'HTTP 200' },
    terminal: {
      colours: options.colours ?? false,
      line: (text) => out.push(...text.split('\n')),
      note: (text) => errors.push(...text.split('\n')),
      status() {},
    },
    keyboard: options.keyboard ?? noKeyboard,
    dial: options.dial ?? (async () => err('connect ECONNREFUSED')),
    now: () => now,
    sleep: async (ms) => {
      now += ms;
      if (options.interruptAfterMs !== undefined && now - startAt >= options.interruptAfterMs) interruption.abort();
    },
    interrupted: interruption.signal,
    isSupervised: false,
    newKey: () => 'key',
  };
  const code = await run(argv, surroundings);
  return { code, out, errors, commands, written, tookMs: now - startAt };
}

function scriptedClient(script: Script, now: () => number, commands: string[]): ApiClient {
  const next = <T>(values: readonly T[]): (() => T | undefined) => {
    let n = 0;
    return () => values[Math.min(n++, values.length - 1)];
  };
  const nextApp = next(script.apps ?? [anApp()]);
  const nextRollouts = next(script.rollouts ?? []);
  const nextOperation = next(script.operations ?? [anOperation()]);
  const command = (method: string) => async (app: string) => {
    commands.push(`${method} ${app}`);
    return ok({ ...(nextOperation() ?? anOperation()), app });
  };
  const app = async (): Promise<Result<AppResource, ApiError>> => {
    const found = nextApp() ?? anApp();
    return 'kind' in found ? err(found) : ok(found);
  };
  return {
    info: async () => ok({ name: 'flotilla', version: '0.1.0', installation: 'test' }),
    rollouts: async () => ok({ rollouts: nextRollouts() ?? [] }),
    rollout: async () => ok({ ...aRollout(), failures: [], decisions: [] }),
    revisions: async () => ok({ revisions: script.revisions ?? [] }),
    pools: async () => ok([aPool()]),
    async poolCommand(pool, word) {
      commands.push(`${word} ${pool}`);
      return ok(aPool({ name: pool, cordoned: word !== 'uncordon', draining: word === 'drain' }));
    },
    apps: async () => ok([anApp()]),
    appPage: async () => ok({ apps: [anApp()], next: null }),
    app,
    preview: async (name) => ok(aPreview({ app: name, changes: [{ service: 'web', change: 'added', fields: [] }] })),
    apply: (app, _document, _key, plan) => command(plan == null ? 'apply' : `apply ${plan}`)(app),
    remove: command('remove'),
    secrets: async () => ok([]),
    async setSecret(name, secret) {
      commands.push(`set ${name} ${secret.name} ${Buffer.from(secret.value).toString('hex').slice(0, 4)}`);
      return ok({ ...aSecret({ name: secret.name, sizeBytes: secret.value.length }), version: secretVersion });
    },
    async removeSecret(name, secret) {
      commands.push(`rm ${name} ${secret}`);
      return ok({ removed: 2 });
    },
    command: async (app, body) => {
      commands.push(`${JSON.stringify(body)} ${app}`);
      return ok({ ...(nextOperation() ?? anOperation()), app, command: body.command });
    },
    operation: async () => ok(nextOperation() ?? anOperation()),
    why: async () => ok([]),
    logs: async () => ok({ logs: [], omitted: 0 }),
    runs: async () => ok({ runs: [] }),
    exec: async () => err(refused(409, 'Nothing runs.')),
    events: async (_, query) => ok(pageOf(script.events ?? [], now(), query)),
    ...script.overrides,
  };
}

/** Ordered as the API does: the newest instant first, events of one instant in their own order. A cursor is the key itself. */
export function pageOf(
  all: readonly EventResource[],
  now: number,
  { limit = 50, before, after }: { readonly limit?: number; readonly before?: string; readonly after?: string },
): EventList {
  const visible = all
    .filter(({ at }) => Date.parse(at) <= now)
    .map((event, n) => ({ event, key: `${1e14 - Date.parse(event.at)}|${String(n).padStart(4, '0')}` }))
    .filter(({ key }) => (after === undefined || key < after) && (before === undefined || key > before))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .slice(0, limit);
  return {
    events: visible.map(({ event }) => event),
    newest: visible[0]?.key ?? null,
    oldest: visible.at(-1)?.key ?? null,
  };
}
