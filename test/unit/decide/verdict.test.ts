import { describe, expect, it } from 'vitest';
import { judge } from '../../../src/decide/verdict.ts';
import { defaults } from '../../../src/model/defaults.ts';
import type { Observation } from '../../../src/model/snapshot.ts';
import type { ReplicaRow } from '../../../src/model/state.ts';
import { aTemplate, at } from '../../support/rows.ts';
import { aContainer, identity, inState, seen, tagsOf } from '../../support/snapshots.ts';

const missing: Observation = { kind: 'missing' };
const silent: Observation = { kind: 'unknown', message: 'ARM is down' };
const judged = (replica: ReplicaRow, observation: Observation | undefined, now = at + 1_000, peersReady = false) =>
  judge(replica, aTemplate(), observation, { identity, settings: defaults, now, peersReady });

describe('a replica being created', () => {
  const creating = inState('creating');
  const expired = at + 360_000;

  it('starts once its group is read back, and its claim is settled', () => {
    const { row, events } = judged(creating, seen(creating));
    expect(row).toMatchObject({ state: 'starting', stateAt: at + 1_000, attempt: null, endpoint: false });
    expect(events.map(({ type }) => type)).toEqual(['GroupCreated']);
  });

  it('is not concluded to be missing while its claim holds', () => {
    expect(judged(creating, missing, expired - 1)).toMatchObject({ row: creating, retry: false, lookAt: expired });
  });

  it('needs two 404s after the claim expired to be created again', () => {
    const once = judged(creating, missing, expired);
    expect(once).toMatchObject({ row: { state: 'creating', missing: 1 }, retry: false });
    expect(judged(once.row, missing, expired + 1_000)).toMatchObject({ row: { missing: 2 }, retry: true });
  });

  it('fails when a foreign group has its name, and never takes it over', () => {
    const foreign = seen(creating, { tags: {} });
    expect(judged(creating, foreign).row).toMatchObject({ state: 'failed', reason: 'CreateRejected', failures: 1 });
  });
});

describe('a group that a restored table has forgotten, under an incarnation that is given out again', () => {
  const claim = { id: 'a-1', startedAt: at, expiresAt: at + 360_000 };
  const ofRevision = (replica: ReplicaRow, tags: Readonly<Record<string, string>>) =>
    seen(replica, { tags: { ...tagsOf(replica), ...tags } });
  const others: [string, Readonly<Record<string, string>>][] = [
    ['number', { 'flotilla-revision': '2' }],
    ['content', { 'flotilla-revision-hash': 'ffffffffffff' }],
  ];

  it.each(others)('is not adopted when its revision has another %s, and nothing is counted as a failure', (_, tags) => {
    const creating = inState('creating', { attempt: claim });
    expect(judged(creating, ofRevision(creating, tags)).row).toMatchObject({
      state: 'failed',
      reason: 'CreateRejected',
      failures: 0,
      attempt: null,
    });
  });

  it.each(others)('is lost to a replica that stood, when its revision has another %s', (_, tags) => {
    const starting = inState('starting', { missing: 1 });
    expect(judged(starting, ofRevision(starting, tags)).row).toMatchObject({ state: 'failed', reason: 'GroupMissing' });
  });

  it.each(others)('is deleted with the replica, although its revision has another %s', (_, tags) => {
    const deleting = inState('deleting');
    expect(judged(deleting, ofRevision(deleting, tags))).toMatchObject({ standing: true, absent: false });
  });
});

