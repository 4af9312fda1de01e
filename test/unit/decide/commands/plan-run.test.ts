/** What the commands `run` and `cancel` write. */
import { describe, expect, it } from 'vitest';
import type { CommandView, Write } from '../../../../src/decide/commands/conclude.ts';
import { planCancel, planRun, type RunWish } from '../../../../src/decide/commands/plan-run.ts';
import type { RunFacts, RunRow } from '../../../../src/model/run.ts';
import type { AppRow, GuardRow, OperationRow, ReplicaRow } from '../../../../src/model/state.ts';
import { aGuard, anAppRow, anOperation, aReplica, at } from '../../../support/rows.ts';

const stored = <R extends object>(row: R): R & { readonly etag: string } => ({ ...row, etag: 'tag' });

const moment = { now: at, txId: 'tx' };
const facts: RunFacts = {
  operation: 'op-0',
  name: null,
  program: [],
  environment: {},
  deadlineAt: at + 1,
  canceled: false,
  startedAt: null,
  end: null,
};
const aRun = (incarnation: number, run: Partial<RunFacts> = {}, over: Partial<ReplicaRow> = {}): RunRow => ({
  ...aReplica({ slot: 10_000 + incarnation, incarnation, state: 'starting', ...over }),
  run: { ...facts, ...run },
});
const viewOf = (
  replicas: readonly ReplicaRow[] = [],
  app: Partial<AppRow> = {},
  guard: Partial<GuardRow> = {},
): CommandView => ({
  app: stored(anAppRow({ nextSeq: 3, ...app })),
  guards: [stored(aGuard({ nextIncarnation: 7, revision: 4, epoch: 2, ...guard }))],
  revisions: [],
  replicas: replicas.map(stored),
  rollouts: [],
});
const operation = stored(anOperation({ seq: 2, command: 'run' }));
const run = (wish: Partial<RunWish> = {}, view = viewOf()) =>
  planRun(view, operation, { service: 'web', ...wish }, moment);
const rowsOf = <K extends Write['row']['kind']>(writes: readonly Write[], kind: K) =>
  writes.map(({ row }) => row).filter((row) => row.kind === kind);
const verdict = (writes: readonly Write[]) => rowsOf(writes, 'op')[0] as OperationRow;
const runOf = (writes: readonly Write[]) => rowsOf(writes, 'replica')[0] as RunRow | undefined;

describe('running a command', () => {
  it('writes one row, without a place yet, of the newest revision, under a number that nothing of the service had', () => {
    const writes = run({ program: ['x', '-v'], environment: { A: '1' }, name: 'nightly', timeoutMs: 60_000 });
    expect(verdict(writes)).toMatchObject({ state: 'applied', problems: [] });
    expect(runOf(writes)).toMatchObject({
      slot: 10_007,
      incarnation: 7,
      revision: 4,
      epoch: 2,
      state: 'planned',
      pool: '',
      ports: [],
      run: {
        operation: operation.id,
        name: 'nightly',
        program: ['x', '-v'],
        environment: { A: '1' },
        deadlineAt: at + 60_000,
      },
    });
    expect(rowsOf(writes, 'service')).toMatchObject([{ nextIncarnation: 8, generation: 1, lastTx: 'tx' }]);
    expect(writes.map(({ row, etag }) => `${row.kind} ${etag === null ? 'insert' : 'update'}`)).toContain(
      'replica insert',
    );
  });

  it('asks for no new generation: what is wanted stays as it is', () => {
    expect(rowsOf(run(), 'app')).toMatchObject([{ generation: 1, appliedSeq: 2 }]);
  });

  it('gives it an hour where no time is stated', () => {
    expect(runOf(run())?.run.deadlineAt).toBe(at + 3_600_000);
  });

  it('tells of it without its program and variables, which may hold secrets', () => {
    const writes = run({ program: ['hush'], environment: { KEY: 'hush' }, name: 'nightly' });
    expect(rowsOf(writes, 'event').map((row) => ('message' in row ? row.message : ''))).toEqual([
      'Run web.7 is planned.',
      expect.stringMatching(/^Run web\.7 \(nightly\) of revision 4 is to be over by 20/),
    ]);
  });

  it('warns where the app is frozen', () => {
    expect(verdict(run({}, viewOf([], { frozen: true }))).problems).toMatchObject([{ severity: 'warning' }]);
  });

  const twenty = Array.from({ length: 20 }, (_, n) => aRun(n + 1));
  it.each<{ name: string; wish?: Partial<RunWish>; view?: CommandView; reason: string }>([
    { name: 'of a service that is not there', wish: { service: 'wbe' }, reason: 'ServiceNotFound' },
    { name: 'of a service that is removed', view: viewOf([], {}, { removed: true }), reason: 'ServiceNotFound' },
    { name: 'of an app that is being deleted', view: viewOf([], { state: 'deleting' }), reason: 'AppBeingDeleted' },
    { name: 'of an app that is deleted', view: viewOf([], { state: 'deleted' }), reason: 'AppNotFound' },
    { name: 'while 20 are not over', view: viewOf(twenty), reason: 'TooManyRuns' },
    {
      name: 'with more text than a row should hold',
      wish: { program: ['x'.repeat(17_000)] },
      reason: 'InvalidMessage',
    },
  ])('is rejected $name', ({ wish = {}, view = viewOf(), reason }) => {
    const writes = run(wish, view);
    expect(verdict(writes)).toMatchObject({ state: 'rejected', reason });
    expect(runOf(writes)).toBeUndefined();
  });

  it('is not hindered by runs that are gone, nor by replicas', () => {
    const gone = twenty.map((row) => ({ ...row, state: 'gone' as const }));
    const replicas = Array.from({ length: 30 }, (_, slot) => aReplica({ slot }));
    expect(verdict(run({}, viewOf([...gone, ...replicas]))).state).toBe('applied');
  });
});

describe('ending a run', () => {
  const cancel = (id: string, view: CommandView) => planCancel(view, operation, id, moment);

  it('is written into its row, and stirs the workflow', () => {
    const writes = cancel('web.3', viewOf([aRun(3), aRun(4)]));
    expect(rowsOf(writes, 'replica')).toMatchObject([{ incarnation: 3, state: 'starting', run: { canceled: true } }]);
    expect(rowsOf(writes, 'app')).toMatchObject([{ updatedAt: at, generation: 1 }]);
  });

  it.each([
    {
      name: 'is ended already',
      run: aRun(3, { end: { at, exitCode: 0, reason: null, message: null } }, { state: 'deleting' }),
    },
    { name: 'was to end before', run: aRun(3, { canceled: true }) },
  ])('changes nothing of one that $name', ({ run: one }) => {
    const writes = cancel('web.3', viewOf([one]));
    expect(verdict(writes).state).toBe('applied');
    expect(rowsOf(writes, 'replica')).toEqual([]);
  });

  it.each([
    { name: 'that is not there', rows: [aRun(4)] },
    { name: 'that is gone', rows: [aRun(3, {}, { state: 'gone' })] },
    { name: 'that is a replica', rows: [aReplica({ incarnation: 3 })] },
  ])('is rejected for one $name', ({ rows }) => {
    expect(verdict(cancel('web.3', viewOf(rows)))).toMatchObject({ state: 'rejected', reason: 'RunNotFound' });
  });
});
