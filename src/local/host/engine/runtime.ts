/** One function app's durable engine, opened over its SQLite store and answering its management API: what a Functions host puts behind its port. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../model/clock.ts';
import { durableClientBinding } from './binding.ts';
import { createHttpSender } from './call-http.ts';
import { createEngine, type DurableEngine } from './engine.ts';
import { createManagement, type Management } from './management.ts';
import { createSqliteStore } from './sqlite-store.ts';
import type { EngineFaults, WorkerHost } from './types.ts';
import type { VersionMatchStrategy } from './versions.ts';

/** host.json `extensions.durableTask`, as far as the engine goes by it. */
export interface DurableTaskSettings {
  readonly hubName: string;
  readonly defaultVersion?: string | undefined;
  readonly versionMatchStrategy?: VersionMatchStrategy | undefined;
  readonly maxConcurrentActivityFunctions?: number | undefined;
}

export interface RuntimeOptions {
  readonly settings: DurableTaskSettings;
  /** SQLite file, or `:memory:`. */
  readonly storePath: string;
  readonly workers: readonly WorkerHost[];
  readonly clock: Clock;
  /** The port on which the host serves `management`; loopback. */
  readonly port: number;
  /** `code` of the webhook addresses. Links with it are handed out, so it should outlive a restart. Default: a new one. */
  readonly systemKey?: string | undefined;
  /** Default 5 min. */
  readonly activityLeaseMs?: number | undefined;
  readonly faults?: EngineFaults | undefined;
  readonly log: (level: 'warning' | 'error', message: string) => void;
}

export interface Runtime {
  readonly engine: DurableEngine;
  readonly management: Management;
  /** JSON text of the durable client binding. */
  readonly clientBinding: string;
  /** Stops the engine, which gives activities under way up to `graceMs` (default 0) to end, and closes the store. */
  close(graceMs?: number): Promise<void>;
}

export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { settings, faults, activityLeaseMs, port } = options;
  const { defaultVersion, versionMatchStrategy, maxConcurrentActivityFunctions } = settings;
  const store = createSqliteStore(options.storePath);
  const engine = createEngine({
    store,
    clock: options.clock,
    newId: randomUUID,
    hubName: settings.hubName,
    sendHttp: createHttpSender(),
    log: options.log,
    ...(defaultVersion !== undefined && { defaultVersion }),
    ...(versionMatchStrategy !== undefined && { versionMatchStrategy }),
    ...(maxConcurrentActivityFunctions !== undefined && { maxConcurrentActivities: maxConcurrentActivityFunctions }),
    ...(activityLeaseMs !== undefined && { activityLeaseMs }),
    ...(faults !== undefined && { faults }),
  });
  const webhooks = {
    origin: `http://localhost:${port}`,
    hubName: settings.hubName,
    systemKey: options.systemKey ?? randomUUID().replaceAll('-', ''),
  };
  for (const worker of options.workers) engine.attach(worker);
  await engine.start();
  return {
    engine,
    management: createManagement({ engine, settings: webhooks }),
    clientBinding: JSON.stringify(durableClientBinding(webhooks, `http://127.0.0.1:${port}`)),
    close: async (graceMs) => {
      await engine.stop(graceMs);
      store.close();
    },
  };
}
