/** Where the replicas of a service may be put and would rather be: rules over domains. They are not part of a revision: a change moves nothing. */

/** How places are told apart for spreading: `region`, `zone`, `pool`, `host` or `labels.<name>`. */
export type Topology = string;

export interface PlacementSpec {
  readonly constraints: readonly Constraint[];
  readonly spread: readonly Spread[];
  readonly affinity: readonly Affinity[];
  readonly limits: readonly DomainLimit[];
}

/** No rule at all. */
export const unplaced: PlacementSpec = { constraints: [], spread: [], affinity: [], limits: [] };

/** A predicate on one attribute: `pool.region == eastus`, `pool.region in (eastus, westus2)`. A target without the attribute equals nothing. */
export interface Constraint {
  readonly attribute: string;
  readonly operator: '==' | '!=' | 'in';
  readonly values: readonly string[];
  /** As written, for messages. */
  readonly text: string;
}

/** Attributes that constraints and preferences may name; `pool.labels.<name>` besides. */
export const attributes = ['pool.name', 'pool.kind', 'pool.region', 'pool.zone', 'node.hostname'] as const;

const labelPrefix = 'pool.labels.';
const labelTopology = 'labels.';

/** The topology that an attribute stands for; null = it is none. */
export function topologyOf(attribute: string): Topology | null {
  if (attribute.startsWith(labelPrefix) && attribute.length > labelPrefix.length) {
    return labelTopology + attribute.slice(labelPrefix.length);
  }
  return topologies[attribute] ?? null;
}

const topologies: Readonly<Record<string, Topology>> = {
  'pool.name': 'pool',
  'pool.region': 'region',
  'pool.zone': 'zone',
  'node.hostname': 'host',
};

/** Even numbers of the service's replicas over the domains of a topology. */
export interface Spread {
  readonly topology: Topology;
  /** Most that a domain may be ahead of the emptiest one that has room; null = a preference. Full, cordoned and closed domains are not counted. */
  readonly maxSkew: number | null;
}

/** Near to, or away from, the replicas of a service (its own included). */
export interface Affinity {
  /** Name of a service of the same app. */
  readonly service: string;
  readonly topology: Topology;
  readonly anti: boolean;
  readonly required: boolean;
  /** Of a preference, 1–100; as Kubernetes' `weight`. */
  readonly weight: number;
}

/** At most `count` replicas of the service in a domain: `unique` is 1, Compose's `max_replicas_per_node` is one for hosts. */
export interface DomainLimit {
  readonly topology: Topology;
  readonly count: number;
}
