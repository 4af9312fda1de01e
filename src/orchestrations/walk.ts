/**
 * What every workflow of a service does: pass, walk the plan's steps, wait for a hint or the plan's next instant, again, until the work is done or
 * another workflow has taken over. It never waits for a replica inside a step: states are seen by the next pass. Pure: same history, same actions.
 */
import type { OrchestrationContext } from 'durable-functions';
import type { PassInput, PassResult } from '../activities/pass.ts';
import { names } from '../model/names.ts';
import type { Step } from '../model/plan.ts';
import { type Call, call, type Durable, type Flow, inWaves } from './durable.ts';

export interface WorkflowInput {
  readonly app: string;
  readonly service: string;
}

export interface WorkflowResult {
  readonly outcome: 'released' | 'superseded' | 'continued';
}

/** Steps at a time. */
const width = 10;
/** A history grows with every action and is replayed at every turn; a new generation begins here, plus at most one pass's steps. */
const actionsPerGeneration = 100;
/**
 * Timers are sent as whole seconds and fire up to a second early: a wait of one second may be none at all, and passes would then follow each other
 * without pause. Two leave at least one.
 */
const shortestWaitMs = 2_000;
/** The wait after a pass whose worker died. */
const failedPassMs = 5_000;

export function* walk(context: OrchestrationContext): Flow<WorkflowResult> {
  const { df } = context;
  const input = df.getInput<WorkflowInput>();
  const target: PassInput = { app: input.app, service: input.service, workflow: df.instanceId };
  for (let actions = 0; ; ) {
    const seen = yield* look(df, target);
    if (seen?.outcome === 'superseded') return { outcome: 'superseded' };
    const steps = (seen?.steps ?? []).map((step) => toCall(step, target.workflow));
    yield* inWaves(df, steps, width);
    const isDone = seen?.outcome === 'done';
    if (isDone && (yield* letGo(df, target, seen))) return { outcome: 'released' };
    actions += 3 + steps.length;
    if (actions >= actionsPerGeneration) {
      // Right after an activity: after a wait, an event could be carried over for ever.
      df.continueAsNew({ app: input.app, service: input.service });
      return { outcome: 'continued' };
    }
    // Only the pass can say that nothing is to be waited for: its host's clock may be behind, and `wakeAt` past, again and again.
    if (!isDone && !seen?.atOnce) yield* pause(df, seen?.wakeAt ?? timeOf(df) + failedPassMs);
  }
}

/** null = the worker died under it. */
function* look(df: Durable, target: PassInput): Flow<PassResult | null> {
  try {
    return yield* call(df, 'pass', target);
  } catch {
    return null;
  }
}

function* letGo(df: Durable, target: PassInput, { guardEtag }: PassResult): Flow<boolean> {
  try {
    const { outcome } = yield* call(df, 'finish', { ...target, guardEtag });
    return outcome === 'released';
  } catch {
    return false;
  }
}

const toCall = (step: Step, workflow: string): Call<'createGroup' | 'deleteGroup'> =>
  step.kind === 'createGroup'
    ? { name: 'createGroup', input: { ...step, workflow } }
    : { name: 'deleteGroup', input: { ...step, workflow } };

const timeOf = (df: Durable): number => df.currentUtcDateTime.getTime();

/** The loser of the race is cancelled, or the instance could not end before it fires. Waking early is harmless: the pass looks at the time itself. */
function* pause(df: Durable, wakeAt: number): Flow<void> {
  const now = timeOf(df);
  const timer = df.createTimer(new Date(Math.max(wakeAt, now + shortestWaitMs)));
  yield df.Task.any([df.waitForExternalEvent(names.hint), timer]);
  if (!timer.isCompleted) timer.cancel();
}
