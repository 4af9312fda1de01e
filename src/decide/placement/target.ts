/**
 * What the scheduler sees of the world: targets (a pool, a zone of one, or a host) and the ledgers whose room they share. Nothing here knows rows or
 * ARM; sizes are cores and GiB.
 */
import { type Constraint, type Topology, topologyOf } from '../../model/placement.ts';

/** One place where a container group can be put. */
export interface Target {
  /** Unique; ties between equal scores go to the lower `order`, then to the lower name. */
  readonly name: string;
  readonly pool: string;
  readonly kind: 'aci' | 'aci-spot' | 'docker';
  readonly region: string;
  /** Physical zone where known, else subscription + zone; null = not zonal. */
  readonly zone: string | null;
  /** Name of the container host; null for ACI. */
  readonly host: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Place in the configuration; lower is preferred. */
  readonly order: number;
  /** What one core and one GiB cost for an hour; null = unknown, counts as the dearest. */
  readonly price: { readonly coreHour: number; readonly gibHour: number } | null;
  /** Why it takes nothing new, to follow its name; null = it is open. */
  readonly closed: string | null;
  /** Name of the ledger whose room it uses. The zones of a region share one; a host has its own. */
  readonly ledger: string;
}

/** Room that targets share: a quota of a region and subscription, or a host's capacity. `Infinity` = not limited. */
export interface Ledger {
  readonly name: string;
  readonly limit: Room;
  readonly used: Room;
}

export interface Room {
  readonly groups: number;
  readonly cores: number;
  readonly memoryGiB: number;
}

/** The value of a topology at a target; null = the target has none. */
export function domainOf(target: Target, topology: Topology): string | null {
  switch (topology) {
    case 'region':
      return target.region;
    case 'zone':
      return target.zone === null ? null : `${target.region}/${target.zone}`;
    case 'pool':
      return target.pool;
    case 'host':
      return target.host;
    default:
      return target.labels[topology.slice('labels.'.length)] ?? null;
  }
}

function attributeOf(target: Target, attribute: string): string | null {
  if (attribute === 'pool.kind') return target.kind;
  if (attribute === 'pool.zone') return target.zone;
  const topology = topologyOf(attribute);
  return topology === null ? null : domainOf(target, topology);
}

export function satisfies(target: Target, { attribute, operator, values }: Constraint): boolean {
  const value = attributeOf(target, attribute);
  const equal = value !== null && values.includes(value);
  return operator === '!=' ? !equal : equal;
}
