/** One run of `flotilla`: the arguments, then the command they name. Resolves with the exit code. */
import { parseArguments } from './arguments.ts';
import { complete, completion } from './commands/completion.ts';
import { config } from './commands/config.ts';
import { context } from './commands/context.ts';
import { down } from './commands/down.ts';
import { events } from './commands/events.ts';
import { exec } from './commands/exec.ts';
import { imperative } from './commands/imperative.ts';
import { localFault } from './commands/local-fault.ts';
import { logs } from './commands/logs.ts';
import { plan } from './commands/plan.ts';
import { pools } from './commands/pools.ts';
import { ps } from './commands/ps.ts';
import { replica } from './commands/replica.ts';
import { rollout } from './commands/rollout.ts';
import { runCommand } from './commands/run.ts';
import { runs } from './commands/runs.ts';
import { secrets } from './commands/secrets.ts';
import { up } from './commands/up.ts';
import { version } from './commands/version.ts';
import { why } from './commands/why.ts';
import type { Surroundings } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import { helpOf } from './help.ts';
import type { Invocation } from './invocation.ts';

export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { terminal, environment } = surroundings;
  const parsed = parseArguments(argv, environment);
  if (parsed.ok) return await execute(parsed.value, surroundings);
  const { topic, message } = parsed.error;
  terminal.note(`error: ${message}`);
  terminal.note(`  See \`flotilla ${topic === null ? '' : `${topic} `}--help\`.`);
  return exitCodes.invalid;
}

/** `run` ends with the exit code of its program. */
async function execute(invocation: Invocation, surroundings: Surroundings): Promise<number> {
  switch (invocation.command) {
    case 'help':
      surroundings.terminal.line(helpOf(invocation.topic).trimEnd());
      return exitCodes.ok;
    case 'version':
      return await version(surroundings, invocation);
    case 'context':
      return await context(surroundings, invocation);
    case 'completion':
      return completion(surroundings, invocation);
    case 'complete':
      return await complete(surroundings, invocation);
    case 'up':
      return await up(surroundings, invocation);
    case 'plan':
      return await plan(surroundings, invocation);
    case 'ps':
      return await ps(surroundings, invocation);
    case 'logs':
      return await logs(surroundings, invocation);
    case 'exec':
      return await exec(surroundings, invocation);
    case 'run':
      return await runCommand(surroundings, invocation);
    case 'runs':
      return await runs(surroundings, invocation);
    case 'scale':
    case 'restart':
    case 'stop':
    case 'start':
    case 'freeze':
    case 'thaw':
      return await imperative(surroundings, invocation);
    case 'why':
      return await why(surroundings, invocation);
    case 'replica':
      return await replica(surroundings, invocation);
    case 'rollout':
      return await rollout(surroundings, invocation);
    case 'events':
      return await events(surroundings, invocation);
    case 'down':
      return await down(surroundings, invocation);
    case 'local':
      return await localFault(surroundings, invocation);
    case 'pools':
      return await pools(surroundings, invocation);
    case 'secrets':
      return await secrets(surroundings, invocation);
    case 'config':
      return await config(surroundings, invocation);
  }
}
