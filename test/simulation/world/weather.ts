/** What the world does by itself, now and then: to containers, regions, quotas, hosts and the table. */
import { removeFaults, setRegionState } from '../../../src/local/aci/faults.ts';
import type { ContainerStep, GroupRecord } from '../../../src/local/aci/model.ts';
import type { StoredEntity } from '../../../src/local/tables/store.ts';
import { type WeatherFault, weatherFaults } from '../faults/registry.ts';
import { clock, epoch } from '../virtual/clock.ts';
import { type Arm, resourceGroup, subscriptionId } from './arm.ts';
import { mayStrike, noteFault, secrets, type WorldCore } from './core.ts';
import type { Events } from './events.ts';
import { type Fleet, skewsMs } from './fleet.ts';
import type { PoolFact } from './host.ts';
import type { Table } from './table.ts';

export interface WeatherParts {
  readonly world: WorldCore;
  readonly arm: Arm;
  readonly table: Table;
  readonly fleet: Fleet;
  readonly pools: readonly PoolFact[];
  readonly events: Events;
}

const everyMs = 20_000;
/** Per look, before the seed's factor. */
const rates: Readonly<Record<WeatherFault, number>> = {
  containerCrash: 0.03,
  containerHang: 0.02,
  maintenance: 0.01,
  capacityGone: 0.01,
  quotaShrunk: 0.01,
  foreignGroups: 0.01,
  forgedTags: 0.01,
  secondInstallation: 0.01,
  stuckDelete: 0.02,
  groupVanishes: 0.015,
  hostRestart: 0.02,
  tableRestored: 0.004,
  regionDown: 0.01,
  lateCreate: 0.02,
  containerFlaps: 0.02,
  containerLeaks: 0.01,
  clockJump: 0.02,
  deploy: 0.005,
  deletedByHand: 0.015,
  eventForged: 0.05,
  stoppedByHand: 0.015,
};

export function startWeather(parts: WeatherParts): void {
  const { world, table } = parts;
  let backup: readonly StoredEntity[] = [];
  const look = (): void => {
    for (const fault of weatherFaults) {
      if (!mayStrike(world, fault)) continue;
      if (world.choices.weighted(`weather/${fault}`, [0, rates[fault] * world.plan.factor]) === 0) continue;
      strike(parts, fault, backup);
    }
    if (world.plan.names.has('tableRestored') && clock.now % 60_000 === 0) backup = table.snapshot();
    if (clock.now < world.calmFrom) clock.at(clock.now + everyMs, look);
  };
  clock.at(clock.now + everyMs, look);
  // When the calm begins, what was taken away comes back.
  clock.at(world.calmFrom, () => {
    removeFaults(parts.arm.store);
    parts.arm.dropping.clear();
    for (const { region } of parts.pools) setRegionState(parts.arm.store, region, {});
    parts.arm.changed();
  });
}

interface Struck {
  readonly region: string;
  /** A group anywhere; undefined = there is none. */
  readonly group: GroupRecord | undefined;
  readonly backup: readonly StoredEntity[];
}

function strike(parts: WeatherParts, fault: WeatherFault, backup: readonly StoredEntity[]): void {
  const { world, arm, pools } = parts;
  const region = pools[world.choices.pick(`weather/${fault}/region`, pools.length)]?.region ?? '';
  const groups = arm.store.groups();
  const group = groups[world.choices.pick(`weather/${fault}/group`, Math.max(1, groups.length))];
  noteFault(world, fault, null, `${region} ${group ? arm.label(group.name) : ''}`);
  strokes[fault](parts, { region, group, backup });
  arm.changed();
}

type Stroke = (parts: WeatherParts, struck: Struck) => unknown;

