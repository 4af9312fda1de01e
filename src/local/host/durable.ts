/**
 * The app's durable functions as one worker of the engine. Knows how orchestrators and activities are invoked, not when: that is the engine's.
 * Names compare without regard to case, as in the extension.
 */

import type { FunctionKind, WorkerHost } from './engine/types.ts';
import type { RegisteredFunction } from './functions-core.ts';
import type { InvocationOutcome, Invoker } from './invoke.ts';
import type { ParameterBinding, RpcException, RpcTypedData } from './rpc.ts';
import type { TriggerPlan } from './triggers.ts';

/** A failed function, with its own message and stack. */
class FunctionFailure extends Error {
  constructor({ message, stackTrace }: RpcException) {
    super(message);
    this.name = 'FunctionFailure';
    this.stack = stackTrace ?? message;
  }
}

type DurablePlan = Pick<TriggerPlan, 'orchestrators' | 'activities' | 'entities'>;

export function createWorkerHost(id: string, plan: DurablePlan, invoker: Invoker): WorkerHost {
  const functions: Readonly<Record<FunctionKind, ReadonlyMap<string, RegisteredFunction>>> = {
    orchestrator: byName(plan.orchestrators),
    activity: byName(plan.activities),
    // Accepted at start, but none can be run: each use is refused by the engine.
    entity: new Map(),
  };
  const find = (kind: FunctionKind, name: string) => {
    const fn = functions[kind].get(name.toLowerCase());
    if (!fn) throw new Error(`The ${kind} "${name}" is not registered.`);
    return fn;
  };
  return {
    id,
    has: (kind, name) => functions[kind].has(name.toLowerCase()),
    names: (kind) => [...functions[kind].values()].map((fn) => fn.name),
    async runOrchestrator(name, payload, instanceId) {
      const fn = find('orchestrator', name);
      const outcome = await invoker.invoke(fn, {
        inputData: [{ name: fn.trigger.name, data: { string: payload } }],
        triggerMetadata: { instanceId: { string: instanceId } },
      });
      const returned = returnValueOf(outcome);
      const text = returned?.json ?? returned?.string;
      if (typeof text === 'string') return text;
      throw new Error(`The orchestrator "${name}" answered no state; is its handler wrapped by df.app.orchestration?`);
    },
    async runActivity(name, input, triggerMetadata) {
      const fn = find('activity', name);
      const outcome = await invoker.invoke(fn, {
        inputData: [{ name: fn.trigger.name, data: input }],
        triggerMetadata: { ...triggerMetadata, [fn.trigger.name]: input },
      });
      return returnValueOf(outcome);
    },
  };
}

function byName(functions: readonly RegisteredFunction[]): ReadonlyMap<string, RegisteredFunction> {
  return new Map(functions.map((fn) => [fn.name.toLowerCase(), fn]));
}

function returnValueOf(outcome: InvocationOutcome): RpcTypedData | null | undefined {
  if (!outcome.ok) throw new FunctionFailure(outcome.error);
  return outcome.returnValue;
}

/** Whether any function of the app needs the engine. */
export function usesDurable(functions: readonly RegisteredFunction[]): boolean {
  return functions.some(
    (fn) => /^(orchestration|activity|entity)trigger$/i.test(fn.trigger.type) || clientBindings(fn).length > 0,
  );
}

/** The durable client inputs of a function, all with the same value: JSON text of the client binding. */
export function clientInputs(fn: RegisteredFunction, value: string): readonly ParameterBinding[] {
  return clientBindings(fn).map((name) => ({ name, data: { string: value } }));
}

function clientBindings(fn: RegisteredFunction): readonly string[] {
  return Object.values(fn.metadata.bindings)
    .filter((binding) => binding.type.toLowerCase() === 'durableclient')
    .map((binding) => binding.name);
}
