/**
 * Output bindings: Service Bus queues. What a function returned, or put into `context.extraOutputs`, is sent when it has succeeded and before its
 * trigger is told; if sending fails, so has the function.
 */
import type { ServiceBusMessage, ServiceBusSender } from '@azure/service-bus';
import type { RegisteredFunction } from './functions-core.ts';
import type { InvocationOutcome, Invoker, LogSink } from './invoke.ts';
import type { RpcBinding, RpcTypedData } from './rpc.ts';
import { type ClientFactory, resolveConnection } from './service-bus-connection.ts';
import { resolveSettings, type Settings } from './settings.ts';
import type { StartProblem } from './start-error.ts';

export interface OutputPlan {
  readonly fn: RegisteredFunction;
  /** `$return`, or the name under which the function sets it. */
  readonly key: string;
  readonly queueName: string;
  readonly connect: ClientFactory;
}

/** What cannot be sent is refused by name. */
export function planOutput(
  fn: RegisteredFunction,
  key: string,
  binding: RpcBinding,
  settings: Settings,
): OutputPlan | StartProblem {
  const refuse = (problem: string, remedy: string) => ({ path: `function "${fn.name}"`, problem, remedy });
  if (binding.type.toLowerCase() !== 'servicebus')
    return refuse(`output "${binding.type}" is not supported`, 'write it with a client of your own');
  const { queueName, topicName, connection } = binding;
  if (topicName !== undefined) return refuse('an output to a topic is not supported', 'send to a queue');
  const queue = resolveSettings(String(queueName ?? ''), settings);
  if (!queue.ok) {
    const problem = `queueName of an output refers to the setting %${queue.missing}%, which has no value`;
    return refuse(problem, `set ${queue.missing} in the environment of the host`);
  }
  if (queue.value === '') return refuse('queueName of an output is missing', 'name the queue');
  const name = typeof connection === 'string' && connection !== '' ? connection : 'AzureWebJobsServiceBus';
  const resolved = resolveConnection(name, settings);
  if (!resolved.ok) return refuse(resolved.problem, resolved.remedy);
  return { fn, key, queueName: queue.value, connect: resolved.connect };
}

export interface OutputInvoker extends Invoker {
  close(): Promise<void>;
}

/** Longer than the client's own tries take. */
const sendDeadlineMs = 30_000;

export function withOutputs(inner: Invoker, plans: readonly OutputPlan[], log: LogSink): OutputInvoker {
  const senders = new Map<OutputPlan, Promise<{ sender: ServiceBusSender; close(): Promise<void> }>>();
  const senderOf = (plan: OutputPlan) => {
    const known = senders.get(plan) ?? open(plan);
    senders.set(plan, known);
    return known;
  };
  const send = async (plan: OutputPlan, data: RpcTypedData | null | undefined) => {
    const messages = messagesOf(data);
    if (messages.length === 0) return;
    const { sender } = await senderOf(plan);
    await sender.sendMessages(messages, { abortSignal: AbortSignal.timeout(sendDeadlineMs) });
  };
  return {
    inFlight: () => inner.inFlight(),
    async invoke(fn, invocation) {
      const outcome = await inner.invoke(fn, invocation);
      const own = plans.filter((plan) => plan.fn === fn);
      if (!outcome.ok || own.length === 0) return outcome;
      try {
        for (const plan of own) await send(plan, outputOf(outcome, plan.key));
        return outcome;
      } catch (error) {
        const message = `Executed "${fn.name}" (Failed): its output was not sent: ${messageOf(error)}`;
        const { invocationId } = outcome;
        log({ level: 'error', category: 'host', message, functionName: fn.name, invocationId });
        return { ok: false, invocationId, error: { message }, timedOut: false };
      }
    },
    async close() {
      const opened = await Promise.allSettled(senders.values());
      await Promise.allSettled(opened.map((one) => (one.status === 'fulfilled' ? one.value.close() : undefined)));
    },
  };
}

async function open({ connect, queueName }: OutputPlan) {
  const client = await connect();
  return { sender: client.createSender(queueName), close: () => client.close() };
}

function outputOf(outcome: Extract<InvocationOutcome, { ok: true }>, key: string): RpcTypedData | null | undefined {
  return key === '$return' ? outcome.returnValue : outcome.outputData.find(({ name }) => name === key)?.data;
}

/** An array is one message per element; a body travels as the bytes of its text, objects as JSON. */
export function messagesOf(data: RpcTypedData | null | undefined): ServiceBusMessage[] {
  if (!data) return [];
  if (data.bytes) return [{ body: Buffer.from(data.bytes), contentType: 'application/octet-stream' }];
  const number = data.int ?? data.double;
  const written = data.string ?? (number === null || number === undefined ? undefined : String(number));
  if (written !== undefined && written !== null) return [ofText(written)];
  if (data.json === undefined || data.json === null) return [];
  const value: unknown = JSON.parse(data.json);
  return (Array.isArray(value) ? value : [value]).filter((one) => one !== null).map(ofValue);
}

const ofText = (text: string): ServiceBusMessage => ({ body: Buffer.from(text), contentType: 'text/plain' });
const ofValue = (value: unknown): ServiceBusMessage =>
  typeof value === 'string'
    ? ofText(value)
    : { body: Buffer.from(JSON.stringify(value)), contentType: 'application/json' };

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
