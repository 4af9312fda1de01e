/** The assessor of an app: sees what its services need, starts or hints their workflows, waits for none of them, ends. */
import type { OrchestrationContext } from 'durable-functions';
import type { AssessInput } from '../activities/assess.ts';
import { call, type Flow, inWaves } from './durable.ts';

/** Rounds forced by changes under way; whatever comes later finds the due row, and the resync starts the next assessor. */
const roundsMax = 5;
const width = 10;

export function* app(context: OrchestrationContext): Flow<{ readonly rounds: number }> {
  const { df } = context;
  const input = df.getInput<AssessInput>();
  for (let round = 1; ; round += 1) {
    const { orders, ...seen } = yield* call(df, 'assess', { app: input.app });
    const calls = orders.map((one) => ({ name: 'startWorkflow' as const, input: { app: input.app, ...one } }));
    const { results, failed } = yield* inWaves(df, calls, width);
    // What was claimed and not started is started in the next round: as a broken workflow it would be found minutes later.
    const unsure = failed > 0 || results.some(({ outcome }) => outcome === 'refused');
    const { again } = yield* call(df, 'settle', { app: input.app, ...seen, again: seen.again || unsure });
    if (!again || round === roundsMax) return { rounds: round };
  }
}
