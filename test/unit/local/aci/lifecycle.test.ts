/** The course of a container group in virtual time: provisioning, crashes and back-off, probes, maintenance. */
import { describe, expect, it } from 'vitest';
import { hangProcess } from '../../../../src/local/aci/container-course.ts';
import type { ContainerRecord, GroupRecord } from '../../../../src/local/aci/model.ts';
import { groupState } from '../../../../src/local/aci/view.ts';
import { armFixture } from '../../../support/arm-fixture.ts';

const main = (group: GroupRecord): ContainerRecord => {
  const [first] = group.containers;
  if (!first) throw new Error('no container');
  return first;
};
const counts = (group: GroupRecord) => Object.fromEntries(main(group).events.map((e) => [e.name, e.count]));
const exec = (command: readonly string[], over: object = {}) => ({
  exec: { command },
  periodSeconds: 10,
  failureThreshold: 3,
  ...over,
});

describe('provisioning', () => {
  it('takes the published 1.5 s: pending, creating with an address, running', () => {
    const arm = armFixture();
    arm.put('g');
    expect(arm.after(0)).toMatchObject({ provisioningState: 'Pending' });
    expect(arm.after(149)).toMatchObject({ provisioningState: 'Pending' });
    expect(arm.after(1)).toMatchObject({ provisioningState: 'Creating', ip: '127.64.0.1' });
    expect(main(arm.after(1_349)).current).toMatchObject({ state: 'Waiting' });
    const running = arm.after(1);
    expect(running).toMatchObject({ provisioningState: 'Succeeded' });
    expect(main(running).current).toEqual({ state: 'Running', startedAt: arm.clock.now });
  });

  it('comes to the same end in one leap as in small steps', () => {
    const spec = {
      containers: [
        {
          env: { STANDIN_CRASH_AFTER_S: '7' },
          livenessProbe: exec(['false'], { periodSeconds: 2, failureThreshold: 2 }),
        },
      ],
    };
    const [leap, steps] = [armFixture(), armFixture()];
    leap.put('g', spec);
    steps.put('g', spec);
    for (let i = 0; i < 2_000; i += 1) steps.after(100);
    expect(leap.after(200_000)).toEqual(steps.after(0));
  });

  it('waits for the slowest container', () => {
    const arm = armFixture();
    arm.put('g', { containers: [{}, { name: 'late', port: 9090, env: { STANDIN_PULL_S: '5' } }] });
    expect(arm.after(1_500)).toMatchObject({ provisioningState: 'Creating' });
    expect(groupState(arm.after(0))).toBe('Pending');
    expect(arm.after(5_000)).toMatchObject({ provisioningState: 'Succeeded' });
  });

  it('retries a pull after 10 s, then twice as long each time', () => {
    const arm = armFixture();
    arm.put('g', { containers: [{ image: 'nobody/nothing' }] });
    const pulls: number[] = [];
    for (let second = 0; second < 80; second += 1) pulls.push(counts(arm.after(1_000))['Pulling'] ?? 0);
    const seconds = pulls.flatMap((count, index) => (count > (pulls[index - 1] ?? 0) ? [index + 1] : []));
    expect(seconds).toEqual([1, 11, 32, 73]);
  });

  it('gives up after 30 minutes on what never gets anywhere', () => {
    const arm = armFixture();
    arm.store.setMeta('faults', [
      { id: 1, act: 'create', times: 1, effect: { kind: 'mishap', mishap: { code: 'Never', message: 'never' } } },
    ]);
    arm.put('g');
    expect(arm.after(1_799_999)).toMatchObject({ provisioningState: 'Creating' });
    expect(arm.after(1)).toMatchObject({ provisioningState: 'Failed' });
  });

  it('gives the lowest free address, and another one per region', () => {
    const arm = armFixture();
    for (const name of ['a', 'b', 'c']) arm.put(name);
    arm.put('west', { location: 'westus2' });
    expect(['a', 'b', 'c', 'west'].map((name) => arm.after(1_500, name).ip)).toEqual([
      '127.64.0.1',
      '127.64.0.2',
      '127.64.0.3',
      '127.65.0.1',
    ]);
    arm.remove('b');
    arm.after(1_000, 'a');
    arm.put('d');
    expect(arm.after(1_500, 'd').ip).toBe('127.64.0.2');
  });
});

