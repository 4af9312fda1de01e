/**
 * A world of container groups in virtual time for the figures of detection: the resync, its sweeps and verdicts are the real ones; table, ARM and network
 * are maps. Whatever is read from ARM is counted, pages of listings included.
 */

import type { ActivitySettings, PoolConfig } from '../../src/activities/ports.ts';
import { resync, type TimerPorts } from '../../src/activities/resync.ts';
import { groupName } from '../../src/decide/group-spec.ts';
import { defaults } from '../../src/model/defaults.ts';
import type { GroupObservation, LocatedGroup } from '../../src/model/group.ts';
import { type Key, keyOf } from '../../src/model/keys.ts';
import { names } from '../../src/model/names.ts';
import { err, ok } from '../../src/model/result.ts';
import type { PoolRow, ReplicaRow, Row, Stored } from '../../src/model/state.ts';
import { version } from '../../src/model/version.ts';
import type { PortError } from '../../src/ports/errors.ts';
import type { Transaction } from '../../src/ports/state-store.ts';
import { aGuard, anApp, anAppRow, aReplica, aRevision, aService, aTemplate } from '../../test/support/rows.ts';

export type Kind = 'probed' | 'unprobed' | 'spot';
export type Harm = 'hang' | 'exit' | 'moved' | 'deleted' | 'evicted';

export interface Body {
  readonly key: string;
  readonly kind: Kind;
  readonly pool: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  ip: string | null;
  harm: Harm | null;
  harmedAt: number;
}

export interface HealthWorld {
  readonly bodies: readonly Body[];
  readonly now: () => number;
  reads(): number;
  tick(): Promise<void>;
  /** Called for every verdict that the sweep writes. */
  onVerdict: (body: Body, at: number) => void;
  harm(body: Body, harm: Harm): void;
}

const startAt = Date.parse('2026-01-02T00:00:00Z');
const tickMs = 30_000;
/** A page of ARM's listing: nothing is published; the stand-in's. */
const pageSize = 50;
const subscriptionId = '00000000-0000-0000-0000-000000000000';

const templates = {
  probed: aTemplate({ readiness: { kind: 'http', path: '/', port: 80, scheme: 'http', timeoutMs: 2_000 } }),
  unprobed: aTemplate({ ports: [], readiness: { kind: 'running', afterMs: 10_000 } }),
  spot: aTemplate({ ports: [], readiness: { kind: 'running', afterMs: 10_000 } }),
} as const;

