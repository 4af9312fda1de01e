/** The queue handlers in the form in which the Functions host calls them: message and context in, nothing out. */
import type { InvocationContext } from '@azure/functions';
import type { Workflows } from '../ports/workflows.ts';
import type { CommandPorts } from './ports.ts';
import { createQueueHandlers } from './queue-handlers.ts';

type Trigger = (body: unknown, context: InvocationContext) => Promise<void>;

export interface QueueTriggers {
  readonly message: Trigger;
  readonly deadLetter: Trigger;
}

/** Instances are started through the client of the invocation that the context belongs to. */
export function createQueueTriggers(
  ports: CommandPorts,
  workflowsOf: (context: InvocationContext) => Pick<Workflows, 'start'>,
): QueueTriggers {
  const { onMessage, onDeadLetter } = createQueueHandlers(ports);
  const messageId = ({ triggerMetadata }: InvocationContext) => String(triggerMetadata?.['messageId'] ?? 'unknown');
  return {
    message: (body, context) => onMessage(body, messageId(context), workflowsOf(context)),
    deadLetter: (body, context) => onDeadLetter(body, messageId(context), workflowsOf(context)),
  };
}