describe('an address', () => {
  it('stays through an update, also when a lower one is free by then', () => {
    const arm = armFixture();
    arm.put('a');
    arm.put('g');
    const { ip } = arm.after(1_500);
    arm.remove('a');
    arm.after(1_000);
    expect(arm.put('g').status).toBe(200);
    expect(arm.after(1_500).ip).toBe(ip);
    expect(ip).toBe('127.64.0.2');
  });

  it('answers only on the ports it names', () => {
    const arm = armFixture();
    arm.put('g', { containers: [{}, { name: 'admin', port: 9090 }], exposed: [8080] });
    arm.after(1_500);
    expect(arm.core.endpoints().map(({ port }) => port)).toEqual([8080]);
  });
});

describe('a create reported as failed', () => {
  it('stays failed as an operation when the group runs after all', () => {
    const arm = armFixture();
    const mishap = { code: 'ServiceUnavailable', message: 'Not now.', afterMs: 100, runsAfterMs: 100 };
    arm.store.setMeta('faults', [{ id: 1, times: 1, effect: { kind: 'mishap', mishap } }]);
    arm.put('g');
    const group = arm.after(10_000);
    expect(group).toMatchObject({ provisioningState: 'Succeeded' });
    expect(arm.store.operation(group.operationId)).toMatchObject({
      status: 'Failed',
      error: { code: 'ServiceUnavailable' },
    });
  });
});

describe('crashing', () => {
  const startsWithin = (arm: ReturnType<typeof armFixture>, seconds: number) => {
    const starts: number[] = [];
    let before = -1;
    const from = arm.clock.now;
    for (let i = 0; i < seconds * 10; i += 1) {
      const { current } = main(arm.after(100));
      if (current.state === 'Running' && current.startedAt !== before) {
        before = current.startedAt;
        starts.push((current.startedAt - from) / 1_000);
      }
    }
    return starts;
  };

  it('restarts after 10 s, doubled after every crash, up to 5 minutes', () => {
    const arm = armFixture();
    arm.put('g', { containers: [{ env: { STANDIN_CRASH_AFTER_S: '1' } }] });
    const starts = startsWithin(arm, 1_000);
    const waits = starts.slice(1).map((at, index) => Math.round(at - (starts[index] ?? 0) - 1));
    expect(waits).toEqual([10, 20, 40, 80, 160, 300, 300]);
    expect(main(arm.after(0)).restartCount).toBe(7);
  });

  it('forgets the back-off after a run of ten minutes', () => {
    const arm = armFixture();
    arm.put('g', { containers: [{ env: { STANDIN_CRASH_AFTER_S: '600' } }] });
    const starts = startsWithin(arm, 2_000);
    expect(starts.map(Math.round)).toEqual([2, 612, 1222, 1832]);
  });

  it.each([
    { policy: 'Always', code: 0, restarts: true },
    { policy: 'Always', code: 1, restarts: true },
    { policy: 'OnFailure', code: 0, restarts: false },
    { policy: 'OnFailure', code: 1, restarts: true },
    { policy: 'Never', code: 0, restarts: false },
    { policy: 'Never', code: 1, restarts: false },
  ])('under $policy, exit code $code restarts: $restarts', ({ policy, code, restarts }) => {
    const arm = armFixture();
    const env = { STANDIN_CRASH_AFTER_S: '1', STANDIN_EXIT_CODE: String(code) };
    arm.put('g', { restartPolicy: policy, containers: [{ env }] });
    expect(main(arm.after(60_000)).restartCount > 0).toBe(restarts);
  });

  it('closes the port while the container is down', () => {
    const arm = armFixture();
    arm.put('g', { containers: [{ env: { STANDIN_CRASH_AFTER_S: '5' } }] });
    arm.after(2_000);
    expect(arm.core.endpoints()).toHaveLength(1);
    arm.after(5_000);
    expect(arm.core.endpoints()).toEqual([]);
  });
});

