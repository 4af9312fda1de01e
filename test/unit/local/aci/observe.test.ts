/** Real containers in the ARM core, without an engine: what is wanted, and what observations, late and repeated ones too, make of a group. */
import { describe, expect, it } from 'vitest';
import { setRegionState } from '../../../../src/local/aci/faults.ts';
import type { ContainerRecord, GroupRecord } from '../../../../src/local/aci/model.ts';
import type { ContainerObservation, Observation } from '../../../../src/local/aci/observe.ts';
import { groupState } from '../../../../src/local/aci/view.ts';
import type { WantedContainer } from '../../../../src/local/aci/wanted.ts';
import { realContainers } from '../../../../src/local/containers/docker/real-containers.ts';
import { createVault } from '../../../../src/local/vault.ts';
import { armFixture, type GroupSpec } from '../../../support/arm-fixture.ts';

const vault = createVault('a key of thirty-two characters or more');

type Seen = ContainerObservation extends infer T ? (T extends unknown ? Omit<T, 'container' | 'run'> : never) : never;

function fixture(spec: GroupSpec = {}) {
  const arm = armFixture({}, realContainers(vault));
  arm.put('g', spec);
  arm.after(1_500);
  const record = (): GroupRecord => arm.after(0);
  const main = (): ContainerRecord => record().containers[0] as ContainerRecord;
  const wanted = () => arm.core.wanted()[0];
  const container = (): WantedContainer => wanted()?.containers[0] as WantedContainer;
  const observe = (observation: Observation) => arm.core.observe(record().uid, observation, arm.clock.now);
  const see = (seen: Seen, run = main().run) => observe({ container: 'main', run, ...seen } as Observation);
  const end = (exitCode: number, outOfMemory = false) => {
    const now = arm.clock.now;
    return { kind: 'ended', end: { startedAt: now, finishedAt: now, exitCode, outOfMemory } } as const;
  };
  /** Pulled and started. */
  const run = () => {
    see({ kind: 'imageReady' });
    see({ kind: 'started', at: arm.clock.now });
  };
  return { arm, record, main, wanted, container, observe, see, end, run };
}

const counts = (one: ContainerRecord) => Object.fromEntries(one.events.map(({ name, count }) => [name, count]));

