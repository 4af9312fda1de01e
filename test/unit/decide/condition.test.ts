import { describe, expect, it } from 'vitest';
import { addressOf, conditionOf, restartOf, type SeenGroup } from '../../../src/decide/condition.ts';
import type { ServiceTemplate } from '../../../src/model/app-spec.ts';
import type { GroupEvent, GroupObservation } from '../../../src/model/group.ts';
import { aTemplate, at } from '../../support/rows.ts';
import { aContainer, aGroup, inState } from '../../support/snapshots.ts';

const replica = inState('starting');
const group = (over: Partial<GroupObservation> = {}, probe: SeenGroup['probe'] = null): SeenGroup => ({
  kind: 'group',
  group: aGroup(replica, over),
  probe,
  logTail: null,
});
const event = (name: string, message = '', lastAt: number | null = at): GroupEvent => ({
  name,
  type: 'Warning',
  message,
  count: 1,
  lastAt,
});
const idle = { container: null, state: 'Pending', provisioningState: 'Creating' };
const stoppedGroup: Partial<GroupObservation> = {
  state: 'Stopped',
  ip: null,
  container: aContainer({ state: 'Terminated', exitCode: 137 }),
};
const quiet: ServiceTemplate = aTemplate({ readiness: { kind: 'running', afterMs: 10_000 } });
const verdict = (seenGroup: SeenGroup, template = aTemplate(), now = at + 60_000) => {
  const condition = conditionOf(seenGroup, template, now);
  return condition.kind === 'fit' ? 'fit' : `${condition.kind} ${condition.reason}`;
};