describe('a replica that starts', () => {
  const starting = inState('starting');

  it('is ready when its probe passes, and joins the endpoints', () => {
    const { row, events } = judged(starting, seen(starting, {}, 'passed'));
    expect(row).toMatchObject({ state: 'ready', endpoint: true, ip: '10.0.0.4', readyAt: at + 1_000, reason: null });
    expect(events.map(({ type }) => type)).toEqual(['ReplicaReady', 'EndpointAdded']);
  });

  it('without ports is ready but in no endpoints', () => {
    const worker = { ...starting, ports: [] };
    expect(judged(worker, seen(worker, {}, 'passed')).row).toMatchObject({ state: 'ready', endpoint: false });
  });

  it('fails at its deadline, but not before, and not because ARM is silent', () => {
    const deadline = at + defaults.startDeadlineMs;
    expect(judged(starting, seen(starting, {}, 'failed'), deadline - 1).row.state).toBe('starting');
    expect(judged(starting, seen(starting, {}, 'failed'), deadline).row).toMatchObject({
      state: 'failed',
      reason: 'StartDeadlineExceeded',
      failures: 1,
    });
    expect(judged(starting, silent, deadline).row).toBe(starting);
  });

  it('tells once what keeps its group from starting, and shows the newest of it', () => {
    const failing = (message: string) => {
      const events = [{ name: 'Failed', type: 'Warning', message, count: 1, lastAt: at }];
      return seen(starting, { container: null, provisioningState: 'Creating', events });
    };
    const first = judged(starting, failing('mkdir /a: no space left on device'));
    expect(first.row).toMatchObject({
      state: 'starting',
      reason: 'StartDelayed',
      message: expect.stringMatching(/a:/),
    });
    expect(first.events).toMatchObject([{ type: 'ReplicaDelayed', reason: 'StartDelayed' }]);
    const second = judged(first.row, failing('mkdir /b: no space left on device'));
    expect(second.row.message).toBe('mkdir /b: no space left on device');
    expect(second.events).toEqual([]);
    expect(judged(second.row, seen(starting, {}, 'passed')).row).toMatchObject({ state: 'ready', reason: null });
  });

  it('is ready at its deadline rather than failed, if it passes then', () => {
    expect(judged(starting, seen(starting, {}, 'passed'), at + defaults.startDeadlineMs).row.state).toBe('ready');
  });

  it('has a deadline that leaves room for a long quiet time', () => {
    const template = aTemplate({ readiness: { kind: 'running', afterMs: 20 * 60_000 } });
    const verdict = judge(starting, template, seen(starting), {
      identity,
      settings: defaults,
      now: at + defaults.startDeadlineMs,
      peersReady: false,
    });
    expect(verdict.row.state).toBe('starting');
  });

  it('is missing after two 404s, and that counts as its failure', () => {
    const once = judged(starting, missing).row;
    expect(once).toMatchObject({ state: 'starting', missing: 1 });
    expect(judged(once, missing).row).toMatchObject({ state: 'failed', reason: 'GroupMissing', failures: 1 });
  });

  it.each([
    ['starting', 1],
    ['ready', 0],
    ['unready', 0],
  ] as const)('%s: stopped by somebody, it is failed at once and has %i failures', (state, failures) => {
    const replica = inState(state);
    const stopped = { state: 'Stopped', ip: null, container: aContainer({ state: 'Terminated', exitCode: 137 }) };
    expect(judged(replica, seen(replica, stopped)).row).toMatchObject({
      state: 'failed',
      reason: 'GroupStopped',
      endpoint: false,
      failures,
    });
  });

  it.each(['starting', 'ready', 'unready'] as const)(
    '%s: a group of its name that is not ours is as good as none',
    (state) => {
      const replica = inState(state, { missing: 1 });
      expect(judged(replica, seen(replica, { tags: {} }, 'passed')).row).toMatchObject({
        state: 'failed',
        reason: 'GroupMissing',
        message: `A container group named ${replica.group} exists and is not ours.`,
        endpoint: false,
      });
    },
  );

  it('forgets a 404 when the group is seen', () => {
    expect(judged({ ...starting, missing: 1 }, seen(starting)).row.missing).toBe(0);
  });

  it('shows a crash with its last lines and goes on waiting for ACI', () => {
    const container = aContainer({ state: 'Waiting', exitCode: 3, restartCount: 1 });
    const { row } = judged(starting, seen(starting, { container }, null, 'boom'));
    expect(row).toMatchObject({ state: 'starting', reason: 'ContainerCrashed', logTail: 'boom', restartCount: 1 });
  });

  it('has each rise of its restart count told once, however many restarts it stands for', () => {
    const later = (replica: ReplicaRow, restartCount: number) =>
      judged(replica, seen(replica, { container: aContainer({ state: 'Waiting', exitCode: 3, restartCount }) }));
    const risen = later(starting, 2);
    expect(risen.events).toEqual([
      {
        type: 'ContainerRestarted',
        replica: { slot: 0, incarnation: 1 },
        reason: 'ContainerCrashed',
        message: 'The container was restarted 2 times; it ended with exit code 3.',
      },
    ]);
    expect(later(risen.row, 2).events).toEqual([]);
    expect(later(risen.row, 3).events).toMatchObject([{ message: expect.stringContaining('was restarted once; ') }]);
    expect(later(risen.row, 0)).toMatchObject({ row: { restartCount: 0 }, events: [] });
  });
});

