import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { poolChanges, readPools, updateReservations } from '../../src/activities/pool-sync.ts';
import type { PoolRow } from '../../src/model/state.ts';
import { parsePools } from '../../src/pools.ts';
import { aPool } from '../support/rows.ts';
import { tableFixture } from '../support/table-fixture.ts';

const pool = (over = '') => `
  - name: eastus
    kind: aci
    subscriptionId: 00000000-0000-0000-0000-000000000001
    resourceGroup: flotilla
    region: eastus
    quota: { groups: 100, cores: 100 }${over}`;

describe('the pools file', () => {
  it('of the embedded platform names two pools', () => {
    const parsed = parsePools(readFileSync('pools.yaml', 'utf8'), 'pools.yaml');
    expect(parsed.ok && parsed.value.map(({ pool: name, region, quota }) => [name, region, quota.groups])).toEqual([
      ['eastus', 'eastus', 100],
      ['westus2', 'westus2', 100],
    ]);
  });

  it.each<[string, string, RegExp]>([
    ['no pools', 'pools: []', /pools\.yaml: pools: must name at least one pool/],
    ['an empty file', '', /pools\.yaml: the file: /],
    ['broken YAML', 'pools: [', /pools\.yaml: /],
    ['an unknown key', `pools:${pool('\n    colour: red')}`, /pools\[0\]: Unrecognized key: "colour"/],
    ['another kind', `pools:${pool().replace('aci', 'docker')}`, /pools\[0\]\.kind: must be aci/],
    ['a bad subscription', `pools:${pool().replace(/0000-.*/, 'x')}`, /pools\[0\]\.subscriptionId: must be the id/],
    ['no quota', `pools:${pool().replace('groups: 100', 'groups: 0')}`, /quota\.groups: must be the quota/],
    ['a label that is no text', `pools:${pool('\n    labels: { tier: 1 }')}`, /labels\.tier: must be text/],
    ['half a price', `pools:${pool('\n    price: { coreHour: 1 }')}`, /price\.gibHour: must be what a GiB/],
    ['a pool named twice', `pools:${pool()}${pool()}`, /eastus is named twice/],
    [
      'two pools with one place, however it is spelt',
      `pools:${pool()}${pool().replace('name: eastus', 'name: east').replace('flotilla', 'Flotilla')}`,
      /east has the subscription, resource group and region of eastus: each would count .* give one of them another/,
    ],
  ])('refuses %s, with the place', (_, text, expected) => {
    const parsed = parsePools(text, 'pools.yaml');
    expect(parsed.ok ? [] : parsed.error.join('\n')).toMatch(expected);
  });

  it('reports all faults at once', () => {
    const parsed = parsePools(`pools:${pool().replace('aci', 'docker').replace('eastus', 'East US')}`, 'p.yaml');
    expect(parsed.ok ? 0 : parsed.error.length).toBe(2);
  });
});