describe('the condition of a container group', () => {
  it.each<[string, SeenGroup, string]>([
    [
      'a failed pull',
      group({ ...idle, events: [event('Failed', 'Failed to pull image "x"')] }),
      'dead ImagePullFailed',
    ],
    ['an inaccessible image', group({ ...idle, events: [event('InaccessibleImage')] }), 'dead ImagePullFailed'],
    [
      'a failed pull that is being tried again (near miss)',
      group({ ...idle, events: [event('Pulling'), event('Failed', 'Failed to pull image "x"')] }),
      'unfit null',
    ],
    [
      'a failure to start, which is not about the image',
      group({ ...idle, events: [event('Failed', 'no such command')] }),
      'unfit StartDelayed',
    ],
    [
      'a failure to start that a start has followed (near miss)',
      group({ container: aContainer({ state: 'Waiting' }), events: [event('Started'), event('Failed', 'no space')] }),
      'unfit null',
    ],
    [
      'a failure that is no warning (near miss)',
      group({ ...idle, events: [{ ...event('Failed', 'no space left'), type: 'Normal' }] }),
      'unfit null',
    ],
    [
      'a failure to start of a container that runs (conflict): it runs',
      group({ events: [event('Failed', 'no space left on device')] }, 'passed'),
      'fit',
    ],
    [
      'a failed pull of a container that runs (conflict): it runs',
      group({ events: [event('Failed', 'Failed to pull image "x"')] }, 'passed'),
      'fit',
    ],
    [
      'no capacity, with the dot ACI writes',
      group({ ...idle, provisioningState: 'Failed', events: [event('InsufficientCapacity.')] }),
      'dead NoCapacity',
    ],
    [
      'no capacity while ACI still tries (near miss)',
      group({ ...idle, events: [event('InsufficientCapacity.')] }),
      'unfit null',
    ],
    ['failed provisioning', group({ ...idle, provisioningState: 'Failed' }), 'dead ProvisioningFailed'],
    ['failed provisioning of a group that runs all the same', group({ provisioningState: 'Failed' }, 'passed'), 'fit'],
    ['a container that does not run yet', group({ container: aContainer({ state: 'Waiting' }) }), 'unfit null'],
    [
      'a crash, and the fourth restart',
      group({ container: aContainer({ state: 'Waiting', exitCode: 1, restartCount: 4 }) }),
      'unfit ContainerCrashed',
    ],
    [
      'a crash loop, from the fifth restart on',
      group({ container: aContainer({ state: 'Waiting', exitCode: 1, restartCount: 5 }) }),
      'unfit CrashLooping',
    ],
    [
      'a crash loop that runs again and passes its probe (conflict): it runs',
      group({ container: aContainer({ exitCode: 1, restartCount: 5 }) }, 'passed'),
      'fit',
    ],
    [
      'maintenance of a container that has crashed often (conflict): the platform ended it',
      group({ container: aContainer({ state: 'Waiting', exitCode: 7148, restartCount: 9 }) }),
      'unfit PlatformMaintenance',
    ],
    ['a passing probe', group({}, 'passed'), 'fit'],
    ['a group that somebody stopped', group(stoppedGroup), 'dead GroupStopped'],
    [
      'a stopped group of which a stale word about the image is left (conflict): nobody but a person starts it again',
      group({ ...stoppedGroup, events: [event('Failed', 'Failed to pull image "x"')] }),
      'dead GroupStopped',
    ],
    ['a group that is called stopped and runs all the same (near miss)', group({ state: 'Stopped' }, 'passed'), 'fit'],
    ['a failing probe', group({}, 'failed'), 'unfit ProbeFailed'],
    ['a probe that was not made', group({}, null), 'unfit null'],
    ['no address yet', group({ ip: null }, 'passed'), 'unfit null'],
    ['the address of a group that is still being placed', group({ ip: '0.0.0.0' }, 'passed'), 'unfit null'],
  ])('%s', (_, one, expected) => {
    expect(verdict(one)).toBe(expected);
  });

  it.each<[ServiceTemplate['restartPolicy'], number | null, string]>([
    ['Always', 0, 'unfit ContainerCrashed'],
    ['Always', 1, 'unfit ContainerCrashed'],
    ['OnFailure', 0, 'dead ContainerExited'],
    ['OnFailure', 1, 'unfit ContainerCrashed'],
    ['Never', 0, 'dead ContainerExited'],
    ['Never', 1, 'dead ContainerExited'],
    ['Never', 7147, 'unfit PlatformMaintenance'],
    ['Never', 7148, 'unfit PlatformMaintenance'],
    ['Always', 7147, 'unfit PlatformMaintenance'],
    ['Never', null, 'unfit ContainerCrashed'],
  ])('restart policy %s after exit code %s', (restartPolicy, exitCode, expected) => {
    const ended = group({ container: aContainer({ state: 'Terminated', exitCode }) });
    expect(verdict(ended, aTemplate({ restartPolicy }))).toBe(expected);
  });

  it.each(['Always', 'OnFailure', 'Never'] as const)(
    'restart policy %s: what a person stopped did not end',
    (policy) => {
      expect(verdict(group(stoppedGroup), aTemplate({ restartPolicy: policy }))).toBe('dead GroupStopped');
    },
  );

  it.each<[string, number, GroupEvent[], Partial<ReturnType<typeof aContainer>>, string]>([
    ['before its time', 9_999, [], {}, 'unfit null'],
    ['at its time', 10_000, [], {}, 'fit'],
    ['with an Unhealthy event since', 12_000, [event('Unhealthy', '', at + 5_000)], {}, 'unfit ProbeFailed'],
    ['once the Unhealthy event is as old as that', 15_000, [event('Unhealthy', '', at + 5_000)], {}, 'fit'],
    ['with an Unhealthy event of the run before', 10_000, [event('Unhealthy', '', at - 5_000)], {}, 'fit'],
    ['after the restart of a crash loop', 12_000, [], { startedAt: at + 5_000, restartCount: 5 }, 'unfit CrashLooping'],
    [
      'after maintenance',
      12_000,
      [],
      { startedAt: at + 5_000, restartCount: 1, exitCode: 7147 },
      'unfit PlatformMaintenance',
    ],
    ['after a restart', 12_000, [], { startedAt: at + 5_000, restartCount: 1 }, 'unfit ContainerCrashed'],
  ])('without a network probe it is ready by quiet time: %s', (_, afterMs, events, container, expected) => {
    expect(verdict(group({ events, container: aContainer(container) }), quiet, at + afterMs)).toBe(expected);
  });

  it('says when time alone will make it ready', () => {
    const condition = conditionOf(group(), quiet, at + 1_000);
    expect(condition).toMatchObject({ kind: 'unfit', lookAt: at + 10_000 });
  });
});

