/**
 * The command line → what is to be done, or what is wrong with it. Pure. Every command knows exactly its own options: one it does not know is
 * refused with the nearest one it does.
 */
import { parseArgs } from 'node:util';
import { err, ok, type Result } from '../model/result.ts';
import { nearestWord } from '../spec/suggest.ts';
import { type CommandName, commandNames, commandSpec } from './command-table.ts';
import { type Environment, type Invocation, invocationOf, type Values } from './invocation.ts';
import type { Option } from './options.ts';

export interface UsageError {
  readonly topic: CommandName | null;
  readonly message: string;
}

/** @param environment `FLOTILLA_API` is the address where `--api` is not given. */
export function parseArguments(argv: readonly string[], environment: Environment): Result<Invocation, UsageError> {
  const [first, ...rest] = argv;
  if (first === undefined || first === 'help' || first === '-h' || first === '--help') {
    return ok({ command: 'help', topic: commandNames.find((name) => name === rest[0]) ?? null });
  }
  if (first === '--version' || first === '-v') {
    return ok({ command: 'version', client: true, api: null, context: null, json: false });
  }
  // Asked for by the scripts of `completion` alone.
  if (first === '__complete') return ok({ command: 'complete', words: rest[0] === '--' ? rest.slice(1) : rest });
  const command = commandNames.find((name) => name === first);
  if (command === undefined) return err({ topic: null, message: unknownCommand(first) });
  const read = readValues(command, rest);
  if (typeof read === 'string') return err({ topic: command, message: read });
  if (read.values.help) return ok({ command: 'help', topic: command });
  const invocation = invocationOf(command, read.values, read.operands, environment);
  return typeof invocation === 'string' ? err({ topic: command, message: invocation }) : ok(invocation);
}

function unknownCommand(written: string): string {
  if (written.startsWith('-')) return `options follow the command: \`flotilla COMMAND ${written}\`.`;
  const nearest = nearestWord(written, commandNames);
  return `there is no command \`${written}\`${nearest ? `; did you mean \`${nearest}\`?` : '.'}`;
}

type Read = { readonly values: Values; readonly operands: readonly string[] };

/** A text says what is wrong. */
function readValues(command: CommandName, args: readonly string[]): Read | string {
  const { options: known, operands } = commandSpec(command);
  const options = Object.fromEntries(known.map((option) => [option.name, toParseOption(option)]));
  const own = operands.at(-1)?.kind === 'program' ? ownArguments(args, known, operands.length - 1) : args.length;
  try {
    const parsed = parseArgs({ args: args.slice(0, own), options, allowPositionals: true, strict: true });
    const program = args.slice(args[own] === '--' ? own + 1 : own);
    return { values: parsed.values as Values, operands: [...parsed.positionals, ...program] };
  } catch (error) {
    return sayWhy(
      error,
      known.map(({ name }) => name),
    );
  }
}

/**
 * How many arguments are for `flotilla` itself, where a program with arguments of its own follows `before` operands: its words are nobody's options. A
 * `--` ends them in any case.
 */
function ownArguments(args: readonly string[], known: readonly Option[], before: number): number {
  let operands = 0;
  for (let n = 0; n < args.length; n += 1) {
    const arg = args[n] ?? '';
    if (arg === '--') return n;
    if (!arg.startsWith('-')) {
      if (operands === before) return n;
      operands += 1;
    } else if (
      known.some(({ name, short, value }) => value !== undefined && [`--${name}`, `-${short}`].includes(arg))
    ) {
      n += 1;
    }
  }
  return args.length;
}

const toParseOption = ({ short, value, multiple }: Option) => ({
  type: value === undefined ? ('boolean' as const) : ('string' as const),
  ...(short !== undefined && { short }),
  ...(multiple && { multiple }),
});

function sayWhy(error: unknown, known: readonly string[]): string {
  if (!(error instanceof Error)) return String(error);
  const incomplete = /^Option '(?:-\w, )?(--\S+) <value>' argument/.exec(error.message);
  if (incomplete !== null) return `${incomplete[1]} needs a value.`;
  const unknown = /^Unknown option '(--?([^']+))'/.exec(error.message);
  if (unknown === null) return `${error.message.split('\n')[0]?.replace(/\.$/, '') ?? ''}.`;
  const nearest = nearestWord(unknown[2] ?? '', known);
  return `there is no option \`${unknown[1]}\`${nearest ? `; did you mean \`--${nearest}\`?` : '.'}`;
}
