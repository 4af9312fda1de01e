/**
 * Reads the environment once, checks it, and freezes it. Every setting that the Function App needs is here; `infra/` must write exactly these.
 * A missing or malformed setting is an error naming it and its remedy, all of them at once. Where a secret may have got into the wrong setting, the
 * error does not repeat the value.
 */
import { defaults } from './model/defaults.ts';
import { names } from './model/names.ts';

export interface Config {
  /** Identity of this installation: every tag, name and record carries it (`FLOTILLA_INSTALLATION`, 1-20 of [a-z0-9-]). */
  readonly installation: string;
  /** Raised by a restore; stands in every tag (`FLOTILLA_INSTALLATION_EPOCH`, default 1). */
  readonly installationEpoch: number;
  /** Table endpoint, https (`FLOTILLA_TABLES_ENDPOINT`). */
  readonly tablesEndpoint: string;
  /** `FLOTILLA_ARM_ENDPOINT`, default https://management.azure.com. */
  readonly armEndpoint: string;
  /** As the Functions host resolves `connection: FLOTILLA_SERVICEBUS`: a connection string, or `…__fullyQualifiedNamespace` with an identity. */
  readonly serviceBus: { readonly connectionString: string } | { readonly fullyQualifiedNamespace: string };
  /**
   * Queues and topics of the same namespace at which the sender of a command may ask for its outcome (`FLOTILLA_REPLY_QUEUES`, separated by commas;
   * default none).
   */
  readonly replyQueues: readonly string[];
  /** Path of the pools file (`FLOTILLA_POOLS_FILE`, default `pools.yaml` in the working directory of the app). */
  readonly poolsFile: string;
  /**
   * Keys that secrets are sealed with, the first to seal and all to open, with commas between them (`FLOTILLA_SECRETS_KEY`). Whether they can be used is
   * found out when a secret is: an installation whose vault does not answer still runs apps that have none.
   */
  readonly secretsKey: string;
  /** Leases and timeouts, ms; each `FLOTILLA_<NAME>_MS`, defaults in model/defaults. */
  readonly claimLeaseMs: number;
  readonly putTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly orphanGraceMs: number;
}