const strokes: Readonly<Record<WeatherFault, Stroke>> = {
  containerCrash: (parts, { group }) => group && due(parts, group.name, 'exit'),
  containerHang: (parts, { group }) => group && due(parts, group.name, 'hang'),
  containerFlaps: (parts, { group }) => group && inTurn(parts, group.name, flaps),
  containerLeaks: (parts, { group }) => group && inTurn(parts, group.name, leak),
  maintenance: ({ arm }) => arm.core.maintenance(clock.now),
  capacityGone: (parts, { region }) => forAWhile(parts, region, { arm: 'noCapacity' }, 240_000),
  quotaShrunk(parts, { region }) {
    const containerGroups = Math.max(1, parts.arm.store.groups().length - 1);
    forAWhile(parts, region, { quotas: { containerGroups } }, 300_000);
  },
  regionDown: goDown,
  foreignGroups: (parts, { region }) => putForeign(parts, 'theirs', region, {}),
  forgedTags: (parts, { region, group }) => putForeign(parts, 'forged', region, forged(group?.tags ?? {})),
  secondInstallation: (parts, { region, group }) =>
    putForeign(parts, 'other', region, { ...(group?.tags ?? {}), 'flotilla-installation': 'other' }),
  stuckDelete: (parts, { group }) => group?.provisioningState === 'Deleting' && stick(parts, group.name),
  groupVanishes: ({ arm }, { group }) => group && arm.store.removeGroup(group.key),
  lateCreate: createAgain,
  deletedByHand: (parts, { group }) => group && byHand(parts, 'DELETE', group.name),
  stoppedByHand: (parts, { group }) => group && byHand(parts, 'POST', group.name, '/stop'),
  eventForged: (parts, { group }) => forge(parts, group?.name ?? 'none'),
  hostRestart({ fleet }) {
    const host = fleet.hosts.find(({ isServing }) => isServing);
    if (host) fleet.end(host.id, 'crashed', 'hostRestart');
  },
  tableRestored: ({ table }, { backup }) => backup.length > 0 && table.restore(backup),
  clockJump({ world, fleet }) {
    const hosts = fleet.hosts.filter(({ isServing }) => isServing);
    const host = hosts[world.choices.pick('weather/clockJump/host', Math.max(1, hosts.length))];
    if (host) host.owner.skewMs = skewsMs[world.choices.pick('weather/clockJump/to', skewsMs.length)] ?? 0;
  },
  deploy: ({ world, fleet }) => fleet.deploy(world.choices.pick('weather/deploy/code', 2) === 1),
};

/** How a region goes down: what part of the packets is lost, and for how long. It comes back with everything that ran there before. */
const outages: readonly (readonly [dropped: number, forMs: number])[] = [
  [1, 180_000],
  [1, 900_000],
  [0.6, 420_000],
  [0.4, 420_000],
];

function goDown(parts: WeatherParts, { region }: Struck): void {
  const { world, arm } = parts;
  const [dropped, forMs] = outages[world.choices.pick('weather/regionDown/how', outages.length)] ?? [1, 180_000];
  arm.dropping.set(region, dropped);
  clock.at(clock.now + forMs, () => arm.dropping.delete(region));
  forAWhile(parts, region, { arm: 'unavailable', containersDown: dropped === 1 }, forMs);
}

function forAWhile(
  { arm }: WeatherParts,
  region: string,
  state: Parameters<typeof setRegionState>[2],
  forMs: number,
): void {
  setRegionState(arm.store, region, state);
  clock.at(clock.now + forMs, () => setRegionState(arm.store, region, {}));
}

/** Somebody copied our tags onto a group of his own, without saying whose it is. */
function forged(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { 'flotilla-installation': _, ...rest } = tags;
  return rest;
}

function due({ arm }: WeatherParts, name: string, step: ContainerStep): void {
  const record = arm.record(name);
  if (!record) return;
  const draft = structuredClone(record);
  for (const container of draft.containers) {
    if (container.current.state === 'Running') container.due.push({ at: clock.now, step });
  }
  arm.store.putGroup(draft);
  arm.core.advance(clock.now);
}