/** @param replicas in ten pools, 60 % probed, 30 % without ports, 10 % Spot; services of 100. */
export function healthWorld(replicas: number): HealthWorld {
  const clock = { now: startAt };
  const rows = new Map<string, Stored>();
  const apps = new Map<string, Map<string, Stored>>();
  const bodies = new Map<string, Body>();
  const byIp = new Map<string, Body>();
  let serial = 0;
  const next = (): string => {
    serial += 1;
    return String(serial);
  };
  let reads = 0;
  const textOf = ({ partition, row }: Key): string => `${partition}/${row}`;
  const put = (row: Row): string => {
    const stored = { ...row, etag: next() } as Stored;
    const key = keyOf(row);
    rows.set(textOf(key), stored);
    if (!key.partition.startsWith('~')) {
      const own = apps.get(key.partition) ?? new Map<string, Stored>();
      apps.set(key.partition, own.set(key.row, stored));
    }
    return stored.etag;
  };
  const pools: readonly PoolConfig[] = Array.from({ length: 10 }, (_, n) => ({
    pool: `p${n}`,
    type: 'aci',
    subscriptionId,
    resourceGroup: `rg${n}`,
    region: `region${n}`,
    quota: { groups: replicas, cores: replicas },
    labels: {},
    price: null,
  }));
  for (let n = 0; n < replicas; n += 1) populate(n);
  for (const [order, config] of pools.entries()) put(poolRow(config, order, [...bodies.values()]));

  function populate(n: number): void {
    const share = n % 10;
    const kind: Kind = share < 6 ? 'probed' : share < 9 ? 'unprobed' : 'spot';
    const app = `app${Math.floor(n / 1_000)}`;
    const service = `${kind}${Math.floor((n % 1_000) / 100)}`;
    const slot = n;
    const group = groupName({ installation: 'bench', appUid: app }, { service, slot, incarnation: 1 });
    const ip = kind === 'probed' ? `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}` : null;
    const pool = `p${Math.floor(n / 10) % 10}`;
    if (!apps.get(app)?.has('app')) put(anAppRow({ app, uid: app, spec: anApp(app, [aService(service)]) }));
    if (!apps.get(app)?.has(`service|${service}`)) {
      put(aGuard({ app, service, desired: 100, nextIncarnation: 2, verifiedRevision: 1, workflow: null }));
      put(aRevision({ app, service, template: templates[kind] }));
    }
    const row: ReplicaRow = aReplica({
      app,
      service,
      slot,
      pool,
      group,
      ip,
      ports: templates[kind].ports,
      endpoint: ip !== null,
      attempt: null,
      stateAt: startAt - 86_400_000,
    });
    put(row);
    const tags = {
      [names.tags.installation]: 'bench',
      [names.tags.epoch]: '1',
      [names.tags.app]: app,
      [names.tags.appUid]: app,
      [names.tags.service]: service,
      [names.tags.slot]: String(slot),
      [names.tags.incarnation]: '1',
      [names.tags.revision]: '1',
    };
    const body: Body = { key: textOf(keyOf(row)), kind, pool, name: group, tags, ip, harm: null, harmedAt: 0 };
    bodies.set(group, body);
    if (ip !== null) byIp.set(ip, body);
  }

  const observed = (body: Body): GroupObservation => {
    const isDown = body.harm === 'exit' || body.harm === 'evicted';
    return {
      name: body.name,
      tags: body.tags,
      provisioningState: 'Succeeded',
      state: 'Running',
      ip: body.ip,
      container: {
        state: isDown ? 'Terminated' : 'Running',
        startedAt: startAt - 86_400_000,
        exitCode: isDown ? 1 : null,
        detail: null,
        restartCount: isDown ? 1 : 0,
      },
      events: [],
    };
  };

  const notThere: PortError = { kind: 'NotFound', code: null, message: 'not there', retryAfterMs: null };
  let slept = 0;
  const ports = {
    store: {
      readDue: async () => ok([]),
      readReplies: async () => ok([]),
      readPools: async () => ok([...rows.values()].filter(({ kind }) => kind === 'pool') as Stored<PoolRow>[]),
      read: async (key: Key) => ok(rows.get(textOf(key)) ?? null),
      async readApp(app: string) {
        const own = [...(apps.get(app)?.values() ?? [])];
        const of = (kind: Row['kind']) => own.filter((row) => row.kind === kind);
        return ok({
          app: of('app')[0] ?? null,
          guards: of('service'),
          revisions: of('revision'),
          replicas: of('replica'),
          operations: [],
        });
      },
      async commit({ changes }: Transaction) {
        for (const change of changes) {
          if (change.type === 'delete') continue;
          if (change.type === 'update' && rows.get(textOf(keyOf(change.row)))?.etag !== change.etag) {
            return err({ ...notThere, kind: 'Conflict' as const });
          }
        }
        for (const change of changes) {
          if (change.type === 'delete' || change.row.kind === 'due' || change.row.kind === 'event') continue;
          put(change.row);
          if (change.row.kind === 'replica') settle(change.row);
        }
        return ok({ etags: new Map<string, string>() });
      },
    },
    groups: {
      async list({ resourceGroup }: { readonly resourceGroup: string }) {
        const here = [...bodies.values()].filter(({ pool }) => `rg${pool.slice(1)}` === resourceGroup);
        const listed = here.filter(({ harm }) => harm !== 'deleted');
        reads += Math.max(1, Math.ceil(listed.length / pageSize));
        return ok(
          listed.map(
            ({ name, tags, ip, pool }): LocatedGroup => ({
              name,
              tags,
              ip,
              provisioningState: 'Succeeded',
              region: `region${pool.slice(1)}`,
            }),
          ),
        );
      },
      async get(_: unknown, name: string) {
        reads += 1;
        const body = bodies.get(name);
        return body === undefined || body.harm === 'deleted' ? err(notThere) : ok(observed(body));
      },
      async logs() {
        reads += 1;
        return ok('');
      },
    },
    prober: {
      async probe({ ip }: { readonly ip: string }) {
        const harm = byIp.get(ip)?.harm ?? null;
        // Where it has moved to it is well; its old address is nobody's.
        return { passed: byIp.has(ip) && (harm === null || harm === 'moved'), reached: byIp.has(ip), detail: '' };
      },
    },
    workflows: { start: async () => ok('started' as const), status: async () => ok(null) },
    now: () => clock.now + slept,
    ids: { next },
    log: { info() {}, warn() {}, error() {} },
    sleep: async (ms: number) => {
      slept = Math.max(slept, ms);
    },
    pools: async () => ok([]),
  } as unknown as TimerPorts;
  const settings: ActivitySettings = { ...defaults, version, installation: 'bench', installationEpoch: 1, pools };

  /** A verdict is heard, and its replica is at once as good as new: the world stays as it is. */
  function settle(row: ReplicaRow): void {
    const body = bodies.get(row.group);
    if (body === undefined) return;
    world.onVerdict(body, clock.now + slept);
    body.harm = null;
    put({ ...row, state: 'ready', missing: 0, restartCount: 0, reason: null, endpoint: body.ip !== null });
  }

  const world: HealthWorld = {
    bodies: [...bodies.values()],
    now: () => clock.now,
    reads: () => reads,
    onVerdict() {},
    harm(body, harm) {
      body.harm = harm;
      body.harmedAt = clock.now;
      if (harm !== 'moved' || body.ip === null) return;
      byIp.delete(body.ip);
      body.ip = `11${body.ip.slice(2)}`;
      byIp.set(body.ip, body);
    },
    async tick() {
      clock.now += tickMs;
      slept = 0;
      await resync(ports, settings);
    },
  };
  return world;
}

function poolRow(config: PoolConfig, order: number, bodies: readonly Body[]): PoolRow {
  return {
    kind: 'pool',
    ...config,
    order,
    cordoned: false,
    retired: false,
    reservations: bodies
      .filter(({ pool }) => pool === config.pool)
      .map(({ tags }) => ({
        owner: [names.tags.app, names.tags.service, names.tags.slot, names.tags.incarnation]
          .map((tag) => tags[tag])
          .join('/'),
        cores: 1,
        at: startAt,
      })),
    orphans: [],
    listedAt: startAt,
    listedGroups: 0,
    health: null,
    draining: false,
    creates: [],
    pending: null,
  };
}