describe('the rows of the pools', () => {
  const { pool: name, type, subscriptionId, resourceGroup, region, quota, labels, price } = aPool();
  const config = { pool: name, type, subscriptionId, resourceGroup, region, quota, labels, price };
  const stored = { ...aPool(), etag: 'tag' };

  it.each<[string, ReturnType<typeof poolChanges>, string[]]>([
    ['a new pool is inserted', poolChanges([config], []), ['insert']],
    ['a known pool is left alone', poolChanges([config], [stored]), []],
    ['a changed quota is written', poolChanges([{ ...config, quota: { groups: 1, cores: 1 } }], [stored]), ['update']],
    ['changed labels are written', poolChanges([{ ...config, labels: { tier: 'a' } }], [stored]), ['update']],
    [
      'a changed price is written',
      poolChanges([{ ...config, price: { coreHour: 1, gibHour: 0 } }], [stored]),
      ['update'],
    ],
    ['a pool that left the file is retired', poolChanges([], [stored]), ['update']],
    ['a retired pool is left alone', poolChanges([], [{ ...stored, retired: true }]), []],
    ['a pool that came back is taken up again', poolChanges([config], [{ ...stored, retired: true }]), ['update']],
  ])('%s', (_case, changes, expected) => {
    expect(changes.map(({ type }) => type)).toEqual(expected);
  });

  const held = { ...stored, cordoned: true, reservations: [{ owner: 'shop/web/0/1', cores: 1, at: 0 }] };
  const moved = { ...config, region: 'westus2' };
  const pending = { subscriptionId, resourceGroup, region: 'westus2' };

  it('keep cordon and ledger when the configuration changes', () => {
    const [change] = poolChanges([{ ...config, quota: { groups: 1, cores: 1 } }], [held]);
    const { etag, ...row } = held;
    expect(change).toEqual({ type: 'update', etag, row: { ...row, quota: { groups: 1, cores: 1 } } });
  });

  it.each<[string, Partial<PoolRow>]>([
    ['holds reservations', held],
    ['has shown orphans', { orphans: [{ group: 'f-1-web', firstSeenAt: 0 }] }],
    ['was last listed with groups of ours', { listedAt: 1, listedGroups: 2 }],
  ])('a pool that %s keeps its place and notes the one that it is to have', (_case, over) => {
    const [change] = poolChanges([moved], [{ ...stored, ...over }]);
    expect(change).toMatchObject({ row: { region: 'eastus', pending } });
    expect(poolChanges([moved], [{ ...stored, ...over, pending }])).toEqual([]);
  });

  it.each<[string, Partial<PoolRow>]>([
    ['was never listed', {}],
    ['was last listed empty', { listedAt: 1, listedGroups: 0 }],
    ['has become empty', { listedAt: 1, listedGroups: 0, pending }],
  ])('a pool without groups that %s takes its new place, of which nothing is known yet', (_case, over) => {
    const [change] = poolChanges([moved], [{ ...stored, ...over }]);
    expect(change).toMatchObject({ row: { region: 'westus2', pending: null, listedAt: null, listedGroups: null } });
  });

  it('a pool that gets its old place back moves nowhere', () => {
    const [change] = poolChanges([config], [{ ...held, pending }]);
    expect(change).toMatchObject({ row: { region: 'eastus', pending: null } });
  });

  it('the spelling of a place is not the place', () => {
    const [change] = poolChanges([{ ...config, resourceGroup: 'RG' }], [held]);
    expect(change).toMatchObject({ row: { resourceGroup: 'RG', pending: null } });
  });

  it('a pool that left the configuration on its way stays where its groups are', () => {
    const [change] = poolChanges([], [{ ...held, pending }]);
    expect(change).toMatchObject({ row: { region: 'eastus', retired: true, pending: null } });
  });
});

describe('reading the pools', () => {
  it('tells of a place that cannot be taken yet, once, and takes it when the pool is empty', async () => {
    const { store } = tableFixture();
    const said: string[] = [];
    const log = { info() {}, warn: (message: string) => said.push(message), error() {} };
    let ids = 0;
    const ports = { store, log, ids: { next: () => `tx-${ids++}` } };
    const read = async (region: string) => {
      const { pool: name, type, subscriptionId, resourceGroup, quota, labels, price } = aPool();
      const pools = [{ pool: name, type, subscriptionId, resourceGroup, quota, labels, price, region }];
      const rows = await readPools(ports, { pools });
      return rows.ok ? rows.value[0] : undefined;
    };
    const first = (await read('eastus')) ?? expect.fail('no pool');
    await updateReservations(ports, first, () => [{ owner: 'shop/web/0/1', cores: 1, at: 0 }]);
    expect(await read('westus2')).toMatchObject({ region: 'eastus', pending: { region: 'westus2' } });
    await read('westus2');
    expect(said).toHaveLength(1);
    // By a row that is outdated: the change meets what others wrote since.
    await updateReservations(ports, first, () => []);
    expect(await read('westus2')).toMatchObject({ region: 'westus2', pending: null });
  });

  it('writes more pools than one transaction takes', async () => {
    const { store } = tableFixture();
    let ids = 0;
    const ports = { store, log: { info() {}, warn() {}, error() {} }, ids: { next: () => `tx-${ids++}` } };
    const { type, subscriptionId, resourceGroup, quota, labels, price } = aPool();
    const shared = { type, subscriptionId, resourceGroup, quota, labels, price };
    const pools = Array.from({ length: 130 }, (_, n) => ({ ...shared, pool: `pool-${n}`, region: `region${n}` }));
    const rows = await readPools(ports, { pools });
    expect(rows.ok && rows.value.length).toBe(130);
  });
});
