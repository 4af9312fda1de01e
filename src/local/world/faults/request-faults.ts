/** What befalls the next requests to ARM: rows of its fault table, used up one by one or left until they are cleared. */
import { type Act, type Fault as ArmFault, addFault, type FaultEffect } from '../../aci/faults.ts';
import { type Argument, type Done, done, type Fault, type FaultWorld, type Given } from './fault.ts';

const act: Argument = { name: 'act', kind: 'act', fallback: '', help: 'what is asked for; without it, anything' };
const region: Argument = { name: 'region', kind: 'region', fallback: '', help: 'only there' };
const groups: Argument = {
  name: 'groups',
  kind: 'pattern',
  fallback: '*',
  help: 'names of groups, * stands for anything: *-web for all of service web',
};
const times: Argument = { name: 'times', kind: 'times', fallback: '1', help: 'how often; `always`: until cleared' };
const applied: Argument = {
  name: 'applied',
  kind: 'flag',
  fallback: 'no',
  help: 'the request takes effect all the same',
};
const lasts = 'for so many requests' as const;
const about = 'requests to ARM' as const;
const selection = [groups, region, times] as const;

function add({ store }: FaultWorld, given: Given, effect: FaultEffect, act?: string): Done {
  const name = given.get('groups', 'pattern');
  const location = given.find('region', 'region');
  const fault: Omit<ArmFault, 'id'> = {
    ...(act !== undefined && { act: act as Act }),
    ...(name !== '*' && { name }),
    ...(location !== undefined && { location }),
    times: given.get('times', 'times'),
    effect,
  };
  return done(`Fault ${addFault(store, fault).id} is set.`);
}

export const requestFaults: readonly Fault[] = [
  {
    name: 'throttle',
    about,
    arguments: [
      act,
      { name: 'retry-after', kind: 'duration', fallback: '5s', help: 'what it tells to wait' },
      ...selection,
    ],
    does: 'ARM answers 429 TooManyRequests',
    lasts,
    example: 'throttle create times=10 retry-after=20s',
    act: (world, given) =>
      add(
        world,
        given,
        {
          kind: 'error',
          status: 429,
          code: 'TooManyRequests',
          message: 'Too many requests (fault console).',
          retryAfterSeconds: Math.ceil(given.get('retry-after', 'duration') / 1000),
          after: false,
        },
        given.find('act', 'act'),
      ),
  },
  {
    name: 'error',
    about,
    arguments: [
      act,
      { name: 'status', kind: 'status', fallback: '500', help: '400 to 599' },
      { name: 'code', kind: 'text', fallback: 'InternalServerError', help: 'the error code in the body' },
      applied,
      ...selection,
    ],
    does: 'ARM answers an error',
    lasts,
    example: 'error create status=500 applied=yes',
    act: (world, given) =>
      add(
        world,
        given,
        {
          kind: 'error',
          status: given.get('status', 'status'),
          code: given.get('code', 'text'),
          message: 'Injected by the fault console.',
          after: given.get('applied', 'flag'),
        },
        given.find('act', 'act'),
      ),
  },
  {
    name: 'drop',
    about,
    arguments: [act, applied, ...selection],
    does: 'the connection breaks instead of an answer',
    lasts,
    example: 'drop create applied=yes',
    act: (world, given) =>
      add(world, given, { kind: 'drop', after: given.get('applied', 'flag') }, given.find('act', 'act')),
  },
  {
    name: 'slow',
    about,
    arguments: [act, { name: 'by', kind: 'duration', fallback: '2s', help: 'how much longer' }, ...selection],
    does: 'the answer takes longer',
    lasts,
    example: 'slow get by=3s times=always',
    act: (world, given) =>
      add(world, given, { kind: 'latency', ms: given.get('by', 'duration') }, given.find('act', 'act')),
  },
  {
    name: 'stuck-create',
    about,
    arguments: [...selection],
    does: 'a create is accepted and gets nowhere; ARM gives it up after 30 minutes',
    lasts,
    example: 'stuck-create *-web',
    act: (world, given) => add(world, given, { kind: 'mishap', mishap: NO_ROOM }, 'create'),
  },
  {
    name: 'fail-create',
    about,
    arguments: [
      { name: 'after', kind: 'duration', fallback: '1s', help: 'from acceptance to failure' },
      { name: 'runs-after', kind: 'duration', fallback: '', help: 'it runs all the same, this long after it failed' },
      ...selection,
    ],
    does: 'a create is accepted and fails for lack of capacity',
    lasts,
    example: 'fail-create after=5s times=2',
    act(world, given) {
      const runsAfterMs = given.find('runs-after', 'duration');
      const afterMs = given.get('after', 'duration');
      const mishap = { ...NO_ROOM, afterMs, ...(runsAfterMs !== undefined && { runsAfterMs }) };
      return add(world, given, { kind: 'mishap', mishap }, 'create');
    },
  },
  {
    name: 'stuck-delete',
    about,
    arguments: [...selection],
    does: 'a deletion is accepted and the group stays Deleting, until it is cleared',
    lasts,
    example: 'stuck-delete *-worker',
    act: (world, given) => add(world, given, { kind: 'stuck' }, 'delete'),
  },
];

const NO_ROOM = { code: 'InsufficientCapacity.', message: 'There is not enough capacity in the location.' };
