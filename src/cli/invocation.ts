/** What each command is told: its options and operands, read and checked. A text says what is wrong. Pure. */
import type { PoolCommand } from '../model/api.ts';
import { limits, namePattern } from '../model/limits.ts';
import { err, ok, type Result } from '../model/result.ts';
import { runIdPattern } from '../model/run.ts';
import { poolCommands } from '../model/state.ts';
import { parseDurationMs } from '../model/units.ts';
import { type CommandName, commandSpec } from './command-table.ts';
import { contextNamePattern } from './contexts.ts';
import { type Shell, shells } from './shell-completion.ts';
import { parseReplicas, parseTarget, type Target } from './target.ts';

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

export interface ApiOptions {
  /** Base address of the API without `/api/v1`, by option or environment; null = that of a context, else {@link defaultApi}. */
  readonly api: string | null;
  /** `--context`; null = the one in use. */
  readonly context: string | null;
  readonly json: boolean;
}

export interface LogOptions {
  readonly target: Target;
  readonly follow: boolean;
  readonly tail: number;
  /** An age, or an instant; null = from the beginning of the tail. */
  readonly since: { readonly ageMs: number } | { readonly at: number } | null;
  readonly timestamps: boolean;
  readonly container: string | null;
  readonly previous: boolean;
  /** Number of a run of the service; null = of its replicas. */
  readonly run: number | null;
}

export interface ExecOptions {
  readonly target: Target & { readonly service: string };
  readonly container: string | null;
  readonly program: string;
}

export interface RunOptions {
  readonly app: string;
  readonly service: string;
  /** Empty = what the service runs. */
  readonly program: readonly string[];
  /** `K=V`, or `K` for the value that it has here. */
  readonly env: readonly string[];
  readonly name: string | null;
  readonly detach: boolean;
  /** null = the API's default. */
  readonly timeoutMs: number | null;
}

export interface FaultOptions {
  readonly action: 'catalogue' | (typeof faultActions)[number];
  /** What follows the action. */
  readonly words: readonly string[];
}

/** As the API names plans. */
const planIdPattern = /^p[0-9a-f]{16}$/;

const faultActions = ['ls', 'add', 'clear', 'help'] as const;

export interface ReplicaTarget {
  readonly app: string;
  readonly service: string;
  readonly slot: number;
}

const replicaActions = ['replace', 'forget'] as const;

export interface SecretOptions {
  readonly action: 'ls' | 'set' | 'rm';
  readonly app: string;
  /** Of `set` and `rm`; empty for `ls`. */
  readonly name: string;
  /** Of `set`; `-` is standard input. */
  readonly file: string;
}

const rolloutActions = [
  'status',
  'history',
  'show',
  'diff',
  'pause',
  'resume',
  'promote',
  'abort',
  'undo',
  'restart',
] as const;

export interface RolloutOptions {
  readonly action: (typeof rolloutActions)[number];
  readonly app: string;
  /** null = all of the app. */
  readonly service: string | null;
  /** Of `show`: which rollout of the service. */
  readonly number: number | null;
  /** Of `diff`: two of them. */
  readonly revisions: readonly number[];
  /** Of `undo`. */
  readonly to: number | null;
  readonly watch: boolean;
}

export interface PoolOptions {
  readonly action: 'ls' | PoolCommand;
  /** Empty for `ls`. */
  readonly name: string;
}

