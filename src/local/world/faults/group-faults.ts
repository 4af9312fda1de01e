/** What befalls container groups that are there: done once, and over when the command returns. */
import { inTransition } from '../../aci/call.ts';
import { endProcess, evict, hangProcess, maintain } from '../../aci/container-course.ts';
import { type ContainerRecord, type GroupRecord, isReal, noteUsage, type Usage } from '../../aci/model.ts';
import { stopNow } from '../../aci/power.ts';
import { type Argument, type Done, done, type Fault, type FaultWorld, type Given } from './fault.ts';

const groups: Argument = {
  name: 'groups',
  kind: 'groups',
  help: 'APP, APP.SERVICE, APP.SERVICE.SLOT, the name of a group, or *',
};
const all: Argument = { ...groups, fallback: '*' };
const container: Argument = { name: 'container', kind: 'container', fallback: '', help: 'only this one of each group' };
const about = 'groups' as const;
const lasts = 'once' as const;

export const groupFaults: readonly Fault[] = [
  {
    name: 'kill-group',
    about,
    arguments: [groups],
    does: 'the group is gone at once, without anybody having deleted it',
    lasts,
    example: 'kill-group voting.web.0',
    act(world, given, now) {
      const gone = given.get('groups', 'groups');
      for (const group of gone) vanish(world, group, now);
      return done(`${listed(gone)} gone.`);
    },
  },
  {
    name: 'stop-group',
    about,
    arguments: [groups],
    does: 'somebody stops the group, as the portal can: it is there, without address and containers',
    lasts,
    example: 'stop-group voting.web.1',
    act(world, given, now) {
      const meant = given.get('groups', 'groups').filter((group) => !group.stopped && !inTransition(group));
      if (meant.length === 0) return { problem: 'All of these groups are stopped or on their way to another state.' };
      const { store, arm } = world;
      for (const group of meant) stopNow({ store, settings: arm.settings, time: arm.time }, group, now);
      return done(`${listed(meant)} stopped.`);
    },
  },
  {
    name: 'kill-container',
    about,
    arguments: [groups, container, { name: 'exit-code', kind: 'exitCode', fallback: '1', help: 'what it ends with' }],
    does: 'the process ends with this code; the restart policy follows',
    lasts,
    example: 'kill-container voting.web exit-code=137',
    act: (world, given, now) =>
      onContainers(world, given, now, 'killed', (group, one) =>
        endProcess(group, one, now, given.get('exit-code', 'exitCode'), world.arm.time.surroundings),
      ),
  },
  {
    name: 'hang',
    about,
    arguments: [groups, container],
    does: 'the process accepts connections and never answers, until it is restarted',
    lasts,
    example: 'hang voting.web.1',
    act: (world, given, now) => onContainers(world, given, now, 'hung', (group, one) => hangProcess(group, one, now)),
  },
  {
    name: 'maintenance',
    about,
    arguments: [
      all,
      { name: 'exit-code', kind: 'exitCode', fallback: '7147', help: '7147 or 7148, as ACI shows its own doing' },
      { name: 'new-address', kind: 'flag', fallback: 'no', help: 'the address changes, too' },
    ],
    does: 'the platform takes running containers down and starts them again',
    lasts,
    example: 'maintenance voting new-address=yes',
    act(world, given, now) {
      const code = given.get('exit-code', 'exitCode');
      const moved = given.get('groups', 'groups');
      for (const group of moved) {
        const address = given.get('new-address', 'flag') ? world.arm.time.freeAddress(group) : undefined;
        world.arm.time.change(group.key, now, (draft) => {
          maintain(draft, now, world.arm.time.surroundings, code);
          readdress(draft, address);
        });
      }
      return done(`Maintenance of ${count(moved)}.`);
    },
  },
  {
    name: 'new-address',
    about,
    arguments: [all],
    does: 'the group gets another address; its containers run on',
    lasts,
    example: 'new-address voting.store',
    act(world, given, now) {
      const moved = given.get('groups', 'groups').filter((group) => group.ip !== undefined);
      for (const group of moved) {
        const address = world.arm.time.freeAddress(group);
        world.arm.time.change(group.key, now, (draft) => readdress(draft, address));
      }
      return done(`${count(moved)} with a new address.`);
    },
  },
  {
    name: 'evict-spot',
    about,
    arguments: [all, { name: 'for', kind: 'duration', fallback: '30s', help: 'until there is room for it again' }],
    does: 'Spot groups are taken down for their capacity and started again when there is room',
    lasts,
    example: 'evict-spot for=2m',
    act(world, given, now) {
      const evicted = given.get('groups', 'groups').filter((group) => group.spot);
      if (evicted.length === 0) return { problem: 'None of these groups is a Spot group.' };
      for (const group of evicted) {
        world.arm.time.change(group.key, now, (draft) =>
          evict(draft, now, world.arm.time.surroundings, given.get('for', 'duration')),
        );
      }
      return done(`${listed(evicted)} evicted.`);
    },
  },
  {
    name: 'load',
    about,
    arguments: [
      groups,
      container,
      { name: 'cpu', kind: 'cores', fallback: '', help: 'cores that each container uses from now on' },
      { name: 'memory', kind: 'count', fallback: '', help: 'MiB that each container uses from now on' },
    ],
    does: 'metrics tell that stand-ins use this much, until they are restarted; nothing is really used up',
    lasts,
    example: 'load voting.web cpu=0.8',
    act(world, given, now) {
      const cores = given.find('cpu', 'cores');
      const memory = given.find('memory', 'count');
      if (cores === undefined && memory === undefined) return { problem: '`load` needs cpu=CORES or memory=MIB.' };
      if (given.get('groups', 'groups').some(isReal)) {
        return { problem: 'Containers on Docker are measured: make them use something, or start with stand-ins.' };
      }
      return onContainers(world, given, now, 'loaded', (_group, one) => {
        const before = one.usage?.at(-1)?.usage ?? NOTHING_USED;
        noteUsage(one, now, {
          ...before,
          ...(cores !== undefined && { cpuMillicores: cores * 1000 }),
          ...(memory !== undefined && { memoryBytes: memory * 1024 * 1024 }),
        });
      });
    },
  },
];

