/** A received Service Bus message in the form in which the host hands it to a function. */
import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import type { RegisteredFunction } from './functions-core.ts';
import type { Invocation } from './invoke.ts';
import type { RpcTypedData } from './rpc.ts';

/** The body travels as text (the library parses JSON); the message must have been received with `skipParsingBodyAsJson`. */
export function toInvocation(fn: RegisteredFunction, message: ServiceBusReceivedMessage): Invocation {
  return {
    inputData: [{ name: fn.trigger.name, data: { string: bodyText(message.body) } }],
    triggerMetadata: triggerMetadata(message),
  };
}

function bodyText(body: unknown): string {
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8');
  return body === undefined || body === null ? '' : JSON.stringify(body);
}

function triggerMetadata(message: ServiceBusReceivedMessage): Record<string, RpcTypedData> {
  const texts: Record<string, string | undefined> = {
    MessageId: text(message.messageId),
    CorrelationId: text(message.correlationId),
    SessionId: message.sessionId,
    ReplyToSessionId: message.replyToSessionId,
    PartitionKey: message.partitionKey,
    ContentType: message.contentType,
    Subject: message.subject,
    To: message.to,
    ReplyTo: message.replyTo,
    LockToken: message.lockToken,
    DeadLetterSource: message.deadLetterSource,
    DeadLetterReason: message.deadLetterReason,
    DeadLetterErrorDescription: message.deadLetterErrorDescription,
    EnqueuedTimeUtc: message.enqueuedTimeUtc?.toISOString(),
    ExpiresAtUtc: message.expiresAtUtc?.toISOString(),
  };
  const metadata: Record<string, RpcTypedData> = {
    // The JavaScript client shows the raw AMQP header (0 at first); the extension counts deliveries from 1.
    DeliveryCount: { int: (message.deliveryCount ?? 0) + 1 },
    SequenceNumber: { int: Number(message.sequenceNumber ?? 0) },
    ApplicationProperties: { json: JSON.stringify(message.applicationProperties ?? {}) },
  };
  for (const [name, value] of Object.entries(texts)) {
    if (value !== undefined) metadata[name] = { string: value };
  }
  return metadata;
}

function text(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}