export type Invocation =
  | { readonly command: 'help'; readonly topic: CommandName | null }
  | (ApiOptions & { readonly command: 'version'; readonly client: boolean })
  | { readonly command: 'complete'; readonly words: readonly string[] }
  | { readonly command: 'completion'; readonly shell: Shell }
  | {
      readonly command: 'context';
      readonly action: 'ls' | 'use' | 'add' | 'rm' | 'show';
      readonly name: string | null;
      readonly url: string | null;
      /** `-` = to be read from standard input. */
      readonly key: string | null;
      readonly json: boolean;
    }
  | (ApiOptions &
      FileOptions &
      WaitOptions & {
        readonly command: 'up';
        /** Id of the plan that is to be applied, and nothing else; null = whatever the file comes to. */
        readonly plan: string | null;
      })
  | (ApiOptions & FileOptions & { readonly command: 'plan'; readonly exitCode: boolean })
  | (ApiOptions & { readonly command: 'ps'; readonly app: string | null })
  | (ApiOptions & LogOptions & { readonly command: 'logs' })
  | (ApiOptions & ExecOptions & { readonly command: 'exec' })
  | (ApiOptions & RunOptions & { readonly command: 'run' })
  | (ApiOptions & { readonly command: 'runs'; readonly app: string; readonly cancel: string | null })
  | (ApiOptions & {
      readonly command: 'events';
      readonly app: string | null;
      readonly follow: boolean;
      readonly limit: number;
    })
  | (ApiOptions &
      WaitOptions & {
        readonly command: 'scale';
        readonly app: string;
        readonly replicas: Readonly<Record<string, number>>;
      })
  | (ApiOptions &
      WaitOptions & {
        readonly command: 'restart' | 'stop' | 'start';
        readonly app: string;
        /** null = all of the app. */
        readonly services: readonly string[] | null;
      })
  | (ApiOptions & WaitOptions & { readonly command: 'freeze' | 'thaw'; readonly app: string })
  | (ApiOptions & ReplicaTarget & { readonly command: 'why' })
  | (ApiOptions &
      WaitOptions &
      ReplicaTarget & { readonly command: 'replica'; readonly action: (typeof replicaActions)[number] })
  | (ApiOptions &
      FileOptions &
      WaitOptions & { readonly command: 'down'; readonly app: string | null; readonly yes: string | null })
  | (ApiOptions & RolloutOptions & { readonly command: 'rollout' })
  | (ApiOptions & SecretOptions & { readonly command: 'secrets' })
  | (ApiOptions & PoolOptions & { readonly command: 'pools' })
  | (FileOptions & { readonly command: 'config'; readonly json: boolean })
  | (ApiOptions & FaultOptions & { readonly command: 'local' });

export type InvocationOf<C extends Invocation['command']> = Invocation extends infer I
  ? I extends { readonly command: infer K }
    ? [K & C] extends [never]
      ? never
      : I
    : never
  : never;

export type Environment = Readonly<Record<string, string | undefined>>;

export const defaultApi = 'http://127.0.0.1:7071';

/** The union of all options' values; which of them can be set depends on the command. */
export interface Values {
  readonly json?: boolean;
  readonly help?: boolean;
  readonly api?: string;
  readonly context?: string;
  readonly url?: string;
  readonly key?: string;
  readonly client?: boolean;
  readonly file?: readonly string[];
  readonly name?: string;
  readonly profile?: readonly string[];
  readonly detach?: boolean;
  readonly timeout?: string;
  readonly follow?: boolean;
  readonly limit?: string;
  readonly tail?: string;
  readonly since?: string;
  readonly timestamps?: boolean;
  readonly container?: string;
  readonly previous?: boolean;
  readonly watch?: boolean;
  readonly to?: string;
  readonly yes?: string;
  readonly env?: readonly string[];
  readonly rm?: boolean;
  readonly run?: string;
  readonly cancel?: string;
  readonly 'exit-code'?: boolean;
  readonly plan?: string;
}

interface Given {
  readonly values: Values;
  readonly operands: readonly string[];
  /** First operand, where it names an app. */
  readonly app: string | null;
  readonly shared: ApiOptions;
}

type Reader<C extends CommandName> = (given: Given) => Omit<InvocationOf<C>, 'command'> | string;

