/** The queue handlers in the form in which the Functions host calls them: message and context in, nothing out. */
import type { InvocationContext } from '@azure/functions';
import type { Workflows } from '../ports/workflows.ts';
import type { Incoming } from './incoming.ts';
import type { CommandPorts } from './ports.ts';
import { createQueueHandlers, type QueueSettings } from './queue-handlers.ts';

type Trigger = (body: unknown, context: InvocationContext) => Promise<void>;

export interface QueueTriggers {
  readonly message: Trigger;
  readonly deadLetter: Trigger;
}

/** Instances are started through the client of the invocation that the context belongs to. */
export function createQueueTriggers(
  ports: CommandPorts,
  workflowsOf: (context: InvocationContext) => Pick<Workflows, 'start'>,
  settings: QueueSettings,
): QueueTriggers {
  const { onMessage, onDeadLetter } = createQueueHandlers(ports, settings);
  return {
    message: (body, context) => onMessage(incoming(body, context), workflowsOf(context)),
    deadLetter: (body, context) => onDeadLetter(incoming(body, context), workflowsOf(context)),
  };
}

function incoming(body: unknown, { triggerMetadata = {} }: InvocationContext): Incoming {
  const text = (name: string): string | null => (triggerMetadata[name] ? String(triggerMetadata[name]) : null);
  return {
    body,
    messageId: text('messageId') ?? 'unknown',
    replyTo: text('replyTo'),
    replyToSessionId: text('replyToSessionId'),
  };
}
