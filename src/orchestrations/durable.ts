/** A thin, typed skin over `context.df`: activities by name with their own inputs and results. Tasks are fresh at every yield and fan out by `Task.all` only. */
import type { OrchestrationContext, Task } from 'durable-functions';
import type { Activities } from '../activities/activities.ts';

export type Durable = OrchestrationContext['df'];

export type ActivityName = keyof Activities;
export type InputOf<N extends ActivityName> = Parameters<Activities[N]>[0];
export type OutputOf<N extends ActivityName> = Awaited<ReturnType<Activities[N]>>;

/** What an orchestrator yields, and what it gets back. */
export type Flow<T> = Generator<Task, T, unknown>;

export interface Call<N extends ActivityName> {
  readonly name: N;
  readonly input: InputOf<N>;
}

export function* call<N extends ActivityName>(df: Durable, name: N, input: InputOf<N>): Flow<OutputOf<N>> {
  return (yield df.callActivity(name, input)) as OutputOf<N>;
}

/** Results of the waves that came through, in the order of the calls; `failed` counts those that did not. */
export interface Waves<N extends ActivityName> {
  readonly results: readonly OutputOf<N>[];
  readonly failed: number;
}

/** Calls in waves of at most `width` at a time. A wave that fails does not keep the next from starting. */
export function* inWaves<N extends ActivityName>(
  df: Durable,
  calls: readonly Call<N>[],
  width: number,
): Flow<Waves<N>> {
  const results: OutputOf<N>[] = [];
  let failed = 0;
  for (let from = 0; from < calls.length; from += width) {
    const wave = calls.slice(from, from + width).map(({ name, input }) => df.callActivity(name, input));
    try {
      results.push(...((yield df.Task.all(wave)) as OutputOf<N>[]));
    } catch {
      // Results are values; only a worker that died fails an activity. The next pass sees what became of it.
      failed += 1;
    }
  }
  return { results, failed };
}
