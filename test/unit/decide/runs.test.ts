/** What a pass does about the runs of a service: when one is placed, when it is over and with what, and what follows. */
import { describe, expect, it } from 'vitest';
import { isConverged, isIdle } from '../../../src/decide/converged.ts';
import { groupName, groupSpec, ownerOf } from '../../../src/decide/group-spec.ts';
import { reconcile } from '../../../src/decide/reconcile.ts';
import { templateOf } from '../../../src/decide/run-template.ts';
import type { Plan } from '../../../src/model/plan.ts';
import type { RunFacts, RunRow } from '../../../src/model/run.ts';
import type { Observation, ServiceSnapshot } from '../../../src/model/snapshot.ts';
import type { GuardRow, ReplicaRow } from '../../../src/model/state.ts';
import { revisionHash } from '../../../src/spec/revision.ts';
import { aGuard, anApp, aPool, aService, aTemplate, at } from '../../support/rows.ts';
import { aContainer, aSnapshot, identity, inState, seen } from '../../support/snapshots.ts';

const hourMs = 3_600_000;
const facts = (over: Partial<RunFacts> = {}): RunFacts => ({
  operation: 'op-1',
  name: null,
  program: ['node', 'migrate.js'],
  environment: {},
  deadlineAt: at + hourMs,
  canceled: false,
  startedAt: null,
  end: null,
  ...over,
});
const aRun = (state: ReplicaRow['state'], run: Partial<RunFacts> = {}, over: Partial<ReplicaRow> = {}): RunRow => {
  const placed = state === 'planned' ? { pool: '', group: '' } : {};
  return {
    ...inState(state, { slot: 10_007, incarnation: 7, ports: [], endpoint: false, ...placed, ...over }),
    run: facts(run),
  };
};
const guard = (over: Partial<GuardRow> = {}) =>
  aGuard({ workflow: 'deployment:shop.web:1', epoch: 1, desired: 0, nextIncarnation: 10, ...over });
const look = (run: RunRow, container: Parameters<typeof aContainer>[0] | null, over: object = {}): Observation =>
  seen(run, { container: container === null ? null : aContainer(container), ip: null, ...over });

function plan(run: RunRow, over: Partial<ServiceSnapshot> = {}, now = at, ...more: readonly Observation[]): Plan {
  const observations = new Map(more.map((one) => [`${run.slot}/${run.incarnation}`, one]));
  return reconcile(aSnapshot({ guard: guard(), replicas: [run], observations, ...over }), now);
}
const endOf = (made: Plan) => (made.replicas[0]?.row as RunRow | undefined)?.run.end;

describe('a run that waits', () => {
  it('is placed, claimed and created in one pass, though its service wants no replicas', () => {
    const made = plan(aRun('planned'));
    expect(made.replicas).toMatchObject([
      {
        insert: false,
        row: {
          state: 'creating',
          pool: 'east',
          group: groupName(identity, { service: 'web', slot: 10_007, incarnation: 7 }),
        },
      },
    ]);
    expect(made.steps).toMatchObject([{ kind: 'createGroup', slot: 10_007, incarnation: 7, attempt: 'attempt-45' }]);
    expect(made.replicas[0]?.events.map(({ type }) => type)).toEqual(['ReplicaPlanned']);
    expect(made).toMatchObject({ done: false, guard: { nextIncarnation: 10, observedGeneration: 1 } });
  });

  it('says why while no pool has room, and is tried again', () => {
    const made = plan(aRun('planned'), { pools: [aPool({ quota: { groups: 0, cores: 0 } })] });
    expect(made.replicas).toMatchObject([{ row: { state: 'planned', reason: 'NoPoolWithRoom' } }]);
    expect(made).toMatchObject({ steps: [], done: false, wakeAt: at + 30_000 });
  });

  it('gets only what the replicas of the same pass leave', () => {
    const made = plan(aRun('planned'), {
      guard: guard({ desired: 1 }),
      pools: [aPool({ quota: { groups: 1, cores: 10 } })],
    });
    expect(made.replicas.map(({ row }) => `${row.slot} ${row.state}`)).toEqual(['0 creating', '10007 planned']);
  });

  it('does not take the place of a replica, whatever its slot, nor is it surplus', () => {
    const replicas = [inState('ready'), aRun('starting', {}, { stateAt: at })];
    expect(plan(aRun('starting'), { guard: guard({ desired: 1 }), replicas }).replicas).toEqual([]);
  });

  it('is left alone while its app is frozen', () => {
    expect(plan(aRun('planned'), { frozen: true })).toMatchObject({ replicas: [], steps: [] });
  });

  it('ignores what keeps replicas of its service away from each other', () => {
    const placement = {
      constraints: [],
      spread: [],
      limits: [],
      affinity: [{ service: 'web', topology: 'pool', anti: true, required: true }],
    };
    const app = anApp('shop', [aService('web', { placement: placement as never })]);
    const pools = [aPool({ reservations: [{ owner: 'shop/web/0/1', cores: 1, at }] })];
    expect(plan(aRun('planned'), { app, pools }).replicas).toMatchObject([{ row: { pool: 'east' } }]);
  });
});

