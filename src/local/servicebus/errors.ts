/**
 * The refusals a Service Bus client can receive, as values: an AMQP error condition and a sentence.
 * The conditions are those of Azure (learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-troubleshoot); what each becomes in
 * JavaScript is decided by `@azure/core-amqp`.
 */
export interface Refusal {
  /** AMQP error condition, such as `com.microsoft:message-lock-lost`. */
  readonly condition: string;
  readonly description: string;
}

/** A value that may be a refusal instead. */
export type OrRefusal<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

export const granted = <T>(value: T): OrRefusal<T> => ({ ok: true, value });
export const refused = (refusal: Refusal): OrRefusal<never> => ({ ok: false, refusal });

export const messageLockLost: Refusal = {
  condition: 'com.microsoft:message-lock-lost',
  description:
    'The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue, or was received by a different receiver.',
};

export const sessionLockLost = (sessionId: string): Refusal => ({
  condition: 'com.microsoft:session-lock-lost',
  description: `The session lock has expired on the session '${sessionId}'. Accept the session again.`,
});

export const sessionCannotBeLocked = (sessionId: string): Refusal => ({
  condition: 'com.microsoft:session-cannot-be-locked',
  description: `The requested session '${sessionId}' cannot be accepted. It may be locked by another receiver.`,
});

export const noSessionInTime: Refusal = {
  condition: 'com.microsoft:timeout',
  description: 'No session with messages became available within the requested time.',
};

/** The wording matters: the client recognises `The messaging entity … could not be found`. */
export const entityNotFound = (address: string): Refusal => ({
  condition: 'amqp:not-found',
  description: `The messaging entity '${address}' could not be found. Queues and topics are declared in the configuration of the local broker.`,
});

export const entityNotFoundNamed = (what: string): Refusal => ({
  condition: 'amqp:not-found',
  description: `The messaging entity '${what}' could not be found.`,
});

export const ruleExists = (name: string): Refusal => ({
  condition: 'com.microsoft:entity-already-exists',
  description: `The rule '${name}' already exists. Remove it first, or give the new one another name.`,
});

export const messageNotFound = (sequence: number): Refusal => ({
  condition: 'com.microsoft:message-not-found',
  description: `There is no such message with the sequence number ${sequence}: it was neither deferred nor scheduled, is locked, or is gone.`,
});

export const notAllowed = (description: string): Refusal => ({ condition: 'amqp:not-allowed', description });

export const unauthorized = (description: string): Refusal => ({
  condition: 'amqp:unauthorized-access',
  description,
});

export const malformed = (description: string): Refusal => ({ condition: 'amqp:decode-error', description });

export const messageTooLarge = (sizeBytes: number, limitBytes: number): Refusal => ({
  condition: 'amqp:link:message-size-exceeded',
  description: `The received message (size: ${sizeBytes} bytes) exceeds the limit (${limitBytes} bytes) currently allowed on the link.`,
});

export const quotaExceeded = (queue: string, limitBytes: number): Refusal => ({
  condition: 'amqp:resource-limit-exceeded',
  description: `The queue '${queue}' has reached its maximum size of ${limitBytes} bytes. Receive messages before sending more.`,
});

/** What Azure offers and this broker does not; `operation` is named as in the client or the protocol. */
export const notOffered = (operation: string): Refusal => ({
  condition: 'amqp:not-implemented',
  description: `The local Service Bus does not offer ${operation}.`,
});

export const internalError = (cause: unknown): Refusal => ({
  condition: 'amqp:internal-error',
  description: cause instanceof Error ? cause.message : String(cause),
});