describe('a replica that was ready', () => {
  const ready = inState('ready');
  const unready = inState('unready', { reason: 'ProbeFailed' });

  it('leaves the endpoints in the same write in which it becomes unready', () => {
    const { row, events } = judged(ready, seen(ready, {}, 'failed'));
    expect(row).toMatchObject({ state: 'unready', endpoint: false, reason: 'ProbeFailed' });
    expect(events.map(({ type }) => type)).toEqual(['EndpointRemoved', 'ReplicaUnready']);
  });

  it.each([null, '10.0.0.9'])('leaves under the address that it had, though its group has %s by now', (ip) => {
    const container = aContainer({ state: 'Terminated', exitCode: 137 });
    for (const policy of ['Always', 'Never'] as const) {
      const circumstances = { identity, settings: defaults, now: at, peersReady: false };
      const { events } = judge(
        ready,
        aTemplate({ restartPolicy: policy }),
        seen(ready, { ip, container }),
        circumstances,
      );
      expect(events[0]).toMatchObject({ type: 'EndpointRemoved', message: '10.0.0.4 leaves the endpoints.' });
    }
  });

  it('is told to have been restarted though it is well again', () => {
    const container = aContainer({ exitCode: 1, restartCount: 1 });
    const { row, events } = judged(ready, seen(ready, { container }, 'passed'));
    expect(row).toMatchObject({ state: 'ready', endpoint: true, restartCount: 1, reason: null });
    expect(events).toMatchObject([{ type: 'ContainerRestarted', reason: 'ContainerCrashed' }]);
  });

  it('that platform maintenance restarted did not crash', () => {
    const container = aContainer({ exitCode: 7147, restartCount: 1 });
    const { events } = judged(ready, seen(ready, { container }, 'passed'));
    expect(events).toEqual([
      {
        type: 'ContainerRestarted',
        replica: { slot: 0, incarnation: 1 },
        reason: 'PlatformMaintenance',
        message: 'The container was restarted once; it ended with exit code 7147, the code of platform maintenance.',
      },
    ]);
  });

  it('is not written again while nothing changes', () => {
    expect(judged(ready, seen(ready, {}, 'passed')).row).toBe(ready);
  });

  it('comes back when it passes again', () => {
    expect(judged(unready, seen(unready, {}, 'passed')).row).toMatchObject({ state: 'ready', endpoint: true });
  });

  it('is given up after ten minutes only while others of its revision are ready', () => {
    const late = at + defaults.startDeadlineMs;
    const failing = seen(unready, {}, 'failed');
    expect(judged(unready, failing, late - 1, true).row.state).toBe('unready');
    expect(judged(unready, failing, late, false).row.state).toBe('unready');
    expect(judged(unready, failing, late, true).row).toMatchObject({ state: 'failed', reason: 'ProbeFailed' });
  });

  it('is not blamed for a group that somebody else removed', () => {
    expect(judged({ ...ready, missing: 1 }, missing).row).toMatchObject({ state: 'failed', failures: 0 });
  });

  it('starts a new count of failures when it was ready for long', () => {
    const container = aContainer({ state: 'Terminated', exitCode: 1 });
    const policy = aTemplate({ restartPolicy: 'Never' });
    const before = { ...ready, failures: 4 };
    const circumstances = { identity, settings: defaults, now: at + defaults.backoff.resetMs, peersReady: false };
    expect(judge(before, policy, seen(before, { container }), circumstances).row.failures).toBe(1);
    expect(judge(before, policy, seen(before, { container }), { ...circumstances, now: at + 1 }).row.failures).toBe(5);
  });

  it('that moved changes the endpoints too', () => {
    const { row, events } = judged(ready, seen(ready, { ip: '10.0.0.9' }, 'passed'));
    expect(row).toMatchObject({ state: 'ready', ip: '10.0.0.9', endpoint: true });
    expect(events.map(({ message }) => message)).toEqual([
      '10.0.0.4 leaves the endpoints.',
      '10.0.0.9 joins the endpoints.',
    ]);
  });
});

