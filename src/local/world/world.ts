/**
 * The world outside the Function App in one process: ARM over HTTPS, Tables over HTTPS, the identity endpoint, the stand-in containers and
 * the control API, on one data directory. Everything that was acknowledged is in SQLite; containers and addresses come back from there.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ArmCore, createArmCore } from '../aci/core.ts';
import { type ArmSettings, DEFAULT_SETTINGS } from '../aci/settings.ts';
import { createSqliteAciStore } from '../aci/sqlite-store.ts';
import type { AciStore } from '../aci/store.ts';
import { ensureAuthority } from '../ca.ts';
import type { Notice, Running } from '../child.ts';
import { chooseRuntime, type RuntimeChoice } from '../containers/choose-runtime.ts';
import type { RuntimeKind } from '../containers/runtime.ts';
import { benign, type Core } from '../core.ts';
import { createSqliteDocuments } from '../dns/documents.ts';
import { createPrivateDnsProvider } from '../dns/provider.ts';
import { type Question, resolve } from '../dns/resolve.ts';
import { type DnsServer, startDnsServer } from '../dns/server.ts';
import { ZoneStore } from '../dns/zone-store.ts';
import { createDeliveryPump, type DeliveryPump } from '../eventgrid/delivery.ts';
import { fateOf } from '../eventgrid/faults.ts';
import { createEventGrid } from '../eventgrid/grid.ts';
import { createSqliteEventStore } from '../eventgrid/sqlite-store.ts';
import { createIdentityCore, TOKEN_PATH } from '../identity/core.ts';
import { createTokenAuthority } from '../identity/tokens.ts';
import { createMetricsProvider } from '../metrics/provider.ts';
import { freshKey } from '../secrets-key.ts';
import { type Served, type ServeOptions, serveCore } from '../serve.ts';
import { GroupCommit, openDatabase } from '../sqlite.ts';
import { systemClock } from '../system-clock.ts';
import { startTablesServer } from '../tables/server.ts';
import { createVault } from '../vault.ts';
import { createControlCore } from './control.ts';
import { createTableFaults } from './faults/table-draw.ts';
import { createPulse } from './pulse.ts';
import { createTerminals } from './terminals.ts';

export interface WorldConfig {
  readonly dataDir: string;
  /** 0 or absent = any free port. */
  readonly ports?: Partial<WorldPorts>;
  /** What `IDENTITY_HEADER` holds; absent = a random one. */
  readonly identityHeader?: string;
  readonly settings?: Partial<ArmSettings>;
  /** Stretches or shrinks the waits of Event Grid between attempts; default 1. */
  readonly eventRetryScale?: number;
  /** Seals secure values that real containers need at every start; absent = a key that goes with the process. */
  readonly secretsKey?: string;
  /** What runs containers; default stand-ins. */
  readonly runtime?: Omit<RuntimeChoice, 'dataDir' | 'vault'>;
}

export interface WorldPorts {
  readonly arm: number;
  readonly tables: number;
  readonly identity: number;
  readonly control: number;
  /** Over UDP and TCP. */
  readonly dns: number;
}

export interface World extends Running {
  readonly armUrl: string;
  readonly tablesUrl: string;
  /** For `IDENTITY_ENDPOINT`. */
  readonly identityUrl: string;
  readonly identityHeader: string;
  readonly controlUrl: string;
  /** `address:port` of the DNS server of the private zones, over UDP and TCP. */
  readonly dnsAddress: string;
  /** For `NODE_EXTRA_CA_CERTS`. */
  readonly caPath: string;
  readonly ports: WorldPorts;
  /** What runs its containers, and why. */
  readonly containers: string;
  readonly runtime: RuntimeKind;
  /** Resolves when every socket that should be open is, or is reported. */
  settled(): Promise<void>;
}

/** Audiences that a token for Table Storage may name. */
const STORAGE_RESOURCES = ['https://storage.azure.com'];
/** Audiences that a token for ARM may name, besides the stand-in's own address. */
const ARM_RESOURCES = ['https://management.azure.com', 'https://management.core.windows.net'];