describe('liveness', () => {
  it('kills after the threshold, tells it, and restarts in place on the same address', () => {
    const arm = armFixture();
    arm.put('g', {
      containers: [{ env: { STANDIN_HANG_AFTER_S: '5' }, livenessProbe: exec(['wget', '-q', 'localhost:8080']) }],
    });
    const { ip } = arm.after(1_500);
    const killed = arm.after(30_000);
    expect(counts(killed)).toMatchObject({ Unhealthy: 3, Killing: 1, BackOff: 1 });
    expect(main(killed)).toMatchObject({ current: { state: 'Waiting' }, previous: { exitCode: 137 } });
    const again = arm.after(10_000);
    expect(main(again)).toMatchObject({ restartCount: 1, current: { state: 'Running' } });
    expect(again.ip).toBe(ip);
  });

  it('does not restart under Never', () => {
    const arm = armFixture();
    arm.put('g', { restartPolicy: 'Never', containers: [{ livenessProbe: exec(['false']) }] });
    const group = arm.after(60_000);
    expect(main(group)).toMatchObject({ restartCount: 0, current: { state: 'Terminated', exitCode: 137 } });
    expect(groupState(group)).toBe('Failed');
  });

  it('begins after the initial delay', () => {
    const arm = armFixture();
    arm.put('g', { containers: [{ livenessProbe: exec(['false'], { initialDelaySeconds: 30 }) }] });
    expect(counts(arm.after(1_500 + 29_999))).not.toHaveProperty('Unhealthy');
    expect(counts(arm.after(1))).toMatchObject({ Unhealthy: 1 });
  });

  it('forgives failures below the threshold', () => {
    const arm = armFixture();
    const livenessProbe = { httpGet: { port: 8080, path: '/' }, periodSeconds: 10, failureThreshold: 3 };
    arm.put('g', { containers: [{ env: { STANDIN_START_DELAY_S: '15' }, livenessProbe }] });
    const group = arm.after(600_000);
    expect(counts(group)).toMatchObject({ Unhealthy: 2 });
    expect(main(group).restartCount).toBe(0);
  });

  it('costs nothing while all is well, and notices the moment it is not', () => {
    const arm = armFixture();
    arm.put('g', { containers: [{ livenessProbe: exec(['curl', '-f', 'http://localhost:8080/']) }] });
    arm.after(1_500);
    arm.after(10_000);
    expect(arm.core.nextAt()).toBeUndefined();
    const startedAt = arm.clock.now - 10_000;
    arm.after(3_000);
    arm.core.time.change(arm.after(0).key, arm.clock.now, (draft) => hangProcess(draft, main(draft), arm.clock.now));
    expect(arm.core.nextAt()).toBe(startedAt + 20_000);
    expect(counts(arm.after(7_000))).toMatchObject({ Unhealthy: 1 });
  });

  it('looks once at its next tick, however often the group changed before', () => {
    const arm = armFixture();
    arm.put('g', {
      containers: [
        { env: { STANDIN_UNHEALTHY_AFTER_S: '16' }, livenessProbe: exec(['curl', '-f', 'localhost:8080']) },
        { name: 'a', port: 9090, env: { STANDIN_CRASH_AFTER_S: '13' } },
        { name: 'b', port: 9091, env: { STANDIN_CRASH_AFTER_S: '14' } },
      ],
    });
    expect(counts(arm.after(1_500 + 20_000))).toMatchObject({ Unhealthy: 1 });
  });

  it('sees what another container of the group does: they share localhost', () => {
    const arm = armFixture();
    arm.put('g', {
      containers: [
        { name: 'main', port: 0, image: 'flotilla/worker', livenessProbe: exec(['nc', '-z', 'localhost', '9090']) },
        { name: 'side', port: 9090, env: { STANDIN_CRASH_AFTER_S: '19' } },
      ],
    });
    expect(counts(arm.after(20_000))).not.toHaveProperty('Unhealthy');
    expect(counts(arm.after(10_000))).toHaveProperty('Unhealthy');
  });
});