const readers: { readonly [C in CommandName]: Reader<C> } = {
  up({ values, shared }) {
    const { plan = null } = values;
    if (plan !== null && !planIdPattern.test(plan)) return `--plan ${plan}: give the id that \`flotilla plan\` shows.`;
    return withWait(values, (wait) => ({ ...shared, ...readFileOptions(values), ...wait, plan }));
  },
  plan: ({ values, shared }) => ({
    ...shared,
    ...readFileOptions(values),
    exitCode: values['exit-code'] ?? false,
  }),
  ps: ({ shared, app }) => ({ ...shared, app }),
  logs: readLogs,
  exec: readExec,
  run: readRun,
  runs({ values, shared, app }) {
    const { cancel = null } = values;
    if (cancel !== null && !runIdPattern.test(cancel))
      return `--cancel ${cancel}: give the id of a run, such as web.7.`;
    return { ...shared, app: app ?? '', cancel };
  },
  events({ values, shared, app }) {
    const limit = readCount(values.limit, { option: 'limit', default: 50, max: 500 });
    return typeof limit === 'string' ? limit : { ...shared, app, follow: values.follow ?? false, limit };
  },
  down({ values, shared, app }) {
    const file = readFileOptions(values);
    if (app !== null && (file.files.length > 0 || file.name !== undefined)) {
      return 'name the app, or the file that names it, not both.';
    }
    return withWait(values, (wait) => ({ ...shared, ...file, ...wait, app, yes: values.yes ?? null }));
  },
  why({ operands, shared }) {
    const replica = readReplica(operands[0] ?? '');
    return typeof replica === 'string' ? replica : { ...shared, ...replica };
  },
  replica({ operands, values, shared }) {
    const action = replicaActions.find((known) => known === operands[0]);
    if (action === undefined)
      return `\`${operands[0]}\` is not something to do with a replica: write replace or forget.`;
    const replica = readReplica(operands[1] ?? '');
    return typeof replica === 'string'
      ? replica
      : withWait(values, (wait) => ({ ...shared, ...wait, ...replica, action }));
  },
  local: readFault,
  secrets: readSecrets,
  rollout: readRollout,
  pools: readPools,
  scale: ({ operands, values, shared }) => readScale(operands, values, shared),
  restart: readServices,
  stop: readServices,
  start: readServices,
  freeze: readWholeApp,
  thaw: readWholeApp,
  context: readContext,
  completion({ operands }) {
    const shell = shells.find((name) => name === operands[0]);
    return shell === undefined ? `\`${operands[0]}\` is none of ${shells.join(', ')}.` : { shell };
  },
  version: ({ values, shared }) => ({ ...shared, client: values.client ?? false }),
  config: ({ values, shared }) => ({ json: shared.json, ...readFileOptions(values) }),
};

export function invocationOf(
  command: CommandName,
  values: Values,
  operands: readonly string[],
  environment: Environment,
): Invocation | string {
  const wrong = refuseOperands(command, operands);
  if (wrong !== null) return wrong;
  const [first] = commandSpec(command).operands;
  const app = first?.kind === 'app' ? (operands[0] ?? null) : null;
  if (app !== null && !namePattern.test(app)) return `\`${app}\` is not the name of an app.`;
  const address = readApi(values.api, environment['FLOTILLA_API']);
  // A command that asks nobody is not troubled with a wrong address.
  const isAsking = commandSpec(command).options.some(({ name }) => name === 'api');
  if (!address.ok && isAsking) return address.error;
  const { context = null, json = false } = values;
  if (values.api !== undefined && context !== null) return 'give --api or --context, not both.';
  // What is written for this one call wins over what the environment says for all.
  const shared = { api: address.ok && context === null ? address.value : null, context, json };
  const read = (readers[command] as Reader<typeof command>)({ values, operands, app, shared });
  return typeof read === 'string' ? read : ({ command, ...read } as Invocation);
}

function refuseOperands(command: CommandName, operands: readonly string[]): string | null {
  const spec = commandSpec(command).operands;
  const missing = spec[operands.length];
  if (missing !== undefined && !missing.optional) return `\`${command}\` needs ${missing.name}.`;
  if (spec.at(-1)?.many) return null;
  const surplus = operands[spec.length];
  if (surplus === undefined) return null;
  if (spec.length === 0) {
    const fileHint = commandSpec(command).options.some(({ name }) => name === 'file')
      ? '; a file is named with -f'
      : '';
    return `\`${command}\` takes no operand: \`${surplus}\` is too much${fileHint}.`;
  }
  return `one app at a time: \`${surplus}\` is too much.`;
}

function readLogs({ values, operands, shared }: Given): Omit<InvocationOf<'logs'>, 'command'> | string {
  const target = parseTarget(operands[0] ?? '');
  if (!target.ok) return target.error;
  const tail = readCount(values.tail, { option: 'tail', default: 100, max: 5_000 });
  if (typeof tail === 'string') return tail;
  const since = readSince(values.since);
  if (typeof since === 'string') return since;
  const run = values.run === undefined ? null : readCount(values.run, { option: 'run', default: 0, max: 999_999_999 });
  if (typeof run === 'string') return run;
  if (run !== null && (target.value.service === null || target.value.slot !== null))
    return '--run is of a service: write APP.SERVICE.';
  const { follow = false, timestamps = false, previous = false, container = null } = values;
  if (follow && previous) return '--previous is of a replica that is gone: there is nothing to follow.';
  return { ...shared, target: target.value, follow, tail, since, timestamps, container, previous, run };
}

