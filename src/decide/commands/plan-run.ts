/** What running a command and ending a run change: one row that the service's workflow finds at its next pass. No generation: what is wanted stays as it is. */
import { defaults } from '../../model/defaults.ts';
import { limits } from '../../model/limits.ts';
import type { Problem } from '../../model/problem.ts';
import type { Reason } from '../../model/reasons.ts';
import { isRun, type RunRow, runId, runSlot } from '../../model/run.ts';
import type { GuardRow, OperationRow, ReplicaRow, Stored } from '../../model/state.ts';
import { formatInstant } from '../../model/units.ts';
import { freshReplica } from '../fresh-replica.ts';
import { absenceOf, unknownService } from './change-services.ts';
import { type CommandView, conclude, type Moment, type Write, withoutEtag } from './conclude.ts';
import { planRejection } from './plan-refusal.ts';

export interface RunWish {
  readonly service: string;
  readonly program?: readonly string[] | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly name?: string | undefined;
  readonly timeoutMs?: number | undefined;
}

export function planRun(
  view: CommandView,
  operation: Stored<OperationRow>,
  wish: RunWish,
  moment: Moment,
): readonly Write[] {
  const present = view.guards.filter(({ removed }) => !removed);
  const guard = present.find(({ service }) => service === wish.service);
  const known = present.map(({ service }) => service);
  const refusal = absenceOf(view) ?? (guard === undefined ? noService(wish.service, known) : refusalOf(view, wish));
  if (refusal !== null || guard === undefined)
    return planRejection(view, operation, refusal ?? noService(wish.service, known), moment);
  const row = runRow(guard, operation, wish, moment.now);
  const next: GuardRow = {
    ...withoutEtag<GuardRow>(guard),
    nextIncarnation: guard.nextIncarnation + 1,
    lastTx: moment.txId,
  };
  const named = wish.name === undefined ? '' : ` (${wish.name})`;
  const message = `Run ${runId(row)}${named} of revision ${row.revision} is to be over by ${formatInstant(row.run.deadlineAt)}.`;
  return conclude(
    view,
    operation,
    {
      state: 'applied',
      app: withoutEtag(view.app),
      services: [
        { row: next, etag: guard.etag },
        { row, etag: null },
      ],
      happenings: [{ type: 'RunPlanned', service: guard.service, message }],
      reason: null,
      problems: view.app.frozen ? [frozenNotice(view.app.app)] : [],
      summary: `Run ${runId(row)} is planned.`,
    },
    moment,
  );
}

/** One that is over already is left as it is. */
export function planCancel(
  view: CommandView,
  operation: Stored<OperationRow>,
  id: string,
  moment: Moment,
): readonly Write[] {
  const absent = absenceOf(view);
  if (absent !== null) return planRejection(view, operation, absent, moment);
  const run = view.replicas.filter((row) => isRun(row)).find((row) => runId(row) === id && row.state !== 'gone');
  if (run === undefined) {
    const problem = `the app has no run ${id} that is not over.`;
    const remedy = `See \`flotilla runs ${view.app.app}\`.`;
    return planRejection(view, operation, refusal('RunNotFound', { path: 'run', problem, remedy }), moment);
  }
  const isNew = run.run.end === null && !run.run.canceled;
  const row: ReplicaRow = { ...withoutEtag<ReplicaRow>(run), run: { ...run.run, canceled: true } };
  const app = withoutEtag(view.app);
  return conclude(
    view,
    operation,
    {
      state: 'applied',
      // Stirs the workflow that may be waiting for it.
      app: isNew ? { ...app, updatedAt: moment.now } : app,
      services: isNew ? [{ row, etag: run.etag }] : [],
      happenings: isNew ? [{ type: 'RunCanceled', service: run.service, message: `Run ${id} is to end.` }] : [],
      reason: null,
      problems: [],
      summary: isNew ? `Run ${id} is to end.` : `Run ${id} is over already.`,
    },
    moment,
  );
}

type Refused = Parameters<typeof planRejection>[2];

const refusal = (reason: Reason, problem: Omit<Problem, 'severity'>): Refused => ({
  reason,
  problems: [{ severity: 'error', ...problem }],
});

const noService = (service: string, known: readonly string[]): Refused => ({
  reason: 'ServiceNotFound',
  problems: [unknownService(service, known)],
});

function refusalOf({ replicas, app }: CommandView, { program, environment }: RunWish): Refused | null {
  const bytes = Buffer.byteLength(JSON.stringify([program ?? [], environment ?? {}]));
  if (bytes > limits.runBytes) {
    const problem = `program and environment take ${bytes} bytes, but may take at most ${limits.runBytes}.`;
    return refusal('InvalidMessage', {
      path: 'program',
      problem,
      remedy: 'Put what is long into the image or a volume.',
    });
  }
  const open = replicas.filter((row) => isRun(row) && row.state !== 'gone').length;
  if (open < limits.runsPerApp) return null;
  return refusal('TooManyRuns', {
    path: 'command',
    problem: `${open} runs are not over, and an app may have ${limits.runsPerApp}.`,
    remedy: `Wait for one, or end one: \`flotilla runs ${app.app} --cancel ID\`.`,
  });
}

const frozenNotice = (app: string): Problem => ({
  severity: 'warning',
  path: '',
  problem: 'the app is frozen: the run waits, and its time runs.',
  remedy: `Let it go on with \`flotilla thaw ${app}\`.`,
});

function runRow(guard: GuardRow, { id }: OperationRow, wish: RunWish, now: number): RunRow {
  const incarnation = guard.nextIncarnation;
  return {
    ...freshReplica(guard, runSlot(incarnation), incarnation, now),
    run: {
      operation: id,
      name: wish.name ?? null,
      program: wish.program ?? [],
      environment: wish.environment ?? {},
      deadlineAt: now + (wish.timeoutMs ?? defaults.runTimeoutMs),
      canceled: false,
      startedAt: null,
      end: null,
    },
  };
}
