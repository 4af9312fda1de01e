/** Generated worlds for the placement figures: container hosts in pools, ACI pools besides, and services of many shapes whose replicas arrive shuffled. */
import type { Ask } from '../../src/decide/placement/ask.ts';
import type { Ledger, Target } from '../../src/decide/placement/target.ts';

export type Draw = () => number;

/** mulberry32: small, seeded, good enough to shuffle. */
export function seeded(seed: number): Draw {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const below = (draw: Draw, limit: number): number => Math.floor(draw() * limit);
const oneOf = <T>(draw: Draw, list: readonly T[]): T => list[below(draw, list.length)] as T;

export interface Size {
  readonly targets: number;
  readonly replicas: number;
  readonly services: number;
}

export interface GeneratedWorld {
  readonly targets: readonly Target[];
  readonly ledgers: readonly Ledger[];
  readonly asks: readonly Ask[];
  /** One index into `asks` for each replica. */
  readonly arrivals: readonly number[];
}

const pools = 40;
const regions = 10;
const unlimited = Number.POSITIVE_INFINITY;

/** @param rules with a required spread over regions and an anti-affinity to another service */
export function generate(size: Size, rules: boolean, draw: Draw): GeneratedWorld {
  const targets: Target[] = [];
  const ledgers: Ledger[] = [];
  for (let index = 0; index < size.targets; index += 1) {
    const pool = index % pools;
    const target = targetAt(index, pool);
    targets.push(target);
    const limit =
      target.kind === 'docker'
        ? { groups: 64, cores: oneOf(draw, [16, 32]), memoryGiB: oneOf(draw, [64, 128]) }
        : { groups: 100, cores: 100, memoryGiB: unlimited };
    ledgers.push({ name: target.ledger, limit, used: { groups: 0, cores: 0, memoryGiB: 0 } });
  }
  const asks = Array.from({ length: size.services }, (_, index) => askAt(index, size.services, rules, draw));
  const arrivals = Array.from({ length: size.replicas }, (_, index) => index % size.services);
  for (let index = arrivals.length - 1; index > 0; index -= 1) {
    const other = below(draw, index + 1);
    [arrivals[index], arrivals[other]] = [arrivals[other] as number, arrivals[index] as number];
  }
  return { targets, ledgers, asks, arrivals };
}

/** One pool in eight is of ACI: its hosts are pools of their own, each with a quota. */
function targetAt(index: number, pool: number): Target {
  const aci = pool % 8 === 7;
  const name = `p${String(pool).padStart(2, '0')}${aci ? '' : 'h'}-${String(index).padStart(6, '0')}`;
  const region = `region${pool % regions}`;
  return {
    name,
    pool: aci ? name : `p${pool}`,
    kind: aci ? 'aci' : 'docker',
    region,
    zone: String(1 + (index % 3)),
    host: aci ? null : name,
    labels: { disk: pool % 4 === 0 ? 'ssd' : 'hdd' },
    order: pool,
    price: { coreHour: 0.03 + (pool % 5) / 100, gibHour: 0.004 },
    closed: null,
    ledger: name,
  };
}

/** Sizes in steps of 0.1, so that nearly every service has a shape of its own. */
function askAt(index: number, services: number, rules: boolean, draw: Draw): Ask {
  const service = `app${index >> 2}/s${index}`;
  const constraint = {
    attribute: 'pool.labels.disk',
    operator: '==',
    values: ['ssd'],
    text: 'pool.labels.disk == ssd',
  } as const;
  return {
    service,
    cores: (1 + below(draw, 20)) / 10,
    memoryGiB: (2 + below(draw, 60)) / 10,
    pools: [],
    constraints: index % 10 === 0 ? [constraint] : [],
    spread: rules ? [{ topology: 'region', maxSkew: index % 10 === 0 ? 5 : 1 }] : [],
    affinity: rules
      ? [
          {
            service: `app${((index + 4) % services) >> 2}/s${(index + 4) % services}`,
            topology: 'zone',
            anti: true,
            required: false,
            weight: 50,
          },
          { service, topology: 'host', anti: true, required: index % 2 === 0, weight: 100 },
        ]
      : [],
    limits: [],
  };
}