describe('a real container', () => {
  it('is wanted step by step: its image, its first run, that run to stay', () => {
    const { container, see, arm, record, main } = fixture();
    expect(container()).toMatchObject({ need: 'image', run: 0, seen: false });
    arm.after(60_000);
    expect(container()).toMatchObject({ need: 'image' });
    see({ kind: 'imageReady' });
    expect(container()).toMatchObject({ need: 'run', run: 1, seen: false });
    expect(record()).toMatchObject({ provisioningState: 'Creating' });
    see({ kind: 'started', at: arm.clock.now });
    expect(container()).toMatchObject({ need: 'run', run: 1, seen: true });
    expect(record()).toMatchObject({ provisioningState: 'Succeeded' });
    expect(counts(main())).toEqual({ Pulling: 1, Pulled: 1, Created: 1, Started: 1 });
  });

  it('is given its command, its environment with secure values, and its limits or else its requests', () => {
    const spec = { env: { A: 'b' }, command: ['run', 'it'] };
    const { container } = fixture({ containers: [spec] });
    const limits = { cpuCores: 1, memoryGiB: 1 };
    expect(container().process).toEqual({ command: ['run', 'it'], environment: { A: 'b' }, mounts: [], ...limits });
  });

  it('fails to be pulled in the engine’s words, and is pulled again after 10 s', () => {
    const { container, see, arm, record, main } = fixture();
    see({ kind: 'imageFailed', cause: 'no such host' });
    expect(record()).toMatchObject({ provisioningState: 'Failed' });
    expect(main().events.at(-2)?.message).toBe('Failed to pull image "flotilla/http": no such host');
    expect(container().need).toBe('nothing');
    arm.after(10_000);
    expect(container().need).toBe('image');
  });

  it('is wanted again as another run after its back-off', () => {
    const { container, see, end, run, arm, main } = fixture();
    run();
    see(end(3));
    expect(main()).toMatchObject({ previous: { exitCode: 3 }, current: { detailStatus: 'CrashLoopBackOff' } });
    expect(container().need).toBe('nothing');
    arm.after(10_000);
    expect(container()).toMatchObject({ need: 'run', run: 2, seen: false });
    expect(main().restartCount).toBe(0);
    see({ kind: 'started', at: arm.clock.now });
    expect(main().restartCount).toBe(1);
  });

  it('may end before anybody saw it run', () => {
    const { see, end, main, record } = fixture({ restartPolicy: 'Never' });
    see({ kind: 'imageReady' });
    see(end(0));
    expect(main().current).toMatchObject({ state: 'Terminated', exitCode: 0, detailStatus: 'Completed' });
    expect(counts(main())).toMatchObject({ Started: 1 });
    expect(groupState(record())).toBe('Succeeded');
  });

  it.each([
    { outOfMemory: true, word: 'OOMKilled' },
    { outOfMemory: false, word: 'Error' },
  ])('that was killed shows $word when out of memory: $outOfMemory', ({ outOfMemory, word }) => {
    const { see, end, run, main } = fixture({ restartPolicy: 'Never' });
    run();
    see(end(137, outOfMemory));
    expect(main().current).toMatchObject({ exitCode: 137, detailStatus: word });
  });

  it('that cannot start counts as a run that ended at once with 127', () => {
    const { see, main, record } = fixture();
    see({ kind: 'imageReady' });
    see({ kind: 'startFailed', cause: 'no such program' });
    expect(main()).toMatchObject({
      previous: { exitCode: 127, detailStatus: 'ContainerCannotRun' },
      current: { state: 'Waiting' },
    });
    expect(main().events.map(({ message }) => message)).toContain(
      'Error: failed to start container "main": no such program',
    );
    expect(record()).toMatchObject({ provisioningState: 'Succeeded' });
  });

  const late: readonly { what: string; observation: (run: number) => Observation }[] = [
    { what: 'started', observation: (run) => ({ container: 'main', run, kind: 'started', at: 1 }) },
    { what: 'imageReady', observation: (run) => ({ container: 'main', run, kind: 'imageReady' }) },
    { what: 'imageFailed', observation: (run) => ({ container: 'main', run, kind: 'imageFailed', cause: 'x' }) },
    { what: 'startFailed', observation: (run) => ({ container: 'main', run, kind: 'startFailed', cause: 'x' }) },
    {
      what: 'probed',
      observation: (run) => ({ container: 'main', run, kind: 'probed', probe: 'liveness', asked: 1, problem: 'x' }),
    },
    { what: 'removed', observation: () => ({ kind: 'removed' }) },
  ];
  it.each(late)('that runs is not moved by a late $what', ({ observation }) => {
    const { observe, run, record } = fixture();
    run();
    const before = structuredClone(record());
    observe(observation(1));
    expect(record()).toEqual(before);
  });

  it('is not moved by the end of an earlier run, of another container, or of another group', () => {
    const { see, observe, end, run, arm, record } = fixture();
    run();
    see(end(1));
    arm.after(10_000);
    see({ kind: 'started', at: arm.clock.now });
    const before = structuredClone(record());
    see(end(9), 1);
    observe({ container: 'other', run: 2, ...end(9) });
    arm.core.observe('nobody', { container: 'main', run: 2, ...end(9) }, arm.clock.now);
    expect(record()).toEqual(before);
  });

  it('goes on counting its runs over an update, so that no end of an old run is taken for that of a new one', () => {
    const { see, end, run, arm, container, main } = fixture();
    run();
    arm.put('g');
    expect(container()).toMatchObject({ need: 'nothing', run: 1 });
    arm.after(1_500);
    see({ kind: 'imageReady' });
    expect(container()).toMatchObject({ need: 'run', run: 2 });
    see({ kind: 'started', at: arm.clock.now });
    see(end(137), 1);
    expect(main()).toMatchObject({ current: { state: 'Running' }, previous: { exitCode: 137 } });
  });

  it('is stopped in its tracks on demand', () => {
    const { run, container, arm, record } = fixture();
    run();
    const control = arm.control('POST', '/control/groups/g/containers/main/hang');
    expect(control.status).toBe(204);
    expect(container().frozen).toBe(true);
    expect(record().containers[0]?.current.state).toBe('Running');
  });
});