describe('a run is over', () => {
  const run = aRun('starting');
  it.each<{
    name: string;
    run?: RunRow;
    seen?: Observation;
    over?: Partial<ServiceSnapshot>;
    now?: number;
    end: object;
  }>([
    {
      name: 'when its program ends',
      seen: look(run, { state: 'Terminated', exitCode: 0 }),
      end: { exitCode: 0, reason: null },
    },
    {
      name: 'with the code of its program',
      seen: look(run, { state: 'Terminated', exitCode: 42 }),
      end: { exitCode: 42 },
    },
    {
      name: 'with its first code, though ACI has started it again',
      seen: look(run, { state: 'Running', exitCode: 3, restartCount: 1 }),
      end: { exitCode: 3 },
    },
    {
      name: 'when its image cannot be pulled',
      seen: look(run, null, {
        events: [{ name: 'Failed', type: 'Warning', message: 'Failed to pull image', count: 1, lastAt: at }],
      }),
      end: { exitCode: null, reason: 'ImagePullFailed' },
    },
    {
      name: 'when its group is missing for the second time',
      run: aRun('starting', {}, { missing: 1 }),
      seen: { kind: 'missing' },
      end: { exitCode: null, reason: 'GroupMissing' },
    },
    { name: 'at its deadline', now: at + hourMs, end: { reason: 'RunTimedOut' } },
    { name: 'by command', run: aRun('starting', { canceled: true }), end: { reason: 'RunCanceled' } },
    { name: 'with its service', over: { guard: guard({ removed: true }) }, end: { reason: 'ServiceRemoved' } },
    {
      name: 'when ARM refuses its create',
      run: aRun('failed', {}, { reason: 'CreateRejected', message: 'no such subnet', failures: 1 }),
      end: { reason: 'CreateRejected', message: 'no such subnet' },
    },
    {
      name: 'before it was created, by command',
      run: aRun('creating', { canceled: true }),
      end: { reason: 'RunCanceled' },
    },
  ])('$name', ({ run: one = run, seen: observation, over = {}, now = at, end }) => {
    const made = plan(one, over, now, ...(observation ? [observation] : []));
    expect(endOf(made)).toMatchObject({ at: now, ...end });
    expect(made.replicas).toMatchObject([{ row: { state: 'deleting', failures: 0 } }]);
    expect(made.replicas[0]?.events.map(({ type }) => type)).toEqual(['RunEnded', 'GroupDeleting']);
    expect(made.steps).toMatchObject([{ kind: 'deleteGroup', slot: 10_007 }]);
    expect(made.done).toBe(false);
  });

  it.each<{ name: string; seen: Observation }>([
    { name: 'while its program runs', seen: look(run, {}) },
    { name: 'for a probe: it has none', seen: look(run, { startedAt: at - 20 * 60_000 }) },
    {
      name: 'by maintenance, after which ACI starts it again',
      seen: look(run, { state: 'Terminated', exitCode: 7147 }),
    },
    { name: 'by one 404', seen: { kind: 'missing' } },
    { name: 'because ARM does not answer', seen: { kind: 'unknown', message: 'no answer' } },
  ])('not $name', ({ seen: observation }) => {
    const made = plan(run, {}, at + 60_000, observation);
    expect(endOf(made) ?? null).toBe(null);
    expect(made.steps).toEqual([]);
    expect(made.done).toBe(false);
    expect(made.wakeAt).toBeLessThanOrEqual(at + 90_000);
  });

  it('without a container group, when it ends before it has a place', () => {
    const made = plan(aRun('planned', { canceled: true }));
    expect(made).toMatchObject({ done: true, steps: [] });
    expect(made.replicas).toMatchObject([{ row: { state: 'gone', reason: 'RunCanceled' } }]);
    expect(made.replicas[0]?.events.map(({ type }) => type)).toEqual(['RunEnded', 'ReplicaGone']);
  });

  it('once: what was recorded of its end stays', () => {
    const end = { at: at - 1, exitCode: 5, reason: null, message: null };
    const ended = aRun('deleting', { end, canceled: true }, { missing: 1 });
    const made = plan(ended, {}, at + 60_000, { kind: 'missing' });
    expect(made).toMatchObject({ done: true, replicas: [{ row: { state: 'gone', run: { end } } }] });
  });

  it('is recorded while the app is frozen, and taken down once it is thawed', () => {
    const ended = look(run, { state: 'Terminated', exitCode: 1 });
    const frozen = plan(run, { frozen: true }, at, ended);
    expect(frozen).toMatchObject({
      steps: [],
      replicas: [{ row: { state: 'starting', run: { end: { exitCode: 1 } } } }],
    });
    const thawed = plan(frozen.replicas[0]?.row as RunRow, {}, at + 1);
    expect(thawed.steps).toMatchObject([{ kind: 'deleteGroup' }]);
    expect(thawed.replicas[0]?.events.map(({ type }) => type)).toEqual(['GroupDeleting']);
  });

  it('is looked for at its deadline, however long the next look would be away', () => {
    const made = plan(aRun('starting', { deadlineAt: at + 700 }), {}, at, look(run, {}));
    expect(made.wakeAt).toBe(at + 700);
  });
});

