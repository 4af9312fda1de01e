/**
 * One embedded platform on a data directory of its own with a small app, as its user sees it: commands through the API's client, replicas from
 * the API, container groups from ARM's side. Leases are short, so that what a crash leaves open is taken up again within seconds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceBusClient } from '@azure/service-bus';
import { expect } from 'vitest';
import { type ApiClient, createClient } from '../../src/client/client.ts';
import { type Platform, type ProcessName, startPlatform } from '../../src/local/platform.ts';
import type { AppResource, OperationResource, ReplicaResource } from '../../src/model/api.ts';
import type { CommandOutcome } from '../../src/model/outcome.ts';
import { type Ledger, openLedger } from './ledger.ts';

export const appName = 'shop';
/** Replicas of {@link shop}. */
export const replicaCount = 3;

/** Two services, one waiting for the other. Which image runs shows which command won. */
export const shop = (image: string) => ({
  name: appName,
  services: {
    web: {
      image,
      ports: ['8080:8080'],
      deploy: { replicas: 2 },
      depends_on: { store: { condition: 'service_healthy' } },
      'x-flotilla': { probes: { readiness: { http: { path: '/', port: 8080 } } } },
    },
    store: {
      image,
      expose: ['5432'],
      'x-flotilla': { probes: { readiness: { tcp: { port: 5432 } } } },
    },
  },
});

/** Far below those of the cloud, and in the same order: a claim outlives its PUT and the lease of the activity that wrote it. */
const settings = {
  FLOTILLA_PUT_TIMEOUT_MS: '4000',
  FLOTILLA_CLAIM_LEASE_MS: '6000',
  FLOTILLA_ORPHAN_GRACE_MS: '1000',
};
const activityLeaseMs = 2_000;
const provisioningMs = 700;
const deletionMs = 300;

export interface ArmGroup {
  readonly name: string;
  readonly ip: string | null;
  readonly image: string;
}

export interface AuditEntry {
  readonly action: 'create' | 'update' | 'delete' | 'gone';
  readonly name: string;
}

export interface Trial {
  readonly platform: Platform;
  readonly ledger: Ledger;
  readonly client: ApiClient;
  /** Deaths of processes that nobody asked for. */
  readonly deaths: { readonly name: ProcessName; readonly why: string }[];
  /** Sends a command until it is acknowledged, as a patient user would: always under the same key. */
  command(key: string, document: unknown): Promise<OperationResource>;
  /** The same over Service Bus; resolves with the outcome that its sender is told. */
  order(key: string, document: unknown): Promise<CommandOutcome>;
  /** Resolves with the app once every command is concluded and the condition holds. */
  settled(what: string, isSo: (app: AppResource) => boolean): Promise<AppResource>;
  /** Resolves once the condition holds. @throws Error with the app and the last lines of the processes when it does not in time. */
  eventually(what: string, isSo: () => Promise<boolean>): Promise<void>;
  groups(): Promise<readonly ArmGroup[]>;
  audit(): Promise<readonly AuditEntry[]>;
  control(method: string, path: string, body?: unknown): Promise<unknown>;
  end(): Promise<void>;
}

/** How long a platform may need to become whole again; the slowest net is a message sent again a minute after its loss, at the next half-minute tick. */
const recoveryMs = 150_000;

/** Trials run at the same time, each with addresses of its own. */
let trials = 0;