function readExec({ values, operands, shared }: Given): Omit<InvocationOf<'exec'>, 'command'> | string {
  const [place = '', ...program] = operands;
  const target = parseTarget(place);
  if (!target.ok) return target.error;
  const { service } = target.value;
  if (service === null)
    return `\`${place}\` is an app: name a service of it, APP.SERVICE, or a replica, APP.SERVICE.SLOT.`;
  const [name = ''] = program;
  if (program.length > 1 || /\s/.test(name)) {
    return `ACI starts one program without arguments. Pipe the line into a shell: \`echo '${program.join(' ')}' | flotilla exec ${place} -- sh\`.`;
  }
  if (name === '') return '`exec` needs a program, such as sh.';
  return { ...shared, target: { ...target.value, service }, container: values.container ?? null, program: name };
}

function readRun({ values, operands, shared }: Given): Omit<InvocationOf<'run'>, 'command'> | string {
  const [place = '', ...program] = operands;
  const target = parseTarget(place);
  if (!target.ok) return target.error;
  const { app, service, slot } = target.value;
  if (service === null) return `\`${place}\` is an app: name a service of it, APP.SERVICE.`;
  if (slot !== null)
    return `\`${place}\` is a replica, and a run has a container of its own: name the service, ${app}.${service}.`;
  const { env = [], name = null, detach = false } = values;
  const unreadable = env.find((one) => !/^[A-Za-z_][A-Za-z0-9_]*(=|$)/.test(one));
  if (unreadable !== undefined) return `--env ${unreadable.split('=')[0]}: give NAME=VALUE, or NAME.`;
  if (name !== null && !namePattern.test(name)) return `--name ${name}: use a-z, 0-9 and inner -.`;
  const timeoutMs = values.timeout === undefined ? null : parseDurationMs(values.timeout);
  if (timeoutMs === undefined || (timeoutMs !== null && (timeoutMs < 1_000 || timeoutMs > limits.runMs)))
    return `--timeout ${values.timeout}: give a duration from 1s to 24h, such as 90s or 2h.`;
  return { ...shared, app, service, program, env, name, detach, timeoutMs };
}

function readFault({ operands, shared }: Given): Omit<InvocationOf<'local'>, 'command'> | string {
  const [subject, action, ...words] = operands;
  if (subject !== 'fault') return `there is no \`local ${subject}\`: write \`flotilla local fault\`.`;
  if (action === undefined) return { ...shared, action: 'catalogue', words };
  const known = faultActions.find((one) => one === action);
  if (known === undefined) return `\`${action}\`: give one of ${faultActions.join(', ')}.`;
  if (known === 'ls' && words.length > 0) return `\`ls\` takes no operand: \`${words[0]}\` is too much.`;
  if (known === 'help' && words.length !== 1)
    return '`help` needs the name of one fault; `flotilla local fault` lists them.';
  if (known === 'add' && words.length === 0)
    return '`add` needs the name of a fault; `flotilla local fault` lists them.';
  return { ...shared, action: known, words };
}

function readSecrets({ values, operands, shared }: Given): Omit<InvocationOf<'secrets'>, 'command'> | string {
  const [action = '', app = '', name = ''] = operands;
  // The option may be repeated where Compose files are meant; a value comes from one file.
  const [file = '-', surplus] = [values.file ?? []].flat();
  if (!namePattern.test(app)) return `\`${app}\` is not the name of an app.`;
  if (surplus !== undefined) return 'a value comes from one file.';
  if (action !== 'ls' && action !== 'set' && action !== 'rm') {
    return `\`${action}\` is not something to do with secrets: write ls, set or rm.`;
  }
  if (action !== 'set' && file !== '-') return `\`secrets ${action}\` reads no file.`;
  if (action === 'ls') {
    return name === ''
      ? { ...shared, action, app, name, file }
      : `\`secrets ls\` takes no name: \`${name}\` is too much.`;
  }
  if (name === '') return `\`secrets ${action}\` needs NAME.`;
  if (!/^[a-zA-Z0-9._-]{1,128}$/.test(name)) {
    return `\`${name}\` is not the name of a secret: use letters, digits, \`.\`, \`_\` and \`-\`.`;
  }
  return { ...shared, action, app, name, file };
}

