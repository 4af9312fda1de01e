/** Brings a service to what its guard asks for. The kind names only why the workflow was started: every pass reconciles the whole service. */
import type { OrchestrationContext } from 'durable-functions';
import type { Flow } from './durable.ts';
import { type WorkflowResult, walk } from './walk.ts';

export function* deployment(context: OrchestrationContext): Flow<WorkflowResult> {
  return yield* walk(context);
}