export async function startTrial(): Promise<Trial> {
  const dataDir = mkdtempSync(join(tmpdir(), 'flotilla-crash-'));
  const deaths: Trial['deaths'] = [];
  const log: string[] = [];
  const platform = await startPlatform({
    appDir: resolve(import.meta.dirname, '../..'),
    dataDir,
    port: 0,
    settings,
    activityLeaseMs,
    world: { provisioningMs, deletionMs, firstAddress: `127.${70 + 3 * trials++}.0.1` },
    onDeath: (name, why) => deaths.push({ name, why }),
    onOutput: (name, line) => log.push(`${new Date().toISOString()} ${name}: ${line}`),
  });
  const ledger = openLedger(dataDir, appName);
  const client = createClient({
    baseUrl: platform.url,
    key: platform.apiKey,
    fetch,
    sleep: (ms) => sleep(ms),
    timeoutMs: 15_000,
  });
  const control = (method: string, path: string, body?: unknown) => call(`${platform.controlUrl}${path}`, method, body);
  const eventually: Trial['eventually'] = async (what, isSo) => {
    const deadlineAt = performance.now() + recoveryMs;
    while (!(await isSo())) {
      if (performance.now() > deadlineAt) {
        const [app, events] = [await client.app(appName), await client.events(appName, { limit: 200 })];
        const seen = JSON.stringify({ app, events }, null, 1);
        throw new Error(`${what}: not within ${recoveryMs / 1000} s\n${seen}\n${log.slice(-60).join('\n')}`);
      }
      await sleep(100);
    }
  };
  return {
    platform,
    ledger,
    client,
    deaths,
    control,
    command: (key, document) => persist(client, key, document),
    order: (key, document) => order(platform.serviceBus, key, document),
    eventually,
    async settled(what, isSo) {
      let seen: AppResource | undefined;
      await eventually(what, async () => {
        const app = await client.app(appName);
        if (app.ok && app.value.pendingOperations.length === 0 && isSo(app.value)) seen = app.value;
        return seen !== undefined;
      });
      return seen as AppResource;
    },
    async groups() {
      const { groups } = (await control('GET', '/control/state')) as {
        groups: { name: string; ip: string | null; containers: { image: string }[] }[];
      };
      return groups.map(({ name, ip, containers }) => ({ name, ip, image: containers[0]?.image ?? '' }));
    },
    audit: async () => (await control('GET', '/control/audit')) as AuditEntry[],
    async end() {
      ledger.close();
      await platform.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** `null` is the command to delete the app. */
async function persist(client: ApiClient, key: string, document: unknown): Promise<OperationResource> {
  const deadlineAt = performance.now() + recoveryMs;
  for (;;) {
    const answer = await (document === null ? client.remove(appName, key) : client.apply(appName, document, key));
    if (answer.ok) return answer.value;
    const passes = answer.error.kind !== 'refused' || answer.error.problem.status >= 500;
    if (!passes || performance.now() > deadlineAt) throw new Error(`${key}: ${JSON.stringify(answer.error)}`);
    await sleep(200);
  }
}

/** A sender that repeats itself, under the same key, until Service Bus has taken the command, and then waits for the outcome. */
async function order(connectionString: string, idempotencyKey: string, document: unknown): Promise<CommandOutcome> {
  const body = {
    app: appName,
    idempotencyKey,
    ...(document === null ? { command: 'delete' } : { command: 'apply', document }),
  };
  const message = { messageId: idempotencyKey, sessionId: appName, replyTo: 'flotilla-replies', body };
  await patiently(connectionString, (client) => client.createSender('flotilla-commands').sendMessages(message));
  return await patiently(connectionString, async (client) => {
    const session = await client.acceptSession('flotilla-replies', idempotencyKey);
    const [reply] = await session.receiveMessages(1, { maxWaitTimeInMs: 2_000 });
    if (!reply) throw new Error('no outcome yet');
    expect(reply.correlationId).toBe(idempotencyKey);
    return reply.body as CommandOutcome;
  });
}

/** How long one attempt may take: a client whose broker dies while a link is being opened may wait for ever. */
const attemptMs = 15_000;

async function patiently<T>(connectionString: string, attempt: (client: ServiceBusClient) => Promise<T>): Promise<T> {
  for (const deadlineAt = performance.now() + recoveryMs; ; ) {
    const client = new ServiceBusClient(connectionString, { retryOptions: { timeoutInMs: 5_000, maxRetries: 1 } });
    const tooLong = sleep(attemptMs, undefined, { ref: false }).then(() => {
      throw new Error(`no answer within ${attemptMs / 1000} s`);
    });
    try {
      return await Promise.race([attempt(client), tooLong]);
    } catch (error) {
      if (performance.now() > deadlineAt) throw error;
      await sleep(200);
    } finally {
      tooLong.catch(() => undefined);
      void client.close().catch(() => undefined);
    }
  }
}

async function call(url: string, method: string, body: unknown): Promise<unknown> {
  for (let tries = 0; ; tries++) {
    try {
      const response = await fetch(url, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    } catch (error) {
      // The world may be on its way back.
      if (tries === 50) throw error;
      await sleep(200);
    }
  }
}

/** Every replica ready and answering under its own name, one container group each and no other. */
export async function expectOwned(trial: Trial): Promise<void> {
  const replicas = replicasOf(await trial.settled('an answer', () => true));
  expect(replicas.map(({ state }) => state)).toEqual(Array(replicaCount).fill('ready'));
  const groups = await trial.groups();
  expect(groups.map(({ name }) => name).toSorted()).toEqual(replicas.map(({ group }) => group).toSorted());
  for (const { group, addresses } of replicas) {
    for (const address of addresses) expect(await answerOf(address), `${group} at ${address}`).toContain(group);
  }
}

/** The stand-in speaks HTTP on every port of this app, and says which group it is. */
async function answerOf(address: string): Promise<string> {
  const response = await fetch(`http://${new URL(address).host}`, { signal: AbortSignal.timeout(5_000) });
  return await response.text();
}

const replicasOf = (app: AppResource): readonly ReplicaResource[] =>
  app.serviceList.flatMap(({ replicas }) => replicas);