/** Answers 503 and answers again, faster than any verdict on it can settle. */
const flaps: readonly (readonly [afterMs: number, ContainerStep])[] = [
  [0, 'sicken'],
  [7_000, 'ready'],
  [19_000, 'sicken'],
  [41_000, 'ready'],
  [66_000, 'sicken'],
  [97_000, 'ready'],
];
/** Its memory runs full again after every restart, each time later than the platform's back-off has grown. */
const leak: readonly (readonly [afterMs: number, ContainerStep])[] = [
  [0, 'exit'],
  [60_000, 'exit'],
  [150_000, 'exit'],
  [300_000, 'exit'],
];

function inTurn(parts: WeatherParts, name: string, steps: readonly (readonly [number, ContainerStep])[]): void {
  for (const [afterMs, step] of steps) {
    clock.at(clock.now + afterMs, () => {
      if (clock.now >= parts.world.calmFrom && step !== 'ready') return;
      due(parts, name, step);
      parts.arm.changed();
    });
  }
}

function stick({ arm }: WeatherParts, name: string): void {
  const record = arm.record(name);
  if (!record) return;
  const draft = structuredClone(record);
  draft.due = draft.due.map(({ at, step }) => ({ at: step === 'vanish' ? at + 600_000 : at, step }));
  arm.store.putGroup(draft);
}

/** A create that ARM had lost sight of lands after its group was deleted. */
function createAgain(parts: WeatherParts): void {
  const { world, arm } = parts;
  const which = world.choices.pick('weather/lateCreate/which', Math.max(1, arm.departed.length));
  const [group] = arm.departed.splice(which, 1);
  if (group && !arm.group(group.name)) put(parts, group.name, group.region, group.tags, group.image);
}

/** In the portal, say: ARM tells of it. */
function byHand({ arm }: WeatherParts, method: string, name: string, action = ''): void {
  arm.core.handle(requestOf(method, `${name}${action}`), clock.now, () => 0);
}

const foreignPlace = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/theirs';
const place = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;

/** Somebody has the webhook's key: news of a group that is well, of one in a foreign place, of a name that looks like ours, of nothing. */
function forge({ world, arm, events }: WeatherParts, name: string): void {
  const subjectOf = (at: string, group: string) =>
    `${at}/providers/Microsoft.ContainerInstance/containerGroups/${group}`;
  const deleted = 'Microsoft.Resources.ResourceDeleteSuccess';
  const forged: readonly (readonly [type: string, subject: string])[] = [
    [deleted, subjectOf(place, name)],
    [deleted, subjectOf(foreignPlace, name)],
    [deleted, subjectOf(place, 'f-0123456789abcdef-web')],
    ['flotilla.ContainerStateChanged', subjectOf(place.toUpperCase(), name)],
    ['Microsoft.Storage.BlobDeleted', subjectOf(place, name)],
    [deleted, '../../containerGroups'],
  ];
  const [type, subject] = forged[world.choices.pick('weather/eventForged/what', forged.length)] ?? [deleted, ''];
  const event = { id: 'forged', type, topic: place, subject, at: clock.now, data: { state: 7 }, dataVersion: '1' };
  events.publish(event, `forged ${arm.label(name)}`);
}

/** A group that is not ours, put by somebody else through the same ARM. */
function putForeign(parts: WeatherParts, kind: string, region: string, tags: Readonly<Record<string, string>>): void {
  put(parts, `${kind}-${clock.now - epoch}`, region, tags);
}

function put(
  { arm }: WeatherParts,
  name: string,
  region: string,
  tags: Readonly<Record<string, string>>,
  image = 'nginx',
): void {
  const body = {
    location: region,
    tags,
    properties: {
      osType: 'Linux',
      restartPolicy: 'Always',
      containers: [{ name: 'main', properties: { image, resources: { requests: { cpu: 1, memoryInGB: 1 } } } }],
    },
  };
  arm.core.handle(requestOf('PUT', name, body), clock.now, () => 0);
}

const requestOf = (method: string, name: string, body?: object) => ({
  method,
  url: `${place}/providers/Microsoft.ContainerInstance/containerGroups/${name}?api-version=2023-05-01`,
  headers: {
    authorization: `Bearer ${secrets.token}`,
    'content-type': 'application/json',
    host: 'management.azure.com',
  },
  body: body === undefined ? '' : JSON.stringify(body),
});
