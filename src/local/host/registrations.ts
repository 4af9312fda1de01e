/**
 * The registrations of an app as stable text, for a golden file: an app whose entry file is not matched, or a function that is renamed,
 * would otherwise fail silently in Azure.
 */
import type { LoadedApp, RegisteredFunction } from './functions-core.ts';
import type { RpcBinding } from './rpc.ts';

/** The library derives these from the others, or writes them for the host only. */
const derived = new Set(['type', 'name', 'direction', 'properties']);

/** One line per function, sorted by name: name, trigger type and options, then its other bindings; connections and routes are shown as registered. */
export function registrationList(app: LoadedApp): string[] {
  return app.functions.map(line).sort();
}

function line(fn: RegisteredFunction): string {
  const others = Object.entries(fn.metadata.bindings)
    .filter(([, binding]) => binding !== fn.trigger)
    .map(
      ([key, binding]) => `${binding.direction === 'in' ? '+' : key === '$return' ? '->' : '=>'} ${describe(binding)}`,
    )
    .sort();
  const retry = fn.metadata.retryOptions ? [`retry${JSON.stringify(fn.metadata.retryOptions)}`] : [];
  return [`${fn.name}:`, describe(fn.trigger), ...others, ...retry].join(' ');
}

function describe(binding: RpcBinding): string {
  const options = Object.entries(binding)
    .filter(([key, value]) => !derived.has(key) && value !== undefined)
    .map(([key, value]) => `${key}=${Array.isArray(value) ? value.join(',') : JSON.stringify(value)}`)
    .sort();
  return options.length === 0 ? binding.type : `${binding.type}(${options.join(' ')})`;
}