describe('a replica being deleted', () => {
  const deleting = inState('deleting');
  const inFlight = { ...deleting, attempt: { id: 'a-1', startedAt: at, expiresAt: at + 360_000 } };

  it('is absent after two 404s, because one may be stale', () => {
    const once = judged(deleting, missing);
    expect(once).toMatchObject({ absent: false, row: { missing: 1 }, lookAt: at + 2_000 });
    expect(judged(once.row, missing).absent).toBe(true);
  });

  it('forgets a 404 when the group is seen', () => {
    expect(judged({ ...deleting, missing: 1 }, seen(deleting)).row.missing).toBe(0);
  });

  it('is not absent while a PUT of it may still land, however often ARM does not know it', () => {
    expect(judged({ ...inFlight, missing: 1 }, missing)).toMatchObject({ absent: false, lookAt: at + 360_000 });
    expect(judged({ ...inFlight, missing: 1 }, missing, at + 360_000).absent).toBe(true);
  });

  it('waits for no claim that was never started', () => {
    const unstarted = { ...inFlight, attempt: { ...inFlight.attempt, startedAt: null }, missing: 1 };
    expect(judged(unstarted, missing).absent).toBe(true);
  });

  it('stands while its group is there and nobody deletes it', () => {
    expect(judged(deleting, seen(deleting)).standing).toBe(true);
    expect(judged(deleting, seen(deleting, { provisioningState: 'Deleting' })).standing).toBe(false);
  });

  it('is told of once when it has not gone for ten minutes, and is asked again as ever', () => {
    const group = { provisioningState: 'Deleting' };
    expect(judged(deleting, seen(deleting, group), at + 599_999)).toMatchObject({ row: deleting, events: [] });
    const stuck = judged(deleting, seen(deleting), at + 600_000);
    expect(stuck).toMatchObject({ standing: true, events: [{ type: 'DeletionStuck', reason: 'DeletionStuck' }] });
    expect(judged(stuck.row, seen(deleting), at + 660_000)).toMatchObject({ row: stuck.row, events: [] });
  });

  it('settles its claim when the group of the PUT is seen', () => {
    expect(judged(inFlight, seen(inFlight)).row.attempt).toBeNull();
  });

  it('is absent when only a foreign group has its name', () => {
    expect(judged({ ...deleting, missing: 1 }, seen(deleting, { tags: {} })).absent).toBe(true);
  });
});

it.each(['planned', 'draining', 'failed', 'gone', 'lost'] as const)('%s is not judged', (state) => {
  const replica = inState(state);
  expect(judged(replica, seen(replica, {}, 'passed')).row).toBe(replica);
  expect(judged(replica, missing).row).toBe(replica);
});

it.each(['creating', 'starting', 'ready', 'unready', 'deleting'] as const)('silence decides nothing of %s', (state) => {
  const replica = inState(state);
  const verdict = judged(replica, silent, at + 24 * 3_600_000, true);
  expect(verdict).toMatchObject({ row: replica, absent: false, retry: false, standing: false, events: [] });
});