describe('what it says to people', () => {
  const message = (seenGroup: SeenGroup, template = aTemplate()) => {
    const condition = conditionOf(seenGroup, template, at + 60_000);
    return condition.kind === 'fit' ? null : condition.message;
  };
  const ended = (over: Partial<ReturnType<typeof aContainer>>) =>
    group({ container: aContainer({ state: 'Terminated', ...over }) });
  const killed = (events: readonly GroupEvent[], exitCode = 137) =>
    group({
      events,
      container: aContainer({ state: 'Waiting', exitCode, detail: 'CrashLoopBackOff', restartCount: 2 }),
    });
  const killing = (killedAt: number) => event('Killing', 'Killing container with id 1.', killedAt);
  const unhealthy = (failedAt: number) => event('Unhealthy', 'Liveness probe failed: HTTP 500', failedAt);

  it.each<[string, string | null, string | null]>([
    [
      'the word of ACI about the image',
      message(group({ ...idle, events: [event('InaccessibleImage', 'No x.')] })),
      'No x.',
    ],
    [
      'the word of ACI about capacity',
      message(
        group({
          ...idle,
          provisioningState: 'Failed',
          events: [event('Pulled'), event('InsufficientCapacity', 'None.')],
        }),
      ),
      'None.',
    ],
    [
      'the newest word of ACI about a failed provisioning',
      message(group({ ...idle, provisioningState: 'Failed', events: [event('Odd', 'New.'), event('Odd', 'Old.')] })),
      'New.',
    ],
    ['that ACI gives no reason', message(group({ ...idle, provisioningState: 'Failed' })), 'ACI gives no reason.'],
    [
      'code and detail of an end',
      message(ended({ exitCode: 3, detail: 'Error', restartCount: 2 })),
      'The container ended with exit code 3 (Error); restarted 2 times.',
    ],
    [
      'a code without detail',
      message(ended({ exitCode: 3, detail: '' })),
      'The container ended with exit code 3; restarted 0 times.',
    ],
    [
      'one restart',
      message(ended({ exitCode: 3, restartCount: 1 })),
      'The container ended with exit code 3; restarted once.',
    ],
    [
      'the health check that ACI killed it for',
      message(killed([killing(at + 9), unhealthy(at + 9), event('Started', '', at)])),
      'The container ended with exit code 137 (CrashLoopBackOff) after its health check failed: Liveness probe failed: HTTP 500; restarted 2 times.',
    ],
    [
      'no health check of a kill that nothing explains',
      message(killed([unhealthy(at + 9), event('Started', '', at)])),
      'The container ended with exit code 137 (CrashLoopBackOff); restarted 2 times.',
    ],
    [
      'no health check that failed long before the kill',
      message(killed([killing(at + 60_000), unhealthy(at + 9), event('Started', '', at)])),
      'The container ended with exit code 137 (CrashLoopBackOff); restarted 2 times.',
    ],
    [
      'no kill of the run before',
      message(killed([event('Started', '', at + 10), killing(at + 9), unhealthy(at + 9)])),
      'The container ended with exit code 137 (CrashLoopBackOff); restarted 2 times.',
    ],
    [
      'no kill where it ended by itself',
      message(killed([killing(at + 9), unhealthy(at + 9)], 1)),
      'The container ended with exit code 1 (CrashLoopBackOff); restarted 2 times.',
    ],
    ['an end without a code', message(ended({ exitCode: null })), 'The container stopped; restarted 0 times.'],
    [
      'the policy that keeps it down',
      message(ended({ exitCode: 0 }), aTemplate({ restartPolicy: 'Never' })),
      'The container ended with exit code 0; restart policy Never keeps it down.',
    ],
    ['nothing of a container that merely waits', message(group({ container: aContainer({ state: 'Waiting' }) })), null],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });
});