function readRollout({ values, operands, shared }: Given): Omit<InvocationOf<'rollout'>, 'command'> | string {
  const [word, place = '', ...rest] = operands;
  const action = rolloutActions.find((known) => known === word);
  if (action === undefined) return `\`rollout\` has no \`${word}\`: write one of ${rolloutActions.join(', ')}.`;
  const target = parseTarget(place);
  if (!target.ok) return target.error;
  const { app, service, slot: number } = target.value;
  const { watch = false, to } = values;
  const misplaced = refuseRollout(action, target.value, rest) ?? refuseRolloutOptions(action, service, values);
  if (misplaced !== null) return misplaced;
  const wrong = [...rest, ...(to === undefined ? [] : [to])].find((text) => !/^[1-9]\d{0,5}$/.test(text));
  if (wrong !== undefined) return `\`${wrong}\` is not a revision: they are numbered from 1.`;
  return { ...shared, action, app, service, number, revisions: rest.map(Number), to: to ? Number(to) : null, watch };
}

function refuseRollout(
  action: RolloutOptions['action'],
  { service, slot: number }: Target,
  rest: readonly string[],
): string | null {
  if (action === 'show' && number === null) {
    return '`rollout show` needs APP.SERVICE.N, as `rollout history` lists them.';
  }
  if (action !== 'show' && number !== null) return `only \`show\` takes one rollout: leave out \`.${number}\`.`;
  if (action === 'diff' && (service === null || rest.length !== 2))
    return '`rollout diff` needs APP.SERVICE REV1 REV2.';
  return action !== 'diff' && rest.length > 0 ? `one at a time: \`${rest[0]}\` is too much.` : null;
}

function refuseRolloutOptions(
  action: RolloutOptions['action'],
  service: string | null,
  { watch, to }: Values,
): string | null {
  if (watch && action !== 'status') return '--watch belongs to `rollout status`.';
  if (to !== undefined && action !== 'undo') return '--to belongs to `rollout undo`.';
  return to !== undefined && service === null ? '--to is a revision of one service: name APP.SERVICE.' : null;
}

function readPools({ operands, shared }: Given): Omit<InvocationOf<'pools'>, 'command'> | string {
  const [word = 'ls', name = ''] = operands;
  const action = word === 'ls' ? word : poolCommands.find((known) => known === word);
  if (action === undefined) return `\`pools\` has no \`${word}\`: write ls, ${poolCommands.join(', ')}.`;
  if (action === 'ls' && name !== '') return `\`pools ls\` takes no name: \`${name}\` is too much.`;
  if (action !== 'ls' && !namePattern.test(name)) return `\`pools ${action}\` needs the name of a pool.`;
  return { ...shared, action, name };
}

function readScale(
  operands: readonly string[],
  values: Values,
  shared: ApiOptions,
): Omit<InvocationOf<'scale'>, 'command'> | string {
  const wanted = operands.map((operand) => parseReplicas(operand));
  const replicas: Record<string, number> = {};
  let app: string | null = null;
  for (const one of wanted) {
    if (!one.ok) return one.error;
    app ??= one.value.app;
    if (one.value.app !== app) return `one app at a time: \`${one.value.app}\` is another than \`${app}\`.`;
    if (Object.hasOwn(replicas, one.value.service)) return `\`${one.value.service}\` is named twice.`;
    replicas[one.value.service] = one.value.replicas;
  }
  return withWait(values, (wait) => ({ ...shared, ...wait, app: app ?? '', replicas }));
}

/** `APP`, or services of one app: `APP.SERVICE …`. */
function readServices({ operands, values, shared }: Given): Omit<InvocationOf<'restart'>, 'command'> | string {
  const targets: Target[] = [];
  for (const operand of operands) {
    const target = parseTarget(operand);
    if (!target.ok) return target.error;
    if (target.value.slot !== null) return `\`${operand}\` names one replica: name a service or an app.`;
    targets.push(target.value);
  }
  const [first] = targets;
  const app = first?.app ?? '';
  const other = targets.find((target) => target.app !== app);
  if (other !== undefined) return `one app at a time: \`${other.app}\` is another than \`${app}\`.`;
  const named = targets.flatMap(({ service }) => service ?? []);
  if (named.length > 0 && named.length < targets.length) return `name \`${app}\` or services of it, not both.`;
  const services = named.length === 0 ? null : [...new Set(named)];
  return withWait(values, (wait) => ({ ...shared, ...wait, app, services }));
}