describe('a probe of a real container', () => {
  const exec = { exec: { command: ['true'] }, periodSeconds: 10, initialDelaySeconds: 5, failureThreshold: 2 };

  it('is asked once, and again a period after its answer, however well it goes', () => {
    const { run, see, container, arm } = fixture({ containers: [{ livenessProbe: exec }] });
    run();
    expect(container().probes).toEqual([]);
    arm.after(5_000);
    const [question] = container().probes;
    expect(question).toMatchObject({ kind: 'liveness', asked: arm.clock.now, test: { exec: ['true'] } });
    arm.after(60_000);
    expect(container().probes).toEqual([question]);
    see({ kind: 'probed', probe: 'liveness', asked: question?.asked ?? 0 });
    expect(container().probes).toEqual([]);
    arm.after(10_000);
    expect(container().probes).toHaveLength(1);
  });

  it('kills after the threshold, and the next run is asked anew', () => {
    const { run, see, container, arm, main } = fixture({ containers: [{ livenessProbe: exec }] });
    run();
    arm.after(5_000);
    for (const wait of [10_000, 0]) {
      see({ kind: 'probed', probe: 'liveness', asked: container().probes[0]?.asked ?? 0, problem: 'no' });
      arm.after(wait);
    }
    expect(counts(main())).toMatchObject({ Unhealthy: 2, Killing: 1, BackOff: 1 });
    expect(container()).toMatchObject({ need: 'nothing', probes: [] });
    arm.after(10_000);
    see({ kind: 'started', at: arm.clock.now });
    expect(container()).toMatchObject({ run: 2, probes: [] });
  });
});

describe('a real group', () => {
  it('is wanted at its address until it is deleted, and is gone when nothing is left of it', () => {
    const { arm, run, wanted, observe } = fixture();
    run();
    expect(wanted()).toMatchObject({ address: '127.64.0.1', deleting: false, cutOff: false });
    arm.remove('g');
    arm.after(600_000);
    expect(wanted()).toMatchObject({ deleting: true });
    observe({ kind: 'removed' });
    expect(arm.core.wanted()).toEqual([]);
    expect(arm.request('GET', 'g').status).toBe(404);
  });

  it('that is stopped is wanted no more, and gives its address up once nothing of it is left', () => {
    const { arm, run, wanted, observe, record } = fixture();
    run();
    expect(arm.request('POST', 'g/stop').status).toBe(204);
    arm.after(600_000);
    expect(wanted()).toMatchObject({ stopped: true, deleting: false, address: '127.64.0.1' });
    expect(record()).toMatchObject({ provisioningState: 'Updating' });
    observe({ kind: 'removed' });
    observe({ kind: 'removed' });
    expect(record()).toMatchObject({ provisioningState: 'Succeeded', stopped: 'Stopped', formerIp: '127.64.0.1' });
    expect(record().ip).toBeUndefined();
  });

  it('begins again at once when its host is lost, and blames no container', () => {
    const { arm, run, observe, main, container } = fixture();
    run();
    observe({ kind: 'hostLost' });
    expect(main()).toMatchObject({ previous: { exitCode: 7147 }, backoffMs: 10_000 });
    arm.after(1_500);
    expect(container()).toMatchObject({ need: 'run', run: 2 });
  });

  it('tells what the engine refuses', () => {
    const { observe, record } = fixture();
    observe({ kind: 'trouble', message: 'Error: no space left on device' });
    observe({ kind: 'trouble', message: 'Error: no space left on device' });
    expect(record().events).toMatchObject([{ name: 'Failed', type: 'Warning', count: 2 }]);
  });

  it('is cut off with its region', () => {
    const { arm, wanted } = fixture();
    setRegionState(arm.store, 'eastus', { containersDown: true });
    expect(wanted()).toMatchObject({ cutOff: true });
  });

  it('of the same name is another one: nothing of the first is taken for it', () => {
    const { arm, record, run, wanted } = fixture();
    run();
    const { uid } = record();
    arm.remove('g');
    arm.core.observe(uid, { kind: 'removed' }, arm.clock.now);
    arm.put('g');
    expect(wanted()?.uid).not.toBe(uid);
    arm.put('h');
    arm.after(1_500);
    arm.core.observe(uid, { kind: 'hostLost' }, arm.clock.now);
    expect(record()).toMatchObject({ provisioningState: 'Creating' });
  });

  it('draws its address from the one block that its engine has', () => {
    const arm = armFixture({ addresses: { first: '10.1.2.254', count: 4 } }, realContainers(vault));
    for (const [name, location] of [
      ['a', 'eastus'],
      ['b', 'westus2'],
      ['c', 'eastus'],
    ] as const) {
      arm.put(name, { location });
    }
    expect(['a', 'b', 'c'].map((name) => arm.after(1_500, name).ip)).toEqual(['10.1.2.254', '10.1.3.1', undefined]);
  });
});

