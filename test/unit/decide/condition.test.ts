import { describe, expect, it } from 'vitest';
import { conditionOf, type SeenGroup } from '../../../src/decide/condition.ts';
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
      'unfit null',
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
      'a crash loop',
      group({ container: aContainer({ state: 'Waiting', exitCode: 1, restartCount: 2 }) }),
      'unfit ContainerCrashed',
    ],
    ['a passing probe', group({}, 'passed'), 'fit'],
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
    ['Never', 7147, 'unfit ContainerCrashed'],
    ['Never', 7148, 'unfit ContainerCrashed'],
    ['Never', null, 'unfit ContainerCrashed'],
  ])('restart policy %s after exit code %s', (restartPolicy, exitCode, expected) => {
    const ended = group({ container: aContainer({ state: 'Terminated', exitCode }) });
    expect(verdict(ended, aTemplate({ restartPolicy }))).toBe(expected);
  });

  it.each<[string, number, GroupEvent[], Partial<ReturnType<typeof aContainer>>, string]>([
    ['before its time', 9_999, [], {}, 'unfit null'],
    ['at its time', 10_000, [], {}, 'fit'],
    ['with an Unhealthy event since', 12_000, [event('Unhealthy', '', at + 5_000)], {}, 'unfit ProbeFailed'],
    ['once the Unhealthy event is as old as that', 15_000, [event('Unhealthy', '', at + 5_000)], {}, 'fit'],
    ['with an Unhealthy event of the run before', 10_000, [event('Unhealthy', '', at - 5_000)], {}, 'fit'],
    ['after a restart', 12_000, [], { startedAt: at + 5_000, restartCount: 1 }, 'unfit ContainerCrashed'],
  ])('without a network probe it is ready by quiet time: %s', (_, afterMs, events, container, expected) => {
    expect(verdict(group({ events, container: aContainer(container) }), quiet, at + afterMs)).toBe(expected);
  });

  it('says when time alone will make it ready', () => {
    const condition = conditionOf(group(), quiet, at + 1_000);
    expect(condition).toMatchObject({ kind: 'unfit', lookAt: at + 10_000 });
  });
});
