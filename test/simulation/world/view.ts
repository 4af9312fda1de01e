/** Read access to the world, for oracles. */
import type { ArmGroup, CommandRecord, Endpoint, Facts, OrderRecord, RawEntity, View } from '../types.ts';
import { clock } from '../virtual/clock.ts';
import { type Arm, subscriptionId } from './arm.ts';
import { installation, secrets, type WorldCore } from './core.ts';
import type { Durable } from './durable.ts';
import type { PoolFact, SimHost } from './host.ts';
import { nested, type Table } from './table.ts';

export interface ViewParts {
  readonly world: WorldCore;
  readonly arm: Arm;
  readonly table: Table;
  readonly durable: Durable;
  readonly hosts: readonly SimHost[];
  readonly commands: readonly CommandRecord[];
  readonly orders: readonly OrderRecord[];
  readonly pools: readonly PoolFact[];
  readonly facts: Facts;
}

export function createView(parts: ViewParts, { fail, measure }: Pick<View, 'fail' | 'measure'>): View {
  const { arm, table, durable, hosts } = parts;
  return {
    get now() {
      return clock.now;
    },
    installation,
    calmFrom: parts.world.calmFrom,
    pools: parts.pools.map(({ pool, region }) => ({ pool, region, subscriptionId })),
    commands: parts.commands,
    orders: parts.orders,
    secrets: Object.values(secrets),
    facts: parts.facts,
    groups: () => arm.groups(),
    group: (name: string): ArmGroup | undefined => arm.group(name),
    rows: (partition) => table.rows(partition),
    rowsOf: (kind, partition) => table.rowsOf(kind, partition),
    row: (partition, row) => table.row(partition, row),
    json: (entity: RawEntity, property: string) => nested(entity, property),
    apps: () => table.partitions().filter((name) => !name.startsWith('~')),
    endpoints: (app, service) => endpointsOf(table, app, service),
    hosts: () => hosts.filter(({ owner }) => !owner.dead).map(({ id }) => id),
    instances: () =>
      durable.store.unfinished().map(({ instanceId, status }) => ({ id: instanceId, status: String(status) })),
    fail,
    measure,
  };
}

function endpointsOf(table: Table, app: string, service: string): readonly Endpoint[] {
  return table
    .rowsOf('replica', app)
    .filter((row) => row['service'] === service && row['endpoint'] === true)
    .map((row) => ({
      ip: String(row['ip']),
      group: String(row['group']),
      slot: Number(row['slot']),
      incarnation: Number(row['incarnation']),
    }));
}
