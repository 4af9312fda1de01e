/**
 * The one place that constructs: config → adapters → commands and activities. Nothing runs at import; `flotilla()` builds the app at the first
 * invocation of a host. There is no branch for the embedded platform: it is reached by configuration alone.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCommandBus } from './azure/command-bus.ts';
import { createCredential } from './azure/credential.ts';
import { workflowsOf } from './azure/durable-workflows.ts';
import { createTableStore, type TableStoreOptions } from './azure/table-store.ts';
import { createHttpHandlers, type HttpHandlers } from './commands/http/handlers.ts';
import type { CommandPorts } from './commands/ports.ts';
import { createQueueTriggers, type QueueTriggers } from './commands/queue-triggers.ts';
import { type Config, readConfig } from './config.ts';
import { names } from './model/names.ts';
import type { Log } from './ports/ambient.ts';

export interface Overrides {
  /** Takes the requests of the Azure SDKs instead of the network. */
  readonly httpClient?: NonNullable<TableStoreOptions['httpClient']>;
  readonly ports?: Partial<CommandPorts>;
}

export interface Flotilla {
  readonly http: HttpHandlers;
  readonly queue: QueueTriggers;
}

export function wiring(config: Config, { httpClient, ports: given }: Overrides = {}): Flotilla {
  const credential = createCredential();
  const { callTimeoutMs } = config;
  const store =
    given?.store ??
    createTableStore({
      endpoint: config.tablesEndpoint,
      credential,
      tableName: names.table,
      callTimeoutMs,
      ...(httpClient && { httpClient }),
    });
  const ports: CommandPorts = {
    store,
    pools: given?.pools ?? store.readPools,
    bus:
      given?.bus ??
      createCommandBus({
        connection: 'connectionString' in config.serviceBus ? config.serviceBus : { ...config.serviceBus, credential },
        callTimeoutMs,
      }),
    now: given?.now ?? Date.now,
    ids: given?.ids ?? { next: () => randomUUID() },
    log: given?.log ?? consoleLog,
    sleep: given?.sleep ?? sleep,
  };
  return {
    http: createHttpHandlers(ports, config.installation),
    queue: createQueueTriggers(ports, workflowsOf),
  };
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