describe('an endpoint that comes and goes', () => {
  const minute = 60_000;
  const unready = (flips: readonly number[], over: Partial<ReplicaRow> = {}) =>
    inState('unready', { reason: 'ProbeFailed', steadiness: { flips, fitSince: null }, ...over });
  const look = (row: ReplicaRow, probe: 'passed' | 'failed', now: number) => judged(row, seen(row, {}, probe), now);

  it.each<[string, readonly number[], number]>([
    ['the first loss', [at], 0],
    ['the second loss in ten minutes', [at - 3 * minute, at - 2 * minute, at], 5_000],
    ['the second loss in more than ten minutes', [at - 11 * minute, at - 10 * minute, at], 0],
    ['four changes in ten minutes', [at - 4 * minute, at - 3 * minute, at - 2 * minute, at], 3 * minute],
    ['the third loss in ten minutes', [at - 4 * minute, at - 3 * minute, at - 2 * minute, at - minute, at], 3 * minute],
  ])('after %s it is restored once it has looked fit for long enough', (_, flips, steadyMs) => {
    const first = look(unready(flips), 'passed', at + 1_000);
    if (steadyMs === 0) return expect(first.row.state).toBe('ready');
    expect(first).toMatchObject({ row: { state: 'unready', endpoint: false }, lookAt: at + 1_000 + steadyMs });
    expect(look(first.row, 'passed', at + 1_000 + steadyMs - 1).row).toBe(first.row);
    const restored = look(first.row, 'passed', at + 1_000 + steadyMs).row;
    expect(restored).toMatchObject({ state: 'ready', endpoint: true, reason: null });
    expect(restored.steadiness?.flips.at(-1)).toBe(restored.stateAt);
  });

  it('one bad look begins the wait anew', () => {
    const first = look(unready([at - 3 * minute, at - 2 * minute, at]), 'passed', at + 1_000).row;
    const bad = look(first, 'failed', at + 3_000).row;
    expect(bad).toMatchObject({ state: 'unready', steadiness: { fitSince: null } });
    expect(look(bad, 'passed', at + 7_000)).toMatchObject({ row: { state: 'unready' }, lookAt: at + 12_000 });
  });

  it('says that it flaps, also while it happens to fail', () => {
    const flips = [at - 4 * minute, at - 3 * minute, at - 2 * minute, at - minute, at];
    const first = look(unready(flips), 'passed', at + 1_000).row;
    expect(first).toMatchObject({ reason: 'Flapping', message: expect.stringContaining('steady for 3 min') });
    expect(look(first, 'failed', at + 2_000).row).toMatchObject({ reason: 'Flapping' });
  });

  it('is replaced when it has flapped for ten minutes while others are ready', () => {
    const flips = [at - 3 * minute, at - 2 * minute, at - minute, at];
    const row = unready(flips, { reason: 'Flapping' });
    expect(judged(row, seen(row, {}, 'failed'), at + 10 * minute, true).row.state).toBe('failed');
  });
});