it('a model is not asked what is wanted of it', () => {
  const arm = armFixture();
  arm.put('g');
  arm.after(1_500);
  expect(arm.core.wanted()).toEqual([]);
});

describe('a real group with an init container', () => {
  const needs = (wanted: readonly WantedContainer[] = []) => wanted.map(({ name, need }) => `${name}: ${need}`);
  const initialised = () => {
    const all = fixture({ initContainers: [{ name: 'init' }] });
    const { arm, record, observe } = all;
    const seeInit = (seen: Seen) => {
      const run = record().initContainers?.[0]?.run ?? 0;
      observe({ container: 'init', run, ...seen } as Observation);
    };
    seeInit({ kind: 'imageReady' });
    seeInit({ kind: 'started', at: arm.clock.now });
    seeInit(all.end(0));
    arm.after(0);
    return all;
  };

  it('wants its containers once what prepares them is done', () => {
    const { wanted, see } = initialised();
    expect(needs(wanted()?.containers)).toEqual(['init: nothing', 'main: image']);
    see({ kind: 'imageReady' });
    expect(needs(wanted()?.containers)).toEqual(['init: nothing', 'main: run']);
  });

  it('prepares again before anything starts when its host is lost while a container is on its way', () => {
    const { wanted, see, observe, arm } = initialised();
    see({ kind: 'imageReady' });
    observe({ kind: 'hostLost' });
    expect(needs(wanted()?.containers)).toEqual(['init: nothing', 'main: nothing']);
    arm.after(1_500);
    expect(needs(wanted()?.containers)).toEqual(['init: image', 'main: nothing']);
  });
});

describe('a real group that is moved to another host', () => {
  it.each([
    { by: 'maintenance', fault: 'maintenance', spot: false },
    { by: 'an eviction', fault: 'evict-spot', spot: true },
  ])('by $by leaves what it had in its volumes', ({ fault, spot }) => {
    const { arm, run, wanted } = fixture(spot ? { spot, exposed: [] } : {});
    run();
    expect(wanted()).toMatchObject({ host: 0 });
    arm.fault(fault);
    expect(wanted()).toMatchObject({ host: 1, containers: [{ need: 'nothing' }] });
    arm.after(60_000);
    expect(wanted()).toMatchObject({ host: 1, containers: [{ need: 'run', run: 2 }] });
  });

  it('keeps them over a restart in place and an update', () => {
    const { arm, run, end, see, wanted } = fixture();
    run();
    see(end(1));
    expect(wanted()).toMatchObject({ host: 0 });
    arm.fault('maintenance');
    arm.put('g', {});
    expect(wanted()).toMatchObject({ host: 1 });
  });
});

describe('what a real container uses', () => {
  const usage = { cpuMillicores: 120, memoryBytes: 5, receivedBytesPerS: 1, transmittedBytesPerS: 2 };

  it('is kept as it was measured, from its start on, until it ends', () => {
    const { arm, run, see, end, main } = fixture();
    run();
    const startedAt = arm.clock.now;
    arm.after(30_000);
    see({ kind: 'used', from: startedAt - 700, usage });
    expect(main().usage).toEqual([{ at: startedAt, usage }]);
    see(end(1));
    see({ kind: 'used', from: startedAt + 30_000, usage });
    expect(main().usage).toEqual([
      { at: startedAt, usage },
      { at: startedAt + 30_000, usage: null },
    ]);
  });

  it('is shown minute by minute, a minute late', () => {
    const { arm, run, see } = fixture();
    run();
    for (let minute = 0; minute < 3; minute += 1) {
      see({ kind: 'used', from: arm.clock.now, usage: { ...usage, cpuMillicores: 100 * (minute + 1) } });
      arm.after(60_000);
    }
    const path = `${arm.after(0).id}/providers/Microsoft.Insights/metrics`;
    const query =
      'api-version=2018-01-01&metricnames=CpuUsage,NetworkBytesReceivedPerSecond,NetworkBytesTransmittedPerSecond';
    const request = { method: 'GET', url: `${path}?${query}`, headers: { host: 'arm' }, body: '' };
    const { value } = JSON.parse(arm.core.handle(request, arm.clock.now, () => 0).body) as {
      value: { timeseries: { data: { average?: number }[] }[] }[];
    };
    const last = value.map(({ timeseries }) => timeseries[0]?.data.flatMap(({ average }) => average ?? []));
    expect(last).toEqual([
      [100, expect.closeTo(197.5, 5)],
      [1, 1],
      [2, 2],
    ]);
  });
});