function readReplica(operand: string): ReplicaTarget | string {
  const target = parseTarget(operand);
  if (!target.ok) return target.error;
  const { app, service, slot } = target.value;
  return service === null || slot === null
    ? `\`${operand}\` names no replica: write APP.SERVICE.SLOT, such as shop.web.0.`
    : { app, service, slot };
}

function readWholeApp({ values, shared, app }: Given): Omit<InvocationOf<'freeze'>, 'command'> | string {
  return withWait(values, (wait) => ({ ...shared, ...wait, app: app ?? '' }));
}

function readSince(since: string | undefined): LogOptions['since'] | string {
  if (since === undefined) return null;
  const ageMs = parseDurationMs(since);
  if (ageMs !== undefined) return { ageMs };
  const at = /^\d{4}-\d\d-\d\d/.test(since) ? Date.parse(since) : Number.NaN;
  if (!Number.isNaN(at)) return { at };
  return `--since ${since}: give a duration such as 10m, or an instant such as 2026-11-24T12:00:00Z.`;
}

const readFileOptions = ({ file: files = [], name, profile = [] }: Values): FileOptions => ({
  files,
  ...(name !== undefined && { name }),
  profiles: profile,
});

function withWait<T>({ detach = false, timeout }: Values, give: (wait: WaitOptions) => T): T | string {
  if (timeout === undefined) return give({ detach, timeoutMs: null });
  const timeoutMs = parseDurationMs(timeout);
  if (timeoutMs === undefined || timeoutMs === 0) return `--timeout ${timeout}: give a duration such as 90s or 5m.`;
  return detach ? '--detach does not wait: leave out --timeout.' : give({ detach, timeoutMs });
}

function readCount(
  text: string | undefined,
  rule: { readonly option: string; readonly default: number; readonly max: number },
): number | string {
  if (text === undefined) return rule.default;
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= 1 && value <= rule.max) return value;
  return `--${rule.option} ${text}: give a whole number from 1 to ${rule.max}.`;
}

const contextActions = ['ls', 'use', 'add', 'rm', 'show'] as const;

function readContext({ operands, values, shared }: Given): Omit<InvocationOf<'context'>, 'command'> | string {
  const [word = 'ls', name = null] = operands;
  const action = contextActions.find((known) => known === word);
  if (action === undefined) return `\`context\` has no \`${word}\`: write ${contextActions.join(', ')}.`;
  const { url, key = null } = values;
  if (action === 'ls' && name !== null) return `\`context ls\` takes no name: \`${name}\` is too much.`;
  if (name === null && action !== 'ls' && action !== 'show') return `\`context ${action}\` needs NAME.`;
  if (action !== 'add' && (url !== undefined || key !== null)) return '--url and --key belong to `context add`.';
  if (name !== null && !contextNamePattern.test(name))
    return `\`${name}\` is not a name: use letters, digits, . _ and -.`;
  if (key !== null && key !== '-')
    return '--key takes `-`: the key is read from standard input, not from the command line.';
  if (action !== 'add') return { action, name, url: null, key, json: shared.json };
  if (url === undefined) return '`context add` needs --url URL.';
  const address = addressOf('--url', url);
  return address.ok ? { action, name, url: address.value, key, json: shared.json } : address.error;
}

/** null = neither is given. */
function readApi(given: string | undefined, fromEnvironment: string | undefined): Result<string | null, string> {
  if (given !== undefined) return addressOf('--api', given);
  return fromEnvironment ? addressOf('FLOTILLA_API', fromEnvironment) : ok(null);
}

/** People paste the address as it is printed, with `/api/v1`. */
function addressOf(source: string, written: string): Result<string, string> {
  const url = URL.parse(written);
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    return err(`${source} ${written}: give the address of the API, such as ${defaultApi}.`);
  }
  return ok(`${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/api\/v1$/, '')}`);
}
