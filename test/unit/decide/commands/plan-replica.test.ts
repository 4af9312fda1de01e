import { describe, expect, it } from 'vitest';
import type { CommandView, Write } from '../../../../src/decide/commands/conclude.ts';
import { planForget, planReplace } from '../../../../src/decide/commands/plan-replica.ts';
import { keyOf } from '../../../../src/model/keys.ts';
import type { AppRow, ReplicaState, Row, Stored } from '../../../../src/model/state.ts';
import { aGuard, anApp, anAppRow, anOperation, aService, at } from '../../../support/rows.ts';
import { inState } from '../../../support/snapshots.ts';

const stored = <R extends Row>(row: R): Stored<R> => ({ ...row, etag: `etag of ${keyOf(row).row}` });
const moment = { now: at + 60_000, txId: 'tx-1' };
const operation = stored(anOperation({ seq: 2, command: 'replaceReplica' }));
const replica = { service: 'web', slot: 0, incarnation: 1 };

const viewOf = (state: ReplicaState, app: Partial<AppRow> = {}): CommandView => ({
  app: stored(anAppRow({ nextSeq: 3, spec: anApp('shop', [aService('web')]), ...app })),
  guards: [stored(aGuard({ cycle: 4 }))],
  revisions: [],
  replicas: [stored(inState(state, { cycle: 4, reason: 'ProbeFailed', message: 'Bad.' }))],
  rollouts: [],
});

const rowsOf = <K extends Row['kind']>(writes: readonly Write[], kind: K) =>
  writes.map(({ row }) => row).filter((row) => row.kind === kind) as Extract<Row, { kind: K }>[];
const shown = (writes: readonly Write[]) => {
  const [end] = rowsOf(writes, 'op');
  return [end?.state, end?.reason, end?.problems.map(({ path }) => path)];
};

describe('replacing one replica by command', () => {
  it.each(['planned', 'creating', 'starting', 'ready', 'unready', 'lost', 'failed'] as const)(
    'makes one that is %s count as older than the last restart, and stirs its service',
    (state) => {
      const writes = planReplace(viewOf(state), operation, replica, moment);
      expect(rowsOf(writes, 'replica')).toEqual([inState(state, { cycle: 3, reason: 'ProbeFailed', message: 'Bad.' })]);
      expect(writes.find(({ row }) => row.kind === 'replica')?.etag).toBe('etag of replica|web|0000|00000001');
      expect(rowsOf(writes, 'service')).toMatchObject([{ cycle: 4, generation: 2, lastTx: 'tx-1' }]);
      expect(rowsOf(writes, 'event').map(({ type }) => type)).toEqual(['OperationApplied', 'ReplicaCondemned']);
      expect(shown(writes)).toEqual(['applied', null, []]);
    },
  );

  it.each(['draining', 'deleting', 'gone'] as const)('is refused of one that is %s', (state) => {
    const writes = planReplace(viewOf(state), operation, replica, moment);
    expect(rowsOf(writes, 'replica')).toEqual([]);
    expect(shown(writes)).toEqual(['rejected', 'ReplicaNotFit', ['replicas.web/0/1']]);
  });

  it.each([{ slot: 1 }, { incarnation: 2 }, { service: 'api' }])('is refused of one that is not there: %o', (other) => {
    const writes = planReplace(viewOf('ready'), operation, { ...replica, ...other }, moment);
    expect(shown(writes).slice(0, 2)).toEqual(['rejected', 'ReplicaNotFit']);
  });

  it('waits for the thaw in a frozen app', () => {
    const writes = planReplace(viewOf('ready', { frozen: true }), operation, replica, moment);
    expect(shown(writes)).toEqual(['applied', 'Frozen', ['']]);
  });
});

describe('forgetting one replica by command', () => {
  it.each(['lost', 'failed', 'deleting'] as const)('closes the row of one that is %s', (state) => {
    const writes = planForget(viewOf(state), operation, replica, moment);
    const change = { state: 'gone', stateAt: at + 60_000, reason: 'Forgotten', endpoint: false, attempt: null };
    expect(rowsOf(writes, 'replica')).toMatchObject([change]);
    expect(rowsOf(writes, 'event').map(({ type }) => type)).toEqual(['OperationApplied', 'ReplicaForgotten']);
  });

  it.each(['planned', 'creating', 'starting', 'ready', 'unready', 'draining', 'gone'] as const)(
    'is refused of one that is %s',
    (state) => {
      const writes = planForget(viewOf(state), operation, replica, moment);
      expect(rowsOf(writes, 'replica')).toEqual([]);
      expect(shown(writes)).toEqual(['rejected', 'ReplicaNotFit', ['replicas.web/0/1']]);
    },
  );

  it('says what to do about one that serves', () => {
    const [end] = rowsOf(planForget(viewOf('ready'), operation, replica, moment), 'op');
    expect(end?.problems[0]?.remedy).toBe('Replace it with `flotilla replica replace shop.web.0`.');
  });
});
