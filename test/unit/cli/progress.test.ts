import { describe, expect, it } from 'vitest';
import { progressOf, teardownProgress } from '../../../src/cli/progress.ts';
import type { AppResource, EventResource } from '../../../src/model/api.ts';
import { anApp, anEvent, aReplica, aService } from '../../support/cli-fixture.ts';

const planned = (slot: number, incarnation: number): EventResource =>
  anEvent({ type: 'ReplicaPlanned', replica: `web/${slot}/${incarnation}` });
const failed = (slot: number, incarnation: number): EventResource =>
  anEvent({ type: 'ReplicaFailed', replica: `web/${slot}/${incarnation}`, message: `no image ${incarnation}` });
const attempts = (slot: number, numbers: readonly number[]) =>
  numbers.flatMap((number) => [planned(slot, number), failed(slot, number)]);

const converging = (over: Parameters<typeof aService>[0]): AppResource =>
  anApp({ converged: false, observedGeneration: 0, serviceList: [aService({ converged: false, ...over })] });
const crashing = (over: Parameters<typeof aReplica>[0]): AppResource =>
  converging({ revision: 2, replicas: [aReplica({ state: 'starting', message: 'exit 1', revision: 2, ...over })] });

interface Row {
  readonly name: string;
  readonly app: AppResource | null;
  readonly events?: readonly EventResource[];
  readonly expected: string;
}

describe('whether `up` has something to wait for', () => {
  it.each<Row>([
    { name: 'converged at the generation: done', app: anApp(), expected: 'converged' },
    { name: 'converged at an older generation: waits', app: anApp({ observedGeneration: 0 }), expected: 'waiting' },
    {
      name: 'converged at a newer generation, by a later command: done',
      app: anApp({ generation: 5, observedGeneration: 5 }),
      expected: 'converged',
    },
    { name: 'not converged: waits', app: converging({}), expected: 'waiting' },
    {
      name: 'the app is being deleted: pointless',
      app: anApp({ state: 'deleting', converged: false }),
      expected: 'the app was deleted by another command.',
    },
    { name: 'the app is unknown: pointless', app: null, expected: 'the app was deleted by another command.' },
    {
      name: 'two failures of one slot: waits',
      app: converging({}),
      events: attempts(0, [1, 2]),
      expected: 'waiting',
    },
    {
      name: 'three failures of one slot: pointless',
      app: converging({}),
      events: attempts(0, [1, 2, 3]),
      expected: 'web/0 failed 3 times: no image 3',
    },
    {
      name: 'one failure each of three slots: waits',
      app: converging({}),
      events: [...attempts(0, [1]), ...attempts(1, [2]), ...attempts(2, [3])],
      expected: 'waiting',
    },
    {
      name: 'failures of incarnations from before the command: waits',
      app: converging({}),
      events: [failed(0, 1), failed(0, 2), failed(0, 3)],
      expected: 'waiting',
    },
    {
      name: 'three failures of a service that is converged by now: waits for the others',
      app: anApp({ converged: false, observedGeneration: 0 }),
      events: attempts(0, [1, 2, 3]),
      expected: 'waiting',
    },
    { name: 'two restarts in place: waits', app: crashing({ restartCount: 2 }), expected: 'waiting' },
    {
      name: 'three restarts in place: pointless',
      app: crashing({ restartCount: 3 }),
      expected: 'web/0 was restarted 3 times: exit 1',
    },
    {
      name: 'restarts of the revision that is being replaced: waits',
      app: crashing({ restartCount: 9, revision: 1 }),
      expected: 'waiting',
    },
    {
      name: 'restarts of a replica that is leaving: waits',
      app: crashing({ restartCount: 9, state: 'draining' }),
      expected: 'waiting',
    },
    {
      name: 'old restarts of a ready replica: waits',
      app: crashing({ restartCount: 9, state: 'ready' }),
      expected: 'waiting',
    },
  ])('$name', ({ app, events = [], expected }) => {
    const progress = progressOf(app, 1, events);
    expect(progress.state === 'failing' ? progress.why : progress.state).toBe(expected);
  });
});

describe('whether `down` has something to wait for', () => {
  it.each([
    { name: 'deleting: waits', app: anApp({ state: 'deleting' }), expected: 'waiting' },
    { name: 'deleted: done', app: anApp({ state: 'deleted' }), expected: 'converged' },
    { name: 'absent: done', app: null, expected: 'converged' },
  ])('$name', ({ app, expected }) => {
    expect(teardownProgress(app).state).toBe(expected);
  });
});