export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`The app settings are incomplete:\n${problems.map((p) => `  - ${p}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws ConfigError listing every missing or malformed setting. */
export function readConfig(environment: Environment): Config {
  const problems: string[] = [];
  const config: Config = {
    installation: matching(environment, 'FLOTILLA_INSTALLATION', /^[a-z0-9-]{1,20}$/, '1-20 of a-z, 0-9, -', problems),
    installationEpoch: whole(environment, 'FLOTILLA_INSTALLATION_EPOCH', 1, problems),
    tablesEndpoint: address(environment, tablesEndpoint, problems),
    armEndpoint: address(environment, armEndpoint, problems),
    serviceBus: serviceBus(environment, problems),
    replyQueues: replyQueues(environment, problems),
    poolsFile: environment['FLOTILLA_POOLS_FILE'] ?? 'pools.yaml',
    secretsKey: environment['FLOTILLA_SECRETS_KEY'] ?? '',
    claimLeaseMs: whole(environment, 'FLOTILLA_CLAIM_LEASE_MS', defaults.claimLeaseMs, problems),
    putTimeoutMs: whole(environment, 'FLOTILLA_PUT_TIMEOUT_MS', defaults.putTimeoutMs, problems),
    callTimeoutMs: whole(environment, 'FLOTILLA_CALL_TIMEOUT_MS', defaults.callTimeoutMs, problems),
    orphanGraceMs: whole(environment, 'FLOTILLA_ORPHAN_GRACE_MS', defaults.orphanGraceMs, problems),
  };
  if (config.claimLeaseMs <= config.putTimeoutMs) {
    problems.push(
      'FLOTILLA_CLAIM_LEASE_MS must be greater than FLOTILLA_PUT_TIMEOUT_MS: a claim may not expire under a PUT',
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

function matching(environment: Environment, name: string, pattern: RegExp, form: string, problems: string[]): string {
  const value = environment[name] ?? '';
  if (!pattern.test(value)) problems.push(`${name} is ${value === '' ? 'not set' : `«${value}»`}: set it to ${form}`);
  return value;
}

function whole(environment: Environment, name: string, fallback: number, problems: string[]): number {
  const text = environment[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  problems.push(`${name} is «${text}»: set it to a whole number above 0`);
  return fallback;
}

interface AddressSetting {
  readonly name: string;
  readonly fallback?: string;
  readonly example: string;
  /** What may stand behind the host. */
  readonly path: RegExp;
}

const tablesEndpoint: AddressSetting = {
  name: 'FLOTILLA_TABLES_ENDPOINT',
  example: 'https://ACCOUNT.table.core.windows.net',
  // Emulators name the account there.
  path: /^\/([a-z0-9]+\/?)?$/,
};
const armEndpoint: AddressSetting = {
  name: 'FLOTILLA_ARM_ENDPOINT',
  fallback: 'https://management.azure.com',
  example: 'https://management.azure.com, or that of another cloud',
  path: /^\/$/,
};

/** Without its last slash. */
function address(environment: Environment, setting: AddressSetting, problems: string[]): string {
  const value = environment[setting.name] || setting.fallback || '';
  const fault = faultOf(value, setting.path);
  if (fault !== null) {
    problems.push(
      `${setting.name} ${fault}: set it to ${setting.example}; Flotilla calls it by its identity, so no key or token belongs there, and identities are never sent in the clear`,
    );
  }
  return value.replace(/\/$/, '');
}

function faultOf(value: string, path: RegExp): string | null {
  if (value === '') return 'is not set';
  const url = value.startsWith('https://') && URL.canParse(value) ? new URL(value) : null;
  if (url === null) return 'is not an https:// address';
  if (url.username !== '' || url.password !== '') return 'has a user name or password';
  if (value.includes('?')) return 'has a query';
  if (value.includes('#')) return 'has a fragment';
  return path.test(url.pathname) ? null : 'has a path that is not of a service endpoint';
}

/** Of DNS; it may be followed by a port. */
const hostName = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:\d+)?$/i;

function serviceBus(environment: Environment, problems: string[]): Config['serviceBus'] {
  const connectionString = environment['FLOTILLA_SERVICEBUS'];
  if (connectionString) return { connectionString };
  const fullyQualifiedNamespace = environment['FLOTILLA_SERVICEBUS__fullyQualifiedNamespace'] || '';
  if (!hostName.test(fullyQualifiedNamespace)) {
    problems.push(
      `FLOTILLA_SERVICEBUS__fullyQualifiedNamespace is ${fullyQualifiedNamespace === '' ? 'not set' : 'not a host name'}: set it to NAMESPACE.servicebus.windows.net, or a connection string to FLOTILLA_SERVICEBUS`,
    );
  }
  return { fullyQualifiedNamespace };
}

/** As Service Bus has them: up to 260 letters, digits, `.`, `-`, `_` and inner `/`. */
const entityName = /^[A-Za-z0-9]([\w.\-/]{0,258}[A-Za-z0-9])?$/;

function replyQueues(environment: Environment, problems: string[]): readonly string[] {
  const listed = (environment['FLOTILLA_REPLY_QUEUES'] ?? '').split(',').map((name) => name.trim());
  const queues = listed.filter((name) => name !== '');
  if (queues.some((name) => !entityName.test(name)))
    problems.push(
      'FLOTILLA_REPLY_QUEUES holds something that is no name of a queue: set it to names with commas between them, or leave it out',
    );
  // A reply there would be read as a command, refused, and the refusal be answered.
  if (queues.some((name) => name.toLowerCase().split('/')[0] === names.queue))
    problems.push(`FLOTILLA_REPLY_QUEUES lists ${names.queue}, where commands come in: set it to other queues`);
  return queues;
}
