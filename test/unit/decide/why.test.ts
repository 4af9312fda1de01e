import { describe, expect, it } from 'vitest';
import { whyOf } from '../../../src/decide/why.ts';
import type { Observation, ServiceSnapshot } from '../../../src/model/snapshot.ts';
import type { ReplicaRow } from '../../../src/model/state.ts';
import { aPool, at } from '../../support/rows.ts';
import { aContainer, aSnapshot, inState, seen } from '../../support/snapshots.ts';

const now = at + 60_000;
const minute = 60_000;

function told(replica: ReplicaRow, observation: Observation | null, over: Partial<ServiceSnapshot> = {}) {
  const observations = new Map(observation === null ? [] : [[`${replica.slot}/${replica.incarnation}`, observation]]);
  return whyOf(aSnapshot({ replicas: [replica], observations, ...over }), replica, now);
}

describe('why a replica is as it is', () => {
  const crashed = aContainer({ state: 'Waiting', exitCode: 1, restartCount: 5 });
  it.each<[string, ReplicaRow, Observation | null, string]>([
    ['one that is well', inState('ready'), seen(inState('ready'), {}, 'passed'), 'we probe it over the network'],
    [
      'a crash loop',
      inState('unready'),
      seen(inState('unready'), { container: crashed }),
      'the container crashes again and again and ACI restarts it, more and more slowly',
    ],
    [
      'a zombie: failed, and running',
      inState('ready'),
      seen(inState('ready'), { provisioningState: 'Failed' }, 'passed'),
      'we probe it over the network; provisioning is Failed, yet it runs, and counts by what it does',
    ],
    ['one that ARM does not know', inState('ready'), { kind: 'missing' }, 'ARM knows no container group of its name'],
    [
      'silence',
      inState('ready'),
      { kind: 'unknown', message: 'No.' },
      'the control plane does not answer, and silence decides nothing',
    ],
    [
      'a stranger',
      inState('ready'),
      seen(inState('ready'), { tags: {} }),
      'a group of its name stands that is not ours',
    ],
    ['one that is planned', inState('planned'), null, 'nothing is read of a replica that is planned'],
  ])('names the rule for %s', (_, replica, observation, sees) => {
    expect(told(replica, observation)?.sees).toBe(sees);
  });

  it.each<[string, ReplicaRow, Observation | null, string, readonly (readonly [string, number | null])[]]>([
    ['one that is well', inState('ready'), seen(inState('ready'), {}, 'passed'), 'it is as it should be', []],
    [
      'one that hangs',
      inState('ready'),
      seen(inState('ready'), {}, 'failed'),
      'what was observed of it changed',
      [
        ['it becomes unready', null],
        ['it is replaced if it is still unready and others of its revision are ready', now + 10 * minute],
      ],
    ],
    [
      'one that must be steady first',
      inState('unready', { steadiness: { flips: [at - 3 * minute, at - minute, at], fitSince: null } }),
      seen(inState('unready'), {}, 'passed'),
      'what was observed of it changed',
      [
        ['it is back in the endpoints if it looks fit until then', now + 5_000],
        ['it is replaced if it is still unready and others of its revision are ready', at + 10 * minute],
      ],
    ],
    [
      'one that starts',
      inState('starting'),
      seen(inState('starting'), { container: null, state: 'Pending' }),
      'what was observed of it changed',
      [['it fails unless it is ready', at + 10 * minute]],
    ],
    [
      'one that drains',
      inState('draining', { drainUntil: now + 5_000 }),
      null,
      'it drains',
      [['its container group is deleted', now + 5_000]],
    ],
    [
      'one that failed',
      inState('failed', { reason: 'GroupMissing' }),
      null,
      'it failed',
      [['its container group is deleted; if it is still wanted, a successor takes its slot after the back-off', null]],
    ],
    [
      'one that its restart policy keeps down',
      inState('failed', { reason: 'ContainerExited' }),
      null,
      'its restart policy keeps it down: running it again would break what the user asked for',
      [],
    ],
  ])('says what is done about %s, and what comes next', (_, replica, observation, because, next) => {
    const why = told(replica, observation);
    expect(why?.because).toBe(because);
    expect(why?.next.map(({ what, at: when }) => [what, when])).toEqual(next);
  });

  it('says of a frozen app that nothing happens', () => {
    const why = told(inState('failed', { reason: 'GroupMissing' }), null, { frozen: true });
    expect(why).toMatchObject({ because: 'its app is frozen', next: [{ at: null }] });
  });

  it('says of a lost one what is known of its pool', () => {
    const health = {
      state: 'down',
      since: at,
      doubts: 9,
      deadSince: at,
      wellSince: null,
      message: 'all silent',
    } as const;
    const why = told(inState('lost'), null, { pools: [aPool({ health })] });
    expect(why).toMatchObject({ sees: 'its pool is down: all silent', next: [{ at: null }] });
    expect(why?.because).toContain('made up for elsewhere');
  });

  it('knows nothing of a replica that is not there', () => {
    expect(whyOf(aSnapshot(), inState('ready'), now)).toBeNull();
  });
});
