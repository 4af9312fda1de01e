import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asTrusted, isCutOff } from '../../../../src/decide/health/cut-off.ts';
import { paced, turnOf } from '../../../../src/decide/health/losses.ts';
import { type Evidence, nextHealth, together } from '../../../../src/decide/health/pool-health.ts';
import type { PoolHealth, PoolRow, ReplicaRow } from '../../../../src/model/state.ts';
import { isLegal } from '../../../../src/model/transitions.ts';
import { aPool, at } from '../../../support/rows.ts';
import { inState } from '../../../support/snapshots.ts';

const sweepMs = 30_000;
const well: Evidence = { probed: 20, silent: 0, services: 4, control: 'answering' };
const dead: Evidence = { ...well, silent: 20 };
const few: Evidence = { probed: 3, silent: 3, services: 1, control: 'failing' };
const mute: Evidence = { probed: 0, silent: 0, services: 0, control: 'failing' };

/** The states that one sweep after the other leads to. */
function lived(sweeps: readonly Evidence[], from: PoolHealth | null = null): readonly string[] {
  let health = from;
  return sweeps.map((evidence, n) => {
    health = nextHealth(health, evidence, at + n * sweepMs);
    return health?.state ?? 'healthy';
  });
}
const times = (count: number, evidence: Evidence) => Array.from({ length: count }, () => evidence);
const last = (states: readonly string[]) => states.at(-1);
const share = (silent: number) => ({ ...well, silent });

describe('the health of a region', () => {
  it.each<[string, readonly Evidence[], string]>([
    ['nothing speaks against it', times(9, well), 'healthy'],
    ['one bad sweep is none', [dead], 'healthy'],
    ['two bad sweeps make it suspect', times(2, dead), 'suspect'],
    ['dead for less than 120 s is only suspect', times(4, dead), 'suspect'],
    ['dead for 120 s is down', times(5, dead), 'down'],
    ['dead but for one sweep begins anew', [...times(3, dead), well, ...times(2, dead)], 'suspect'],
    ['54 % silent is not even suspect', times(9, { ...well, probed: 100, silent: 54 }), 'healthy'],
    ['55 % silent is down', times(5, share(11)), 'down'],
    ['once it looks dead, a share that wavers keeps it so', [dead, ...times(4, share(9))], 'down'],
    ['40 % lost packets are not', times(20, share(8)), 'healthy'],
    ['replicas of one service alone are only suspect', times(9, { ...dead, services: 1 }), 'suspect'],
    ['four replicas alone are only suspect', times(9, { ...dead, probed: 4, silent: 4 }), 'suspect'],
    ['few, with a plane that answers, are never down', times(30, { ...few, control: 'answering' }), 'suspect'],
    ['few, all silent, and a plane that fails for less than 5 min', times(10, few), 'suspect'],
    ['few, all silent, and a plane that fails for 5 min', times(11, few), 'down'],
    ['few of which one answers', times(20, { ...few, silent: 2 }), 'suspect'],
    ['a plane that fails, and nothing to probe, is only suspect', times(40, mute), 'suspect'],
    [
      'a plane that fails over replicas that answer is only suspect',
      times(40, { ...well, control: 'failing' }),
      'suspect',
    ],
    ['no evidence changes nothing', [...times(2, dead), ...times(9, { ...mute, control: 'unknown' })], 'suspect'],
    ['suspect and well for a minute is healthy', [...times(2, dead), ...times(3, well)], 'healthy'],
    ['suspect and well for less is not', [...times(2, dead), ...times(2, well)], 'suspect'],
    ['down and well for a minute recovers', [...times(5, dead), ...times(3, well)], 'recovering'],
    ['recovering and well for ten minutes is healthy', [...times(5, dead), ...times(21, well)], 'healthy'],
    ['recovering is not trusted sooner', [...times(5, dead), ...times(20, well)], 'recovering'],
    [
      'recovering and dead again is down at the second sweep',
      [...times(5, dead), ...times(3, well), dead, dead],
      'down',
    ],
  ])('%s', (_, sweeps, state) => {
    expect(last(lived(sweeps))).toBe(state);
  });

  it('says what it goes by', () => {
    const health = times(2, { ...few, silent: 2 }).reduce<PoolHealth | null>(
      (before, evidence, n) => nextHealth(before, evidence, at + n * sweepMs),
      null,
    );
    expect(health?.message).toBe('2 of 3 replicas of one service cannot be reached; its control plane fails');
  });

  it('leaves no trace once nothing speaks against it', () => {
    expect(nextHealth(null, well, at)).toBeNull();
  });

  const anEvidence = fc.record({
    probed: fc.nat(30),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    services: fc.integer({ min: 1, max: 4 }),
    control: fc.constantFrom('answering' as const, 'failing' as const, 'unknown' as const),
  });
  const evidences = fc.array(
    anEvidence.map(({ probed, share, services, control }) => ({
      probed,
      silent: Math.round(probed * share),
      services,
      control,
    })),
    { maxLength: 60 },
  );

  it('is never down within 120 s of a sweep in which most answered', () => {
    fc.assert(
      fc.property(evidences, (sweeps) => {
        const states = lived(sweeps);
        return sweeps.every((evidence, n) => {
          const answered = evidence.probed > 0 && evidence.silent / evidence.probed < 0.45;
          const wasDown = states[n] === 'down';
          return !answered || wasDown || states.slice(n, n + 4).every((state) => state !== 'down');
        });
      }),
    );
  });

  it('never goes from down to trusted without recovering', () => {
    fc.assert(
      fc.property(evidences, (sweeps) =>
        lived(sweeps).every((state, n, all) => all[n - 1] !== 'down' || state === 'down' || state === 'recovering'),
      ),
    );
  });
});