const NOTHING_USED: Usage = { cpuMillicores: 0, memoryBytes: 0, receivedBytesPerS: 0, transmittedBytesPerS: 0 };

function vanish({ store }: FaultWorld, group: GroupRecord, now: number): void {
  const { id, name, subscriptionId, location } = group;
  store.removeGroup(group.key);
  store.appendAudit({ at: now, action: 'gone', id, name, subscriptionId, location });
}

/** To whom an address is given, nobody listens yet. */
function readdress(group: GroupRecord, address: string | undefined): void {
  if (address === undefined) return;
  group.ip = address;
  for (const container of group.containers) container.unbound = [];
}

function onContainers(
  { arm }: FaultWorld,
  given: Given,
  now: number,
  verb: string,
  act: (group: GroupRecord, container: ContainerRecord) => void,
): Done {
  const wanted = given.find('container', 'container');
  let reached = 0;
  for (const group of given.get('groups', 'groups')) {
    arm.time.change(group.key, now, (draft) => {
      for (const container of draft.containers) {
        if (container.current.state !== 'Running' || (wanted !== undefined && container.name !== wanted)) continue;
        act(draft, container);
        reached += 1;
      }
    });
  }
  if (reached === 0) return { problem: 'No such container runs.' };
  return done(`${reached} ${reached === 1 ? 'container' : 'containers'} ${verb}.`);
}

const count = (groups: readonly GroupRecord[]): string =>
  `${groups.length} ${groups.length === 1 ? 'group' : 'groups'}`;
const listed = (groups: readonly GroupRecord[]): string =>
  groups.length <= 3 ? groups.map(({ name }) => name).join(', ') : count(groups);
