/**
 * The command line → what is to be done, or what is wrong with it. Pure. Every command knows exactly its own options: one it does not know is
 * refused with the nearest one it does.
 */
import { parseArgs } from 'node:util';
import { namePattern } from '../model/limits.ts';
import { err, ok, type Result } from '../model/result.ts';
import { parseDurationMs } from '../model/units.ts';
import { nearestWord } from '../spec/suggest.ts';

const commandNames = ['up', 'ps', 'events', 'down', 'config'] as const;
export type CommandName = (typeof commandNames)[number];

/** Which Compose file is meant, and how it is read. */
export interface FileOptions {
  /** `-f`, each merged over those before it; where empty, the file is looked for as Docker Compose does. */
  readonly files: readonly string[];
  /** `--name`; wins over `name:` in the file. */
  readonly name?: string;
  readonly profiles: readonly string[];
}

export interface WaitOptions {
  readonly detach: boolean;
  /** `--timeout`; `null` = as long as there is progress. */
  readonly timeoutMs: number | null;
}

interface ApiOptions {
  /** Base address of the API without `/api/v1`. */
  readonly api: string;
  readonly json: boolean;
}

export type Invocation =
  | { readonly command: 'help'; readonly topic: CommandName | null }
  | { readonly command: 'version' }
  | (ApiOptions & FileOptions & WaitOptions & { readonly command: 'up' })
  | (ApiOptions & { readonly command: 'ps'; readonly app: string | null })
  | (ApiOptions & {
      readonly command: 'events';
      readonly app: string | null;
      readonly follow: boolean;
      readonly limit: number;
    })
  | (ApiOptions & FileOptions & WaitOptions & { readonly command: 'down'; readonly app: string | null })
  | (FileOptions & { readonly command: 'config'; readonly json: boolean });

export interface UsageError {
  readonly topic: CommandName | null;
  readonly message: string;
}

export const defaultApi = 'http://127.0.0.1:7071';

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const common = { json: flag, help: { ...flag, short: 'h' } } as const;
const api = { api: text } as const;
const file = {
  file: { type: 'string', short: 'f', multiple: true },
  name: text,
  profile: { type: 'string', multiple: true },
} as const;
const wait = { detach: { ...flag, short: 'd' }, timeout: text } as const;

const optionsOf = {
  up: { ...common, ...api, ...file, ...wait },
  ps: { ...common, ...api },
  events: { ...common, ...api, follow: { ...flag, short: 'f' }, limit: { ...text, short: 'n' } },
  down: { ...common, ...api, ...file, ...wait },
  config: { ...common, ...file },
} as const;

/** How many operands (app names) a command takes. */
const operandsOf: Readonly<Record<CommandName, number>> = { up: 0, ps: 1, events: 1, down: 1, config: 0 };

/** The union of all options' values; which of them can be set depends on the command. */
interface Values {
  readonly json?: boolean;
  readonly help?: boolean;
  readonly api?: string;
  readonly file?: readonly string[];
  readonly name?: string;
  readonly profile?: readonly string[];
  readonly detach?: boolean;
  readonly timeout?: string;
  readonly follow?: boolean;
  readonly limit?: string;
}

/** @param environment `FLOTILLA_API` is the address where `--api` is not given. */
export function parseArguments(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Result<Invocation, UsageError> {
  const [first, ...rest] = argv;
  if (first === undefined || first === 'help' || first === '-h' || first === '--help') {
    return ok({ command: 'help', topic: commandNames.find((name) => name === rest[0]) ?? null });
  }
  if (first === '--version' || first === '-v' || first === 'version') return ok({ command: 'version' });
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
  const options = optionsOf[command];
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    return { values: parsed.values as Values, operands: parsed.positionals };
  } catch (error) {
    return sayWhy(error, Object.keys(options));
  }
}

function sayWhy(error: unknown, known: readonly string[]): string {
  if (!(error instanceof Error)) return String(error);
  const incomplete = /^Option '(?:-\w, )?(--\S+) <value>' argument/.exec(error.message);
  if (incomplete !== null) return `${incomplete[1]} needs a value.`;
  const unknown = /^Unknown option '(--?([^']+))'/.exec(error.message);
  if (unknown === null) return `${error.message.split('\n')[0]?.replace(/\.$/, '') ?? ''}.`;
  const nearest = nearestWord(unknown[2] ?? '', known);
  return `there is no option \`${unknown[1]}\`${nearest ? `; did you mean \`--${nearest}\`?` : '.'}`;
}

function invocationOf(
  command: CommandName,
  values: Values,
  operands: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Invocation | string {
  const surplus = operands[operandsOf[command]];
  if (surplus !== undefined) return surplusOperand(command, surplus);
  const [app = null] = operands;
  if (app !== null && !namePattern.test(app)) return `\`${app}\` is not the name of an app.`;
  const json = values.json ?? false;
  const fileOptions = readFileOptions(values);
  if (command === 'config') return { command, json, ...fileOptions };
  const address = readApi(values.api, environment['FLOTILLA_API']);
  if (!address.ok) return address.error;
  const shared = { api: address.value, json };
  if (command === 'ps') return { command, ...shared, app };
  if (command === 'events') {
    const limit = readLimit(values.limit);
    return typeof limit === 'string' ? limit : { command, ...shared, app, follow: values.follow ?? false, limit };
  }
  const waitOptions = readWaitOptions(values);
  if (typeof waitOptions === 'string') return waitOptions;
  if (command === 'up') return { command, ...shared, ...fileOptions, ...waitOptions };
  if (app !== null && (fileOptions.files.length > 0 || fileOptions.name !== undefined)) {
    return 'name the app, or the file that names it, not both.';
  }
  return { command, ...shared, ...fileOptions, ...waitOptions, app };
}

function surplusOperand(command: CommandName, surplus: string): string {
  if (operandsOf[command] > 0) return `one app at a time: \`${surplus}\` is too much.`;
  return `\`${command}\` takes no operand: \`${surplus}\` is too much; a file is named with -f.`;
}

const readFileOptions = ({ file: files = [], name, profile = [] }: Values): FileOptions => ({
  files,
  ...(name !== undefined && { name }),
  profiles: profile,
});

function readWaitOptions({ detach = false, timeout }: Values): WaitOptions | string {
  if (timeout === undefined) return { detach, timeoutMs: null };
  const timeoutMs = parseDurationMs(timeout);
  if (timeoutMs === undefined || timeoutMs === 0) return `--timeout ${timeout}: give a duration such as 90s or 5m.`;
  return detach ? '--detach does not wait: leave out --timeout.' : { detach, timeoutMs };
}

const eventsMax = 500;

function readLimit(limit = '50'): number | string {
  const value = Number(limit);
  if (/^\d{1,3}$/.test(limit) && value >= 1 && value <= eventsMax) return value;
  return `--limit ${limit}: give a whole number from 1 to ${eventsMax}.`;
}

/** People paste the address as it is printed, with `/api/v1`. */
function readApi(given: string | undefined, fromEnvironment: string | undefined): Result<string, string> {
  const source = given === undefined ? 'FLOTILLA_API' : '--api';
  const written = given ?? (fromEnvironment || defaultApi);
  const url = URL.parse(written);
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    return err(`${source} ${written}: give the address of the API, such as ${defaultApi}.`);
  }
  return ok(`${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/api\/v1$/, '')}`);
}
