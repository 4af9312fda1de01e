import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { poolChanges } from '../../src/activities/pool-sync.ts';
import { parsePools } from '../../src/pools.ts';
import { aPool } from './../support/rows.ts';

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
    ['a pool named twice', `pools:${pool()}${pool()}`, /eastus is named twice/],
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
  const {
    order: _,
    cordoned: __,
    retired: ___,
    reservations,
    orphans: ____,
    listedAt: _____,
    kind,
    ...config
  } = aPool();
  const stored = { ...aPool(), etag: 'tag' };

  it.each<[string, ReturnType<typeof poolChanges>, string[]]>([
    ['a new pool is inserted', poolChanges([config], []), ['insert']],
    ['a known pool is left alone', poolChanges([config], [stored]), []],
    ['a changed quota is written', poolChanges([{ ...config, quota: { groups: 1, cores: 1 } }], [stored]), ['update']],
    ['a pool that left the file is retired', poolChanges([], [stored]), ['update']],
    ['a retired pool is left alone', poolChanges([], [{ ...stored, retired: true }]), []],
    ['a pool that came back is taken up again', poolChanges([config], [{ ...stored, retired: true }]), ['update']],
  ])('%s', (_case, changes, expected) => {
    expect(changes.map(({ type }) => type)).toEqual(expected);
  });

  it('keep cordon and ledger when the configuration changes', () => {
    const held = { ...stored, cordoned: true, reservations: [{ owner: 'shop/web/0/1', cores: 1, at: 0 }] };
    const [change] = poolChanges([{ ...config, region: 'westus2' }], [held]);
    expect(change).toMatchObject({
      etag: 'tag',
      row: { cordoned: true, region: 'westus2', reservations: held.reservations },
    });
    expect([kind, reservations]).toEqual(['pool', []]);
  });
});
