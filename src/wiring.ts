/**
 * The one place that constructs: config → adapters → commands and activities. Nothing runs at import; `flotilla()` builds the app at the first
 * invocation of a host. There is no branch for the embedded platform: it is reached by configuration alone.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InvocationContext } from '@azure/functions';
import { type Activities, createActivities } from './activities/activities.ts';
import { groupEvent } from './activities/group-event.ts';
import { networkProber } from './activities/network-prober.ts';
import { observeReplica } from './activities/observe.ts';
import { readPools } from './activities/pool-sync.ts';
import type { ActivityPorts, ActivitySettings, PoolConfig } from './activities/ports.ts';
import { createTimers, type Timers } from './activities/timers.ts';
import { createCommandBus } from './azure/command-bus.ts';
import { createContainerGroups } from './azure/container-groups.ts';
import { createCredential } from './azure/credential.ts';
import { workflowsOf } from './azure/durable-workflows.ts';
import { createKeyring } from './azure/keyring.ts';
import { createSealedSecrets } from './azure/sealed-secrets.ts';
import { createTableStore, type TableStoreOptions } from './azure/table-store.ts';
import { createHttpHandlers, type HttpHandlers } from './commands/http/handlers.ts';
import type { CommandPorts } from './commands/ports.ts';
import type { Retention } from './commands/purge.ts';
import { createQueueTriggers, type QueueTriggers } from './commands/queue-triggers.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { defaults } from './model/defaults.ts';
import { names } from './model/names.ts';
import { version } from './model/version.ts';
import { parsePools } from './pools.ts';
import type { Log } from './ports/ambient.ts';

export interface Overrides {
  /** Takes the requests of the Azure SDKs instead of the network. */
  readonly httpClient?: NonNullable<TableStoreOptions['httpClient']>;
  readonly ports?: Partial<CommandPorts & Pick<ActivityPorts, 'groups' | 'prober'>>;
  /** Instead of the pools file. */
  readonly pools?: readonly PoolConfig[];
}

export interface Flotilla {
  readonly http: HttpHandlers;
  readonly queue: QueueTriggers;
  /** Of one invocation: they start and hint instances through its durable client. */
  activities(context: InvocationContext): Activities;
  readonly timers: Timers;
  /** An event about a container group; never rejects. */
  events(payload: unknown, context: InvocationContext): Promise<void>;
}

export function wiring(config: Config, { httpClient, ports: given, pools }: Overrides = {}): Flotilla {
  const credential = createCredential();
  const { callTimeoutMs, putTimeoutMs } = config;
  const settings = activitySettings(config, pools ?? readPoolsFile(config.poolsFile));
  const ids = given?.ids ?? { next: () => randomUUID() };
  const store =
    given?.store ??
    createTableStore({
      endpoint: config.tablesEndpoint,
      credential,
      tableName: names.table,
      callTimeoutMs,
      ...(httpClient && { httpClient }),
    });
  const log = given?.log ?? consoleLog;
  const now = given?.now ?? Date.now;
  const keyring = createKeyring(config.secretsKey);
  const ports: CommandPorts = {
    store,
    secrets: given?.secrets ?? createSealedSecrets({ store, keyring, installation: config.installation, now, ids }),
    pools: given?.pools ?? (() => readPools({ store, ids, log }, settings)),
    bus:
      given?.bus ??
      createCommandBus({
        connection: 'connectionString' in config.serviceBus ? config.serviceBus : { ...config.serviceBus, credential },
        callTimeoutMs,
      }),
    now,
    ids,
    log,
    sleep: given?.sleep ?? sleep,
  };
  const world = {
    ...ports,
    prober: given?.prober ?? networkProber,
    groups:
      given?.groups ??
      createContainerGroups({
        endpoint: config.armEndpoint,
        credential,
        callTimeoutMs,
        putTimeoutMs,
        ...(httpClient && { httpClient }),
      }),
  };
  return {
    http: createHttpHandlers(
      { ...world, look: (...replica) => observeReplica(world, ...replica), settings },
      config.installation,
    ),
    queue: createQueueTriggers(ports, workflowsOf, config),
    activities: (context) => createActivities({ ...world, workflows: workflowsOf(context) }, settings),
    events: (payload, context) => groupEvent({ ...world, workflows: workflowsOf(context) }, settings, payload),
    timers: createTimers((context) => ({ ...world, workflows: workflowsOf(context) }), settings),
  };
}

function activitySettings(
  { installation, installationEpoch, claimLeaseMs, orphanGraceMs }: Config,
  pools: readonly PoolConfig[],
): ActivitySettings & Retention {
  return { ...defaults, version, installation, installationEpoch, claimLeaseMs, orphanGraceMs, pools };
}

function readPoolsFile(file: string): readonly PoolConfig[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const cause = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new ConfigError([`the pools file ${file} cannot be read (${cause}): write it, or set FLOTILLA_POOLS_FILE`]);
  }
  const parsed = parsePools(text, file);
  if (!parsed.ok) throw new ConfigError(parsed.error);
  return parsed.value;
}

let built: Flotilla | undefined;

/** The app of this host. @throws ConfigError listing what is missing in the settings. */
export function flotilla(): Flotilla {
  built ??= wiring(readConfig(process.env));
  return built;
}

const consoleLog: Log = {
  info: (message, fields) => console.info(message, fields ?? ''),
  warn: (message, fields) => console.warn(message, fields ?? ''),
  error: (message, fields) => console.error(message, fields ?? ''),
};
