/** Faults of whole regions and of their zones: settings that stay until they are cleared. */
import { type RegionState, regionStates, setRegionState } from '../../aci/faults.ts';
import type { Quotas } from '../../aci/settings.ts';
import { type Argument, type Done, done, type Fault, type FaultWorld } from './fault.ts';

const region: Argument = { name: 'region', kind: 'region', help: 'such as eastus' };
const lasts = 'until cleared' as const;
const about = 'regions' as const;

/** Adds to what is set already. */
function merge({ store }: FaultWorld, name: string, change: RegionState, sentence: string): Done {
  setRegionState(store, name, { ...regionStates(store)[name], ...change });
  return done(sentence);
}

export const regionFaults: readonly Fault[] = [
  {
    name: 'region-down',
    about,
    arguments: [region],
    does: 'ARM answers 503 to everything about groups there, and no address there answers; lists still show them',
    lasts,
    example: 'region-down eastus',
    act(world, given) {
      const name = given.get('region', 'region');
      return merge(world, name, { arm: 'unavailable', containersDown: true }, `${name} is down.`);
    },
  },
  {
    name: 'arm-down',
    about,
    arguments: [region],
    does: 'ARM answers 503 to everything about groups there; the containers run on and answer',
    lasts,
    example: 'arm-down eastus',
    act(world, given) {
      const name = given.get('region', 'region');
      return merge(world, name, { arm: 'unavailable' }, `ARM is down in ${name}.`);
    },
  },
  {
    name: 'cut-off',
    about,
    arguments: [region],
    does: 'no address there answers, while ARM says that all is well',
    lasts,
    example: 'cut-off eastus',
    act(world, given) {
      const name = given.get('region', 'region');
      return merge(world, name, { containersDown: true }, `No address in ${name} answers.`);
    },
  },
  {
    name: 'capacity',
    about,
    arguments: [
      region,
      { name: 'cores', kind: 'cores', fallback: '0', help: 'all that there is room for' },
      { name: 'zone', kind: 'zone', fallback: '', help: 'only of this zone' },
    ],
    does: 'there is room for so many cores and no more: creates are refused with 409 ServiceUnavailable; those pinned to a full zone are accepted and fail with InsufficientCapacity',
    lasts,
    example: 'capacity eastus cores=2',
    act(world, given) {
      const name = given.get('region', 'region');
      const cores = given.get('cores', 'cores');
      const zone = given.find('zone', 'zone');
      if (zone === undefined) return merge(world, name, { cores }, `${name} has room for ${cores} cores.`);
      return mergeZone(world, name, zone, { cores }, `Zone ${zone} of ${name} has room for ${cores} cores.`);
    },
  },
  {
    name: 'zone-down',
    about,
    arguments: [region, { name: 'zone', kind: 'zone', help: 'such as 1' }],
    does: 'nothing that is pinned to the zone answers, and nothing can be placed there',
    lasts,
    example: 'zone-down eastus 1',
    act(world, given) {
      const name = given.get('region', 'region');
      const zone = given.get('zone', 'zone');
      return mergeZone(world, name, zone, { down: true }, `Zone ${zone} of ${name} is down.`);
    },
  },
  {
    name: 'quota',
    about,
    arguments: [
      region,
      { name: 'groups', kind: 'count', fallback: '', help: 'container groups' },
      { name: 'cores', kind: 'cores', fallback: '', help: 'standard cores' },
      { name: 'spot-cores', kind: 'cores', fallback: '', help: 'standard Spot cores' },
    ],
    does: 'the subscription may have no more than this there: what would exceed it is refused with 400 ContainerGroupQuotaReached',
    lasts,
    example: 'quota eastus cores=4',
    act(world, given) {
      const name = given.get('region', 'region');
      const quotas = quotasGiven({
        containerGroups: given.find('groups', 'count'),
        standardCores: given.find('cores', 'cores'),
        standardSpotCores: given.find('spot-cores', 'cores'),
      });
      if (Object.keys(quotas).length === 0) return { problem: '`quota` needs groups=N, cores=N or spot-cores=N.' };
      const before = regionStates(world.store)[name]?.quotas;
      return merge(world, name, { quotas: { ...before, ...quotas } }, `The quota in ${name} is changed.`);
    },
  },
];

function quotasGiven(given: Readonly<Record<keyof Quotas, number | undefined>>): Partial<Quotas> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function mergeZone(
  world: FaultWorld,
  name: string,
  zone: string,
  change: { readonly down?: boolean; readonly cores?: number },
  sentence: string,
): Done {
  const zones = regionStates(world.store)[name]?.zones ?? {};
  return merge(world, name, { zones: { ...zones, [zone]: { ...zones[zone], ...change } } }, sentence);
}