describe('the whole row', () => {
  const now = at + 1_000;

  it('of one whose group was found by reading back', () => {
    const creating = inState('creating', { missing: 1, reason: 'CreateUnconfirmed', message: 'No answer.' });
    expect(judged(creating, seen(creating)).row).toEqual({
      ...creating,
      reason: null,
      message: null,
      state: 'starting',
      stateAt: now,
      attempt: null,
      missing: 0,
      observedAt: now,
    });
  });

  it('of one that gets ready: what was wrong before is forgotten, when it was first ready is not', () => {
    const unready = inState('unready', {
      reason: 'ContainerCrashed',
      message: 'Boom.',
      logTail: 'boom',
      readyAt: at - 5,
    });
    expect(judged(unready, seen(unready, {}, 'passed', 'boom')).row).toEqual({
      ...unready,
      state: 'ready',
      stateAt: now,
      reason: null,
      message: null,
      logTail: null,
      endpoint: true,
      observedAt: now,
      steadiness: { flips: [now], fitSince: null },
    });
  });

  it('of one that stops being ready, with what its container says', () => {
    const ready = inState('ready');
    const container = aContainer({ state: 'Waiting', exitCode: 1, restartCount: 2 });
    const { row, events } = judged(ready, seen(ready, { container }, null, 'boom'));
    expect(row).toEqual({
      ...ready,
      state: 'unready',
      stateAt: now,
      reason: 'ContainerCrashed',
      message: 'The container ended with exit code 1; restarted 2 times.',
      restartCount: 2,
      crashes: 2,
      logTail: 'boom',
      endpoint: false,
      observedAt: now,
      steadiness: { flips: [now], fitSince: null },
    });
    expect(events).toEqual([
      {
        type: 'ContainerRestarted',
        replica: { slot: 0, incarnation: 1 },
        reason: 'ContainerCrashed',
        message: 'The container was restarted 2 times; it ended with exit code 1.',
      },
      {
        type: 'EndpointRemoved',
        replica: { slot: 0, incarnation: 1 },
        reason: 'ContainerCrashed',
        message: '10.0.0.4 leaves the endpoints.',
      },
      {
        type: 'ReplicaUnready',
        replica: { slot: 0, incarnation: 1 },
        reason: 'ContainerCrashed',
        message: row.message,
      },
    ]);
  });

  it('of one that failed', () => {
    const starting = inState('starting', { missing: 1, message: 'Boom.', logTail: 'boom' });
    const { row, events } = judged(starting, missing);
    expect(row).toEqual({
      ...starting,
      state: 'failed',
      stateAt: now,
      reason: 'GroupMissing',
      message: 'The container group is gone though we did not delete it.',
      missing: 2,
      failures: 1,
      observedAt: now,
    });
    expect(events.map(({ type }) => type)).toEqual(['ReplicaFailed']);
  });

  it('of one that has no address any more: it cannot be in the endpoints', () => {
    const ready = inState('ready', { ports: [] });
    const { row, events } = judged(ready, seen(ready, { ip: '0.0.0.0' }, 'passed'));
    expect(row.ip === null && row.endpoint).toBe(false);
    expect(events.some(({ type }) => type === 'EndpointAdded')).toBe(false);
  });

  it('of one without ports that moved: no endpoints change', () => {
    const worker = inState('ready', { ports: [], endpoint: false });
    const { row, events } = judged(worker, seen(worker, { ip: '10.0.0.9' }, 'passed'));
    expect(row).toMatchObject({ state: 'ready', ip: '10.0.0.9', endpoint: false });
    expect(events).toEqual([]);
  });

  it('is kept where nothing but the time of looking differs', () => {
    const starting = inState('starting', { observedAt: at - 1, ip: '10.0.0.4' });
    expect(judged(starting, seen(starting)).row).toBe(starting);
  });
});

describe('when it is worth looking again', () => {
  const quiet = aTemplate({ readiness: { kind: 'running', afterMs: 20_000 } });
  const facts = { identity, settings: defaults, now: at + 1_000, peersReady: false };

  it('one that starts: when time alone makes it ready, or at its deadline', () => {
    const starting = inState('starting');
    expect(judge(starting, quiet, seen(starting), facts)).toMatchObject({ lookAt: at + 20_000, waitsForTime: true });
    expect(judged(starting, seen(starting))).toMatchObject({
      lookAt: at + defaults.startDeadlineMs,
      waitsForTime: false,
    });
  });

  it('one that is or becomes unready: when a quiet time ends', () => {
    const container = aContainer({ startedAt: at + 500, restartCount: 1 });
    for (const state of ['ready', 'unready'] as const) {
      const replica = inState(state);
      expect(judge(replica, quiet, seen(replica, { container }), facts)).toMatchObject({
        lookAt: at + 20_500,
        waitsForTime: true,
        row: { state: 'unready', reason: 'ContainerCrashed' },
      });
    }
  });

  it('one that may be missing: a second later', () => {
    expect(judged(inState('ready'), missing).lookAt).toBe(at + 2_000);
  });
});

describe('what an observation leaves out', () => {
  const down = { container: null, state: 'Pending' };

  it('is kept: the last lines, and the count of restarts', () => {
    const unready = inState('unready', { logTail: 'boom', restartCount: 3, reason: 'ContainerCrashed' });
    const { row, events } = judged(unready, seen(unready, down));
    expect(row).toMatchObject({ logTail: 'boom', restartCount: 3 });
    expect(events).toEqual([]);
  });

  it('is no restart', () => {
    const starting = inState('starting', { restartCount: 0 });
    expect(judged(starting, seen(starting, down)).events).toEqual([]);
  });

  it('is no reason: the one of before stays', () => {
    const unready = inState('unready', { reason: 'ProbeFailed', message: 'The readiness probe fails.' });
    expect(judged(unready, seen(unready, down)).row).toBe(unready);
  });

  it('without the revision it was made from, nothing is judged', () => {
    const starting = inState('starting');
    const facts = { identity, settings: defaults, now: at + 1_000, peersReady: false };
    expect(judge(starting, undefined, seen(starting, {}, 'passed'), facts).row).toBe(starting);
  });

  it('runs only what was seen running', () => {
    const creating = inState('creating');
    expect(judged(creating, missing).running).toBe(false);
    expect(judged(creating, seen(creating)).running).toBe(false);
    const starting = inState('starting');
    expect(judged(starting, seen(starting)).running).toBe(true);
  });
});

