/**
 * The embedded platform: three processes (broker, world, host) under one supervisor. Each may be killed alone and comes back on its own ports;
 * none outlives the supervisor. Only this folder knows that any of it is local: the host gets the same settings a Function App would.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type DockerEndpoint, dockerEndpoint } from '../docker/endpoint.ts';
import { names } from '../model/names.ts';
import { ephemeralDirVariable } from './child.ts';
import { clearDocker } from './containers/docker/owner.ts';
import type { RuntimeKind } from './containers/runtime.ts';
import { type Claim, claimDataDir } from './data-dir.ts';
import { subscribeToEvents } from './event-subscription.ts';
import { type Ready, SupervisedProcess } from './process.ts';
import { freshKey, openKey } from './secrets-key.ts';
import type { WorldConfig } from './world/world.ts';

export interface PlatformOptions {
  /** Root of the function app: where package.json, host.json and pools.yaml are. */
  readonly appDir: string;
  /** Where the state is kept; created if absent. */
  readonly dataDir: string;
  /** Default false: `dataDir` stays. True: it is removed when the platform stops, and when its supervisor is killed. */
  readonly ephemeral?: boolean;
  /** Where the key of the secrets lies; default: in memory, for as long as the platform runs. */
  readonly secretsKeyFile?: string;
  /** Port of the HTTP API; 0 = any. */
  readonly port: number;
  /** Extra app settings, over those of the platform. */
  readonly settings?: Readonly<Record<string, string>>;
  /** How the world behaves, for example `{ provisioningMs }`. */
  readonly world?: Readonly<Record<string, unknown>>;
  /** What runs containers; default stand-ins. `auto`: Docker where that is sure to work. */
  readonly containers?: RuntimeKind | 'auto';
  /** Images that `auto` makes sure of. */
  readonly images?: readonly string[];
  /** How long a lost activity waits to be run again; default as in the cloud, 5 min. */
  readonly activityLeaseMs?: number;
  readonly onOutput?: (process: ProcessName, line: string) => void;
  /** Why the start takes longer than usual. */
  readonly onNotice?: (text: string) => void;
  readonly onDeath?: (process: ProcessName, why: string) => void;
  /** Ends what has been started, so that the start fails. */
  readonly signal?: AbortSignal;
  /** Default true: a process that dies is started again. */
  readonly restart?: boolean;
}

export type ProcessName = 'broker' | 'world' | 'host';

export interface Platform {
  /** Base address of the API, without `/api/v1`. */
  readonly url: string;
  /** Opens the API; sent as `x-functions-key`. */
  readonly apiKey: string;
  readonly controlUrl: string;
  /** By these settings the Azure SDKs of any process reach the stand-ins, as those of the app do. */
  readonly azure: Readonly<Record<string, string>>;
  /** For clients of Service Bus, with all rights. */
  readonly serviceBus: string;
  /** What runs containers, and why. */
  readonly containers: string;
  readonly pids: () => Readonly<Record<ProcessName, number | undefined>>;
  /** SIGKILL; the supervisor starts it again. */
  kill(process: ProcessName): void;
  stop(): Promise<void>;
}

/** Small young generations and eager collection: the platform idles most of its life and shares a laptop. */
const execArgv = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2', '--optimize-for-size'];

/** @throws Error in plain words when a part cannot start, for example because the port is taken. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const claim = claimDataDir(options.dataDir);
  const secretsKey = secretsKeyOf(options, claim);
  const identityHeader = randomBytes(16).toString('hex');
  const busKey = { name: 'RootManageSharedAccessKey', value: randomBytes(32).toString('base64') };
  const processes: Partial<Record<ProcessName, SupervisedProcess>> = {};
  const run = async (
    name: ProcessName,
    config: (previous: Ready | undefined) => unknown,
    env: Record<string, string>,
  ) => {
    const supervised = new SupervisedProcess({
      name,
      modulePath: join(
        import.meta.dirname,
        { broker: 'servicebus', world: 'world', host: 'host' }[name],
        `main${extension}`,
      ),
      config,
      env: { ...inherited(), ...(options.ephemeral && { [ephemeralDirVariable]: options.dataDir }), ...env },
      execArgv,
      onOutput: (line) => options.onOutput?.(name, line),
      onNotice: (text) => options.onNotice?.(text),
      onDeath: (code, signal) => options.onDeath?.(name, signal ?? `code ${code}`),
      restart: options.restart ?? true,
    });
    processes[name] = supervised;
    options.signal?.throwIfAborted();
    return supervised.start();
  };
  const stop = async () => {
    for (const name of ['host', 'broker', 'world'] as const) await processes[name]?.stop();
    await removeContainers(options, processes.world);
    claim.release();
    if (options.ephemeral) rmSync(options.dataDir, { recursive: true, force: true });
  };

  const abort = () => void stop();
  options.signal?.addEventListener('abort', abort);
  try {
    const [broker, world] = await Promise.all([
      run('broker', (previous) => brokerConfig(options, busKey, previous), {}),
      run('world', (previous) => worldConfig(options, { identityHeader, secretsKey }, previous), {}),
    ]);
    const azure = appSettings(broker, world, { identityHeader, secretsKey });
    const host = await run('host', (previous) => hostConfig(options, previous), { ...azure, ...options.settings });
    await subscribeToEvents({
      controlUrl: text(world, 'controlUrl'),
      hostUrl: text(host, 'url'),
      key: text(host, 'eventsKey'),
      ...(options.signal && { signal: options.signal }),
    });
    return {
      url: text(host, 'url'),
      apiKey: text(host, 'apiKey'),
      controlUrl: text(world, 'controlUrl'),
      azure,
      serviceBus: text(broker, 'connectionString'),
      containers: text(world, 'containers'),
      pids: () => ({ broker: processes.broker?.pid, world: processes.world?.pid, host: processes.host?.pid }),
      kill: (name) => processes[name]?.kill(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
}

function secretsKeyOf({ dataDir, secretsKeyFile: keyFile }: PlatformOptions, claim: Claim) {
  try {
    return keyFile === undefined ? freshKey() : openKey({ dataDir, keyFile });
  } catch (error) {
    claim.release();
    throw error;
  }
}

/** Runs from source under type stripping and from `dist` alike. */
const extension = import.meta.filename.endsWith('.ts') ? '.ts' : '.js';