describe('readiness', () => {
  it('keeps traffic out until it passes, shows only events, and restarts nothing', () => {
    const arm = armFixture();
    const readinessProbe = {
      httpGet: { port: 8080, path: '/' },
      periodSeconds: 5,
      failureThreshold: 1,
      successThreshold: 2,
    };
    arm.put('g', {
      containers: [{ env: { STANDIN_START_DELAY_S: '7', STANDIN_UNHEALTHY_AFTER_S: '60' }, readinessProbe }],
    });
    arm.after(1_500 + 12_000);
    expect(arm.core.endpoints()).toEqual([]);
    const ready = arm.after(4_000);
    expect(arm.core.endpoints()).toHaveLength(1);
    expect(JSON.stringify(arm.request('GET', 'g').json)).not.toContain('"ready"');
    expect(counts(ready)).toMatchObject({ Unhealthy: 2 });
    const sick = arm.after(60_000);
    expect(arm.core.endpoints()).toEqual([]);
    expect(main(sick)).toMatchObject({ restartCount: 0, current: { state: 'Running' } });
  });
});

describe('maintenance', () => {
  it('takes every running container down with 7147 and brings it back, without back-off', () => {
    const arm = armFixture();
    arm.put('g');
    arm.after(5_000);
    arm.core.maintenance(arm.clock.now);
    expect(main(arm.after(0))).toMatchObject({ current: { state: 'Waiting' }, previous: { exitCode: 7147 } });
    const back = arm.after(1_500);
    expect(main(back)).toMatchObject({ restartCount: 1, current: { state: 'Running' }, backoffMs: 10_000 });
    expect(counts(back)).toMatchObject({ Killing: 1 });
  });

  it('leaves a group of policy Never ended', () => {
    const arm = armFixture();
    arm.put('g', { restartPolicy: 'Never' });
    arm.after(5_000);
    arm.core.maintenance(arm.clock.now);
    expect(main(arm.after(60_000)).current).toMatchObject({ state: 'Terminated', exitCode: 7147 });
  });
});

describe('ports that the machine refuses', () => {
  it('become a warning and a closed port, until they can be opened', () => {
    const arm = armFixture();
    arm.put('g', { containers: [{ livenessProbe: exec(['nc', '-z', 'localhost', '8080']) }] });
    const group = arm.after(1_500);
    const where = { groupKey: group.key, container: 'main', port: 8080 };
    arm.core.reportBinding({ ...where, cause: 'Error: cannot listen' }, arm.clock.now);
    expect(main(arm.after(0)).events.at(-1)).toMatchObject({
      name: 'Failed',
      type: 'Warning',
      message: 'Error: cannot listen',
    });
    expect(counts(arm.after(10_000))).toMatchObject({ Unhealthy: 1 });
    arm.core.reportBinding(where, arm.clock.now);
    expect(counts(arm.after(60_000))).toMatchObject({ Unhealthy: 1 });
    expect(main(arm.after(0)).restartCount).toBe(0);
  });

  it('are forgotten with the process that wanted them', () => {
    const arm = armFixture();
    const livenessProbe = exec(['nc', '-z', 'localhost', '8080'], { initialDelaySeconds: 1 });
    arm.put('g', { containers: [{ env: { STANDIN_CRASH_AFTER_S: '100' }, livenessProbe }] });
    const group = arm.after(1_500);
    arm.core.reportBinding({ groupKey: group.key, container: 'main', port: 8080, cause: 'no' }, arm.clock.now);
    const restarted = arm.after(32_000);
    expect(main(restarted)).toMatchObject({ restartCount: 1, unbound: [] });
    expect(counts(arm.after(60_000))).toMatchObject({ Unhealthy: 3 });
  });
});