describe('when it was looked at', () => {
  it.each<[string, ReplicaRow, Observation, number]>([
    ['a create that ARM does not know', inState('creating'), missing, at + 360_000],
    ['a group that is missing', inState('starting'), missing, at + 1_000],
    ['a deletion that may be done', inState('deleting'), missing, at + 1_000],
    ['a failure', inState('creating'), seen(inState('creating'), { tags: {} }), at + 1_000],
  ])('is noted with %s', (_, replica, observation, now) => {
    expect(judged(replica, observation, now).row.observedAt).toBe(now);
  });
});

describe('the address of a replica', () => {
  const elsewhere = { ip: '10.0.0.9' };

  it('that is new and answers joins the endpoints, whatever the old one was', () => {
    const ready = inState('ready', { endpoint: false });
    const { row, events } = judged(ready, seen(ready, elsewhere, 'passed'));
    expect(row).toMatchObject({ state: 'ready', ip: '10.0.0.9', endpoint: true });
    expect(events.map(({ type }) => type)).toEqual(['EndpointAdded']);
  });

  it('that is new and does not answer leaves them', () => {
    const ready = inState('ready');
    const { row, events } = judged(ready, seen(ready, elsewhere, 'failed'));
    expect(row).toMatchObject({ state: 'unready', ip: '10.0.0.9', endpoint: false });
    expect(events.map(({ type }) => type)).toEqual(['EndpointRemoved', 'ReplicaUnready']);
  });

  it('is told to nobody where there are no ports', () => {
    const starting = inState('starting', { ports: [] });
    const seenRunning = seen(starting, {}, 'passed');
    expect(judged(starting, seenRunning).events.map(({ type }) => type)).toEqual(['ReplicaReady']);
  });
});

describe('what a loss says', () => {
  const waiting = { container: aContainer({ state: 'Waiting' }) };
  const deadline = at + defaults.startDeadlineMs;

  it.each<[string, ReplicaRow, Observation, boolean, string, string]>([
    [
      'of a start: what its last look said',
      inState('starting'),
      seen(inState('starting'), {}, 'failed'),
      false,
      'StartDeadlineExceeded',
      'The readiness probe fails.',
    ],
    [
      'of a start that said nothing',
      inState('starting'),
      seen(inState('starting'), waiting),
      false,
      'StartDeadlineExceeded',
      'It never became ready.',
    ],
    [
      'of one that stayed unready: what its last look said',
      inState('unready'),
      seen(inState('unready'), { container: aContainer({ state: 'Waiting', exitCode: 3, restartCount: 1 }) }),
      true,
      'ContainerCrashed',
      'The container ended with exit code 3; restarted once.',
    ],
    [
      'of one that stayed unready and said nothing',
      inState('unready'),
      seen(inState('unready'), waiting),
      true,
      'ProbeFailed',
      'It stayed unready.',
    ],
  ])('%s', (_, replica, observation, peersReady, reason, message) => {
    expect(judged(replica, observation, deadline, peersReady).row).toMatchObject({ state: 'failed', reason, message });
  });

  it('of readiness without a word of the container: the probe fails', () => {
    const ready = inState('ready');
    const { row, events } = judged(ready, seen(ready, waiting));
    expect(row).toMatchObject({ state: 'unready', reason: 'ProbeFailed' });
    expect(events.at(-1)).toMatchObject({ type: 'ReplicaUnready', message: 'The replica is not ready any more.' });
  });
});
