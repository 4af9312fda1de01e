/** Takes down a service that is no longer wanted, until ARM has confirmed that every group is gone. */
import type { OrchestrationContext } from 'durable-functions';
import type { Flow } from './durable.ts';
import { type WorkflowResult, walk } from './walk.ts';

export function* teardown(context: OrchestrationContext): Flow<WorkflowResult> {
  return yield* walk(context);
}