describe('init containers', () => {
  const sh = (script: string) => ['sh', '-c', script];
  const twoInits = {
    initContainers: [
      { name: 'one', command: sh('sleep 2') },
      { name: 'two', command: sh('sleep 3') },
    ],
  };
  const inits = (group: GroupRecord) => group.initContainers?.map(({ current }) => current.state) ?? [];

  it('come to the same end in one leap as in small steps', () => {
    const spec = { ...twoInits, containers: [{ env: { STANDIN_CRASH_AFTER_S: '7' } }] };
    const [leap, steps] = [armFixture(), armFixture()];
    leap.put('g', spec);
    steps.put('g', spec);
    for (let i = 0; i < 600; i += 1) steps.after(100);
    expect(leap.after(60_000)).toEqual(steps.after(0));
  });

  it('run again, with what they prepare, when the platform moves the group', () => {
    const arm = armFixture();
    arm.put('g', twoInits);
    expect(main(arm.after(60_000)).current).toMatchObject({ state: 'Running' });
    arm.core.maintenance(arm.clock.now);
    expect(inits(arm.after(0))).toEqual(['Waiting', 'Waiting']);
    expect(main(arm.after(0))).toMatchObject({
      current: { detailStatus: 'PodInitializing' },
      previous: { exitCode: 7147 },
    });
    const again = arm.after(60_000);
    expect(main(again).current).toMatchObject({ state: 'Running' });
    expect(again.initContainers?.map(({ restartCount }) => restartCount)).toEqual([1, 1]);
  });

  it('begin with the first one when the platform moves the group while the second one runs', () => {
    const arm = armFixture();
    arm.put('g', twoInits);
    while (inits(arm.after(100)).at(-1) !== 'Running');
    arm.core.maintenance(arm.clock.now);
    expect(inits(arm.after(0))).toEqual(['Waiting', 'Waiting']);
    expect(main(arm.after(60_000)).current).toMatchObject({ state: 'Running' });
  });

  it('leave a group alone that has done its work', () => {
    const arm = armFixture();
    arm.put('g', { ...twoInits, restartPolicy: 'OnFailure', containers: [{ image: 'busybox', port: 0 }] });
    expect(groupState(arm.after(60_000))).toBe('Succeeded');
    arm.core.maintenance(arm.clock.now);
    expect(inits(arm.after(60_000))).toEqual(['Terminated', 'Terminated']);
  });

  it('do not run again when a container of the group is restarted in place', () => {
    const arm = armFixture();
    arm.put('g', { ...twoInits, containers: [{ env: { STANDIN_CRASH_AFTER_S: '1' } }] });
    const later = arm.after(120_000);
    expect(main(later).restartCount).toBeGreaterThan(1);
    expect(later.initContainers?.map(({ restartCount }) => restartCount)).toEqual([0, 0]);
  });

  it.each([
    { restartPolicy: 'Always', again: true },
    { restartPolicy: 'OnFailure', again: true },
    { restartPolicy: 'Never', again: false },
  ])('that fail are tried again under $restartPolicy: $again', ({ restartPolicy, again }) => {
    const arm = armFixture();
    arm.put('g', { restartPolicy, initContainers: [{ command: sh('exit 3') }] });
    const later = arm.after(30_000);
    expect((later.initContainers?.[0]?.restartCount ?? 0) > 0).toBe(again);
    expect(groupState(later)).toBe(again ? 'Pending' : 'Failed');
  });

  it('run again after an update', () => {
    const arm = armFixture();
    arm.put('g', twoInits);
    arm.after(60_000);
    arm.put('g', twoInits);
    expect(inits(arm.after(1_500))).toEqual(['Running', 'Waiting']);
    expect(main(arm.after(60_000)).current).toMatchObject({ state: 'Running' });
  });
});