describe('several sweeps in one region', () => {
  const one = (over: Partial<Evidence>, ...names: string[]) => ({ ...well, ...over, serviceNames: new Set(names) });
  it('are summed, and a service in two pools counts once', () => {
    expect(together([one({ probed: 3, silent: 1 }, 'a/x', 'a/y'), one({ probed: 2, silent: 2 }, 'a/y')])).toEqual({
      probed: 5,
      silent: 3,
      services: 2,
      control: 'answering',
    });
  });

  it.each([
    [['failing', 'unknown'], 'failing'],
    [['failing', 'answering'], 'answering'],
    [['unknown', 'unknown'], 'unknown'],
  ] as const)('planes that are %s are together %s', (planes, control) => {
    expect(together(planes.map((plane) => one({ control: plane }))).control).toBe(control);
  });
});

const health = (state: PoolHealth['state']): PoolHealth => ({
  state,
  since: at,
  doubts: 2,
  deadSince: null,
  wellSince: null,
  message: 'all are silent',
});
const pool = (name: string, state: PoolHealth['state'] | null, over: Partial<PoolRow> = {}): PoolRow =>
  aPool({ pool: name, listedGroups: 3, health: state === null ? null : health(state), ...over });

describe('being cut off', () => {
  it.each<[string, PoolRow[], boolean]>([
    ['no pool is no reason', [], false],
    ['one of two is down', [pool('a', 'down'), pool('b', null)], false],
    ['all are down', [pool('a', 'down'), pool('b', 'down')], true],
    ['all that hold replicas are down', [pool('a', 'down'), pool('b', null, { listedGroups: 0 })], true],
    ['all are suspect', [pool('a', 'suspect'), pool('b', 'suspect')], false],
    ['one is recovering', [pool('a', 'down'), pool('b', 'recovering')], false],
  ])('%s', (_, pools, expected) => {
    expect(isCutOff(pools)).toBe(expected);
  });

  it.each<[string, PoolRow[], (string | null)[]]>([
    ['suspicion holds while another pool is trusted', [pool('a', 'suspect'), pool('b', null)], ['suspect', null]],
    ['and is dropped where none is', [pool('a', 'suspect'), pool('b', 'down')], [null, 'down']],
    ['a cordoned pool is no way out', [pool('a', 'suspect'), pool('b', null, { cordoned: true })], [null, null]],
  ])('%s', (_, pools, expected) => {
    expect(asTrusted(pools).map((one) => one.health?.state ?? null)).toEqual(expected);
  });
});

describe('a replica in a region', () => {
  const turned = (row: ReplicaRow, state: PoolHealth['state'] | null) => turnOf(row, pool('east', state), at + 1);

  it.each(['starting', 'ready', 'unready'] as const)('that goes down is lost, if it is %s', (state) => {
    const turn = turned(inState(state), 'down');
    expect(turn?.row).toMatchObject({ state: 'lost', stateAt: at + 1, reason: 'PoolDown', endpoint: false });
    const left = state === 'ready' ? ['EndpointRemoved'] : [];
    expect(turn?.events.map(({ type }) => type)).toEqual([...left, 'ReplicaLost']);
    expect(isLegal('watch', state, 'lost')).toBe(true);
  });

  it.each(['planned', 'creating', 'failed', 'draining', 'deleting', 'gone', 'lost'] as const)(
    'that goes down is left as it is, if it is %s',
    (state) => expect(turned(inState(state), 'down')).toBeNull(),
  );

  it.each(['recovering', 'suspect', null] as const)('that is back (%s) is unready until it is seen', (state) => {
    const turn = turned(inState('lost'), state);
    expect(turn?.row).toMatchObject({ state: 'unready', reason: null, endpoint: false });
    expect(turn?.events.map(({ type }) => type)).toEqual(['ReplicaRegained']);
    expect(turned(inState('ready'), state)).toBeNull();
  });
});

describe('the pace of an evacuation', () => {
  it('lets those first of which the least is left, and the others wait for what they create', () => {
    const apps = [
      { app: 'half', lost: 10, left: 10 },
      { app: 'untouched', lost: 0, left: 5 },
      { app: 'gone', lost: 20, left: 0 },
      { app: 'most', lost: 1, left: 9 },
    ];
    expect([...paced(apps, 1 / 3_000)]).toEqual([
      ['gone', 0],
      ['half', 60_000],
      ['most', 90_000],
    ]);
  });

  it('does not wait where nothing can be created anyway', () => {
    expect([
      ...paced(
        [
          { app: 'a', lost: 5, left: 0 },
          { app: 'b', lost: 5, left: 0 },
        ],
        0,
      ).values(),
    ]).toEqual([0, 0]);
  });
});