describe('near misses', () => {
  it.each<[string, SeenGroup, ServiceTemplate, string]>([
    ['an empty address is none', group({ ip: '' }, 'passed'), aTemplate(), 'unfit null'],
    [
      'a group that found capacity after all',
      group({ provisioningState: 'Failed', events: [event('InsufficientCapacity.')] }, 'passed'),
      aTemplate(),
      'fit',
    ],
    [
      'a group that failed and runs, though nobody says since when',
      group({ provisioningState: 'Failed', container: aContainer({ startedAt: null }) }, 'passed'),
      aTemplate(),
      'fit',
    ],
    [
      'what waits is not ready, however long ago it started',
      group({ container: aContainer({ state: 'Waiting' }) }),
      quiet,
      'unfit null',
    ],
    [
      'a word about an image that is no failure',
      group({ ...idle, events: [event('Odd', 'about an image')] }),
      aTemplate(),
      'unfit null',
    ],
    ['without ports it needs no address', group({ ip: null }, 'passed'), aTemplate({ ports: [] }), 'fit'],
    [
      'a pull that went well after all is forgotten once the container was created',
      group({ ...idle, events: [event('Created'), event('Failed', 'Failed to pull image "x"')] }),
      aTemplate(),
      'unfit null',
    ],
    [
      'and once it was started',
      group({ ...idle, events: [event('Started'), event('Failed', 'Failed to pull image "x"')] }),
      aTemplate(),
      'unfit null',
    ],
    [
      'and once the image was pulled',
      group({ ...idle, events: [event('Pulled'), event('Failed', 'Failed to pull image "x"')] }),
      aTemplate(),
      'unfit null',
    ],
    [
      'other events do not stand between',
      group({ ...idle, events: [event('Odd', 'about an image'), event('Failed', 'Failed to pull image "x"')] }),
      aTemplate(),
      'dead ImagePullFailed',
    ],
    [
      'a failed provisioning of what ran before is a crash',
      group({ ...idle, provisioningState: 'Failed', container: aContainer({ state: 'Terminated', exitCode: 1 }) }),
      aTemplate(),
      'unfit ContainerCrashed',
    ],
    [
      'a running container that ended once is not kept down',
      group({ container: aContainer({ exitCode: 0 }) }, 'passed'),
      aTemplate({ restartPolicy: 'Never' }),
      'fit',
    ],
    [
      'a running container that was restarted is judged by its probe',
      group({ container: aContainer({ exitCode: 1, restartCount: 1 }) }, 'passed'),
      aTemplate(),
      'fit',
    ],
  ])('%s', (_, one, template, expected) => {
    expect(verdict(one, template)).toBe(expected);
  });

  it.each<[string, GroupEvent[], Partial<ReturnType<typeof aContainer>>, number, string]>([
    ['events of other names do not disturb', [event('Pulled', '', at + 9_000)], {}, 10_000, 'fit'],
    ['an Unhealthy event without a time counts from the start', [event('Unhealthy', '', null)], {}, 10_000, 'fit'],
    ['an Unhealthy event of the very start is none since', [event('Unhealthy', '', at)], {}, 9_999, 'unfit null'],
    ['a start nobody knows the time of is now', [], { startedAt: null }, 60_000, 'unfit null'],
  ])('without a network probe: %s', (_, events, container, afterMs, expected) => {
    expect(verdict(group({ events, container: aContainer(container) }), quiet, at + afterMs)).toBe(expected);
  });

  it('says when a quiet time after an Unhealthy event ends', () => {
    const seenGroup = group({ events: [event('Unhealthy', '', at + 5_000)] });
    expect(conditionOf(seenGroup, quiet, at + 6_000)).toMatchObject({ lookAt: at + 15_000 });
  });
});

describe('the health check that a killed container failed', () => {
  const killedAt = at + 100_000;
  const check = (name: string, failedAt: number | null) => event('Unhealthy', `Check ${name}.`, failedAt);
  const told = (events: readonly GroupEvent[], over: Partial<ReturnType<typeof aContainer>> = {}) =>
    restartOf(group({ events, container: aContainer({ state: 'Waiting', exitCode: 137, ...over }) }).group, 1).message;
  const killing = event('Killing', '', killedAt);
  const withCheck = (name: string) =>
    `The container was restarted once; it ended with exit code 137 after its health check failed: Check ${name}.`;
  const without = 'The container was restarted once; it ended with exit code 137.';

  it.each<[string, string, string]>([
    ['failed right before', told([killing, check('A', killedAt)]), withCheck('A')],
    ['failed as long before as a kill may take', told([killing, check('A', killedAt - 30_000)]), withCheck('A')],
    ['failed too long before', told([killing, check('A', killedAt - 30_001)]), without],
    ['failed again since', told([check('B', killedAt + 1), killing, check('A', killedAt - 1)]), withCheck('A')],
    ['failed at a time that nobody knows', told([killing, check('A', null)]), without],
    [
      'failed before the run that runs now',
      told([event('Started', '', killedAt + 5_000), killing, check('A', killedAt - 1)], { state: 'Running' }),
      withCheck('A'),
    ],
    [
      'failed before another run that is over too',
      told([event('Started', '', killedAt + 5_000), killing, check('A', killedAt - 1)]),
      without,
    ],
    [
      'failed, and the next run began at that instant',
      told([event('Started', '', killedAt), killing, check('A', killedAt - 1)]),
      withCheck('A'),
    ],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });

  it('counts for both ways of killing, and for no other end', () => {
    const events = [killing, check('A', killedAt)];
    expect(told(events, { exitCode: 143 })).toContain('exit code 143 after its health check failed: Check A.');
    expect(told(events, { exitCode: 142 })).toContain('exit code 142.');
    expect(told(events, { exitCode: 144 })).toContain('exit code 144.');
  });
});

it.each([null, '', '0.0.0.0'])('%j is no address', (ip) => {
  expect(addressOf(ip)).toBeNull();
});