describe('its service', () => {
  const ready = inState('ready');
  it('is converged with a run under way, and not idle', () => {
    const one = guard({ desired: 1, observedGeneration: 1 });
    expect([isConverged(one, [ready, aRun('starting')]), isIdle(one, [ready, aRun('starting')])]).toEqual([
      true,
      false,
    ]);
    expect(isIdle(one, [ready, aRun('gone')])).toBe(true);
  });

  it('is not gone while a run of it is not', () => {
    expect(isConverged(guard({ removed: true }), [aRun('deleting')])).toBe(false);
  });

  it('tells the app once that it has converged, not at every look at its runs', () => {
    const replicas = [ready, aRun('starting')];
    const observations = new Map([['10007/7', look(aRun('starting'), {})]]);
    const told = (observedGeneration: number) =>
      reconcile(aSnapshot({ guard: guard({ desired: 1, observedGeneration }), replicas, observations }), at);
    expect(told(0)).toMatchObject({ done: false, wakeApp: true });
    expect(told(1)).toMatchObject({ done: false, wakeApp: false });
  });
});

describe('the container group of a run', () => {
  const template = aTemplate({
    command: ['serve'],
    environment: { COLOUR: 'blue', SIZE: 'xl' },
    secretEnvironment: { TOKEN: { secretRef: 'token', version: '1' }, KEY: { secretRef: 'key', version: '1' } },
    ports: [{ port: 80, protocol: 'TCP' }],
    restartPolicy: 'Always',
  });
  const run = aRun('creating', { program: ['node', 'x.js'], environment: { COLOUR: 'red', KEY: 'plain' } });

  it('has the image, size and secrets of its service, its own program and variables, and no ports, probes or restarts', () => {
    const mine = templateOf(template, run);
    const spec = groupSpec({ ...identity, installationEpoch: 1 }, run, mine, aPool(), () => Buffer.from('value'));
    expect(spec).toMatchObject({
      image: template.image,
      command: ['node', 'x.js'],
      ports: [],
      restartPolicy: 'Never',
      environment: { COLOUR: 'red', SIZE: 'xl', KEY: 'plain', FLOTILLA_RUN: '7' },
      secureEnvironment: { TOKEN: 'value' },
    });
    expect(spec).not.toHaveProperty('liveness');
    expect(spec.environment).not.toHaveProperty('FLOTILLA_SLOT');
    expect(spec.secureEnvironment).not.toHaveProperty('KEY');
    expect(spec.tags['flotilla-revision-hash']).toBe(revisionHash(mine));
  });

  it('runs what the service runs where no program is given', () => {
    expect(templateOf(template, aRun('creating', { program: [] })).command).toEqual(['serve']);
  });

  it('is that of a replica for a replica', () => {
    expect(templateOf(template, inState('creating'))).toBe(template);
  });

  it('is owned in the ledger like any other', () => {
    expect(ownerOf(run)).toBe('shop/web/10007/7');
  });
});