function brokerConfig(
  options: PlatformOptions,
  key: { name: string; value: string },
  previous: Ready | undefined,
): unknown {
  return {
    port: previous?.['port'] ?? 0,
    dataPath: join(options.dataDir, 'service-bus.db'),
    key,
    queues: [
      {
        name: names.queue,
        requiresSession: true,
        requiresDuplicateDetection: true,
        maxDeliveryCount: 10,
        lockDurationMs: 60_000,
      },
      { name: replyQueue, requiresSession: true, requiresDuplicateDetection: true },
    ],
  };
}

function worldConfig(
  options: PlatformOptions,
  keys: Pick<WorldConfig, 'identityHeader' | 'secretsKey'>,
  previous: Ready | undefined,
): unknown {
  return {
    dataDir: options.dataDir,
    ...keys,
    ports: previous?.['ports'],
    settings: options.world,
    // A world that comes back goes on with what it had.
    runtime: {
      ...runtimeChoice(options),
      containers: previous?.['runtime'] ?? options.containers,
      images: options.images,
    },
  };
}

const runtimeChoice = ({ ephemeral }: PlatformOptions) => ({ ...usersDocker(), ...(ephemeral && { ephemeral }) });

/** The daemon that the user's `docker` command talks to. */
export function usersDocker(): DockerEndpoint {
  return dockerEndpoint(process.env, homedir(), (path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined; // most users have no such file
    }
  });
}

/** The world removes its containers itself, unless it was killed. */
async function removeContainers(options: PlatformOptions, world: SupervisedProcess | undefined): Promise<void> {
  if (world?.lastReady?.['runtime'] !== 'docker') return;
  await clearDocker({ ...runtimeChoice(options), dataDir: options.dataDir }).catch(() => undefined);
}

function hostConfig(options: PlatformOptions, previous: Ready | undefined): unknown {
  return {
    appDir: options.appDir,
    dataDir: options.dataDir,
    port: previous?.['port'] ?? options.port,
    ...(options.activityLeaseMs && { activityLeaseMs: options.activityLeaseMs }),
  };
}

/** As in `infra/`. */
const replyQueue = 'flotilla-replies';

/** What `infra/` would write into the Function App's settings, pointing at the stand-ins. */
export function appSettings(
  broker: Ready,
  world: Ready,
  { identityHeader, secretsKey }: { readonly identityHeader: string; readonly secretsKey: string },
): Record<string, string> {
  return {
    FLOTILLA_INSTALLATION: 'embedded',
    FLOTILLA_SERVICEBUS: text(broker, 'connectionString'),
    FLOTILLA_REPLY_QUEUES: replyQueue,
    FLOTILLA_TABLES_ENDPOINT: text(world, 'tablesUrl'),
    FLOTILLA_ARM_ENDPOINT: text(world, 'armUrl'),
    FLOTILLA_SECRETS_KEY: secretsKey,
    IDENTITY_ENDPOINT: text(world, 'identityUrl'),
    IDENTITY_HEADER: identityHeader,
    NODE_EXTRA_CA_CERTS: text(world, 'caPath'),
    NO_PROXY: '127.0.0.1,localhost,::1',
  };
}

/** The user's environment without what would change whom the Azure clients talk to, or as whom. */
function inherited(): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !/^(AZURE_|IDENTITY_|MSI_|FLOTILLA_|NODE_OPTIONS|https?_proxy)/i.test(name))
      kept[name] = value;
  }
  return kept;
}

function text(ready: Ready, field: string): string {
  const value = ready[field];
  if (typeof value !== 'string') throw new Error(`a process of the platform became ready without «${field}»`);
  return value;
}