/** @throws when a port is taken or the data directory cannot be used. */
export async function startWorld(config: WorldConfig, notice: Notice = () => undefined): Promise<World> {
  mkdirSync(config.dataDir, { recursive: true });
  const tls = await ensureAuthority(join(config.dataDir, 'ca'));
  const identityHeader = config.identityHeader ?? randomBytes(16).toString('hex');
  const tokens = createTokenAuthority(ensureSecret(join(config.dataDir, 'identity.key')));
  const now = () => systemClock.now();
  const started: { close(): Promise<void> | void }[] = [];
  const close = async () => {
    for (const part of started.splice(0).reverse()) await part.close();
  };
  try {
    const armAt = { origins: ARM_RESOURCES };
    const terminalKey = ensureSecret(join(config.dataDir, 'terminals.key'));
    const authorize = (header: string | undefined, at: number) => tokens.verify(header, at, armAt.origins);
    const aci = await startContainers(config, terminalKey, authorize, notice);
    started.push(aci);
    const serve = async (core: Core, port: number | undefined, more?: Pick<ServeOptions, 'tls' | 'upgrade'>) => {
      const served = await serveCore({ core, draw: benign, now, port: port ?? 0, commit: aci.commit, ...more });
      started.push(served);
      return served;
    };
    const terminals = createTerminals({ core: aci.core, runtime: aci.engine, clock: systemClock });
    const arm = await serve(aci.core, config.ports?.arm, { tls, upgrade: terminals.upgrade });
    started.push(terminals);
    armAt.origins = [...ARM_RESOURCES, arm.url, `https://localhost:${arm.port}`];
    const control = await serve(
      createControlCore({ store: aci.store, arm: aci.core, tables: aci.tableFaults, events: aci.events }),
      config.ports?.control,
    );
    const identity = await serve(createIdentityCore({ header: identityHeader, tokens }), config.ports?.identity);
    const tables = await startTablesServer({
      port: config.ports?.tables ?? 0,
      dataPath: join(config.dataDir, 'tables.db'),
      tls,
      now,
      draw: aci.tableFaults.draw,
      authorize: (authorization) => tokens.verify(authorization, now(), STORAGE_RESOURCES),
    });
    started.push(tables);
    const dns = await startDnsServer({
      port: config.ports?.dns ?? 0,
      resolve: (question) => aci.resolve(question, now()),
    });
    started.push(dns);
    return describe({ arm, control, identity, tables, dns }, tls.caPath, identityHeader, aci, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/** The ARM core on its database, its clock and whatever runs its containers. */
async function startContainers(
  config: WorldConfig,
  terminalKey: string,
  authorize: (authorization: string | undefined, now: number) => boolean,
  notice: Notice,
) {
  const db = openDatabase(join(config.dataDir, 'aci.db'));
  const commits = new GroupCommit(db);
  const store: AciStore = createSqliteAciStore(db);
  const vault = createVault(config.secretsKey ?? freshKey());
  const choice = { ...config.runtime, dataDir: config.dataDir, vault };
  const keep = (work: () => void) => commits.run(work);
  const runtime = await chooseRuntime(choice, store, systemClock, keep, notice).catch((error) => {
    db.close();
    throw error;
  });
  const events = createEventGrid({
    store: createSqliteEventStore(db),
    ...(config.eventRetryScale !== undefined && { retryScale: config.eventRetryScale }),
  });
  const zones = new ZoneStore(createSqliteDocuments(db));
  const core: ArmCore = createArmCore({
    store,
    emit: (event, now) => events.publish(event, now, fateOf(events.store, event)),
    authorize,
    containers: runtime.containers,
    providers: [createPrivateDnsProvider(zones), createMetricsProvider(store)],
    settings: { ...DEFAULT_SETTINGS, terminalKey, ...config.settings, ...runtime.settings },
  });
  const pulse = createPulse({
    clock: systemClock,
    commits,
    store,
    core,
    reconcile: () => runtime.reconcile(),
    after: () => pump.follow(),
  });
  const pump: DeliveryPump = createDeliveryPump({
    grid: events,
    clock: systemClock,
    run: (work) => pulse.run(work),
    fetch,
    log: (message) => console.error(message),
  });
  pump.follow();
  runtime.attach({
    core,
    store,
    run: pulse.run,
    resolve: (question, network) => resolve(zones, question, systemClock.now(), network),
  });
  return {
    core,
    events,
    store,
    containers: runtime.description,
    runtime: runtime.kind,
    engine: runtime,
    resolve: (question: Question, now: number) => resolve(zones, question, now),
    tableFaults: createTableFaults(store, (write) => void pulse.run(write)),
    commit: pulse.commit,
    async settled() {
      await pulse.run(() => undefined);
      await runtime.settled();
    },
    async close() {
      await pump.close();
      await pulse.close();
      await runtime.close().finally(() => db.close());
    },
  };
}

/** Real containers are removed one by one. */
const CLOSE_LIMIT_MS: Readonly<Record<RuntimeKind, number>> = { standin: 3_000, docker: 30_000 };

/** Signs tokens or makes passwords; kept, so that what clients hold outlives the process. */
function ensureSecret(path: string): string {
  if (!existsSync(path)) writeFileSync(path, randomBytes(32).toString('hex'), { mode: 0o600 });
  return readFileSync(path, 'utf8');
}

function describe(
  served: Record<Exclude<keyof WorldPorts, 'dns'>, Served> & { readonly dns: DnsServer },
  caPath: string,
  identityHeader: string,
  aci: { readonly containers: string; readonly runtime: RuntimeKind; settled(): Promise<void> },
  close: () => Promise<void>,
): World {
  const { arm, tables, identity, control, dns } = served;
  const ports = { arm: arm.port, tables: tables.port, identity: identity.port, control: control.port, dns: dns.port };
  const told = {
    armUrl: arm.url,
    tablesUrl: tables.url,
    identityUrl: `${identity.url}${TOKEN_PATH}`,
    controlUrl: control.url,
    dnsAddress: `${dns.address}:${dns.port}`,
    caPath,
    ports,
    containers: aci.containers,
    runtime: aci.runtime,
  };
  return {
    ...told,
    identityHeader,
    settled: () => aci.settled(),
    close,
    closeLimitMs: CLOSE_LIMIT_MS[aci.runtime],
    ready: told,
  };
}
