/**
 * `npm start`: brings up the embedded platform, hands the example app to the CLI, and stays until Ctrl-C.
 * `--once` ends when the app converged (code 0) or with the reason why not.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findSocket } from '../docker/socket.ts';
import { type ApiAccess, loopbackAccessPath, userDirectory } from '../model/access.ts';
import { imagesOf } from './app-images.ts';
import { requireFreePort } from './host/port-holder.ts';
import { HostStartError } from './host/start-error.ts';
import { type Platform, startPlatform, usersDocker } from './platform.ts';
import { defaultKeyFile } from './secrets-key.ts';

/** Where the CLI looks. */
const defaultPort = 7071;

const usage = `Usage: npm start -- [options]

  --once          end when the app has converged: 0, or the reason why not
  --file FILE     Compose file to bring up (default examples/voting/compose.yaml)
  --no-app        start the platform only
  --containers W  what runs containers: standin, docker, or auto (default): Docker if a daemon answers, its
                  containers are reached and it has or gets the images within a minute, else stand-ins
  --data DIR      keep everything in DIR (default: a fresh directory, removed at the end)
  --secrets-key F key of the secrets in DIR (default: a file in ~/.flotilla/keys, made when DIR is new)
  --first-address A  first address of stand-in containers (default 127.64.0.1): a second platform on this
                  machine needs others
  --port PORT     port of the API (default ${defaultPort}; 0 = any free one)
  --verbose       show what the parts print
`;

const appDir = resolve(import.meta.dirname, import.meta.filename.endsWith('.ts') ? '../..' : '../../..');

function parse() {
  return parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      file: { type: 'string', default: join(appDir, 'examples', 'voting', 'compose.yaml') },
      'no-app': { type: 'boolean', default: false },
      containers: { type: 'string', default: 'auto' },
      data: { type: 'string' },
      'secrets-key': { type: 'string' },
      'first-address': { type: 'string' },
      port: { type: 'string', default: String(defaultPort) },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  }).values;
}

type Options = ReturnType<typeof parse>;

/** Codes of the CLI, whose last word this is. */
const codes = { ok: 0, failed: 1, invalid: 2, interrupted: 130 } as const;

/** Aborted by Ctrl-C, `kill`, or a terminal that is closed; a second one changes nothing. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => controller.abort());
  if (process.env['npm_lifecycle_event'] === 'start') watchParent(() => controller.abort());
  // A terminal that is gone cannot be written to; what must be cleared up is cleared up all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => controller.abort());
  return controller.signal;
}

/** A signal sent to npm ends the shell that npm runs scripts in, and the shell does not pass it on: what shows is that the parent is another one. */
function watchParent(onGone: () => void): void {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && onGone(), 500).unref();
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parse();
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n\n${usage}`);
    return codes.invalid;
  }
  if (options.help) {
    process.stdout.write(usage);
    return codes.ok;
  }
  const port = Number(options.port);
  if (!/^\d+$/.test(options.port) || port > 65_535) {
    process.stderr.write(
      `error: --port ${options.port} is not a port; give a number from 0 (any free port) to 65535\n`,
    );
    return codes.invalid;
  }
  const firstAddress = options['first-address'];
  if (firstAddress !== undefined && !/^127(\.\d{1,3}){3}$/.test(firstAddress)) {
    process.stderr.write(`error: --first-address ${firstAddress}: give a loopback address such as 127.80.0.1\n`);
    return codes.invalid;
  }
  if (!isChoice(options.containers)) {
    process.stderr.write(`error: --containers ${options.containers}: give one of ${choices.join(', ')}\n`);
    return codes.invalid;
  }
  const interrupted = interruption();
  try {
    await requireFreePort(port);
    return await run(options, options.containers, port, interrupted);
  } catch (error) {
    if (interrupted.aborted) return codes.interrupted;
    process.stderr.write(`error: ${explain(error)}\n`);
    return codes.failed;
  }
}

function explain(error: unknown): string {
  if (!(error instanceof HostStartError)) return error instanceof Error ? error.message : String(error);
  return error.problems
    .map(({ path, problem, remedy }) => `${path} ${problem}\n  To mend it: ${remedy} (npm start -- --port PORT).`)
    .join('\n');
}

const choices = ['docker', 'standin', 'auto'] as const;
type Choice = (typeof choices)[number];
const isChoice = (word: string): word is Choice => choices.some((choice) => choice === word);

async function run(options: Options, containers: Choice, port: number, interrupted: AbortSignal): Promise<number> {
  const dataDir = options.data ? resolve(options.data) : mkdtempSync(join(tmpdir(), 'flotilla-'));
  const platform = await startPlatform({
    appDir,
    dataDir,
    ephemeral: options.data === undefined,
    ...(options.data !== undefined && { secretsKeyFile: keyFileOf(options, dataDir) }),
    containers,
    ...(options['first-address'] !== undefined && { world: { firstAddress: options['first-address'] } }),
    images: containers === 'auto' && !options['no-app'] ? await neededImages(options.file) : [],
    port,
    onNotice: (text) => process.stdout.write(`${text}\n`),
    onOutput: (name, line) => {
      if (options.verbose) process.stderr.write(`[${name}] ${line}\n`);
    },
    signal: interrupted,
    onDeath: (name, why) => process.stderr.write(`The ${name} process ended (${why}); starting it again.\n`),
  });
  const access = leaveAccess(platform);
  try {
    process.stdout.write(banner(platform, access, options.data ? dataDir : null));
    const code = options['no-app'] ? codes.ok : await bringUp(platform, options.file, interrupted);
    if (options.once) return code;
    if (!interrupted.aborted) process.stdout.write(hints(platform, port));
    if (!interrupted.aborted) await once(interrupted, 'abort');
    return codes.ok;
  } finally {
    if (access !== null) rmSync(access, { force: true });
    await platform.stop();
  }
}

const keyFileOf = (options: Options, dataDir: string): string =>
  options['secrets-key'] === undefined
    ? defaultKeyFile(userDirectory(process.env, homedir()), dataDir)
    : resolve(options['secrets-key']);

/** Where `flotilla` finds the key of this platform by itself; `null` where that cannot be written. */
function leaveAccess({ url, apiKey, controlUrl, serviceBus, azure }: Platform): string | null {
  const path = loopbackAccessPath(userDirectory(process.env, homedir()), Number(new URL(url).port));
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    rmSync(path, { force: true });
    const ca = azure['NODE_EXTRA_CA_CERTS'];
    const access: ApiAccess = { api: url, key: apiKey, console: controlUrl, serviceBus, ...(ca && { ca }) };
    writeFileSync(path, `${JSON.stringify(access)}\n`, { mode: 0o600 });
    return path;
  } catch {
    return null;
  }
}

function banner(platform: Platform, access: string | null, kept: string | null): string {
  return [
    'Flotilla · embedded platform: Functions host, Durable engine, Service Bus,',
    '  Table Storage, ARM, identity; no account.',
    `  containers     ${platform.containers}`,
    `  API            ${platform.url}/api/v1`,
    `  its key        ${access ?? `export FLOTILLA_KEY=${platform.apiKey}`}`,
    `  Service Bus    ${access === null ? `export FLOTILLA_SERVICEBUS='${platform.serviceBus}'` : 'its connection string is in the same file'} (docs/service-bus.md)`,
    `  fault console  ${platform.controlUrl}/control (src/local/world/CONTROL.md)`,
    `  state          ${kept ?? 'a fresh directory, removed at the end (--data DIR keeps it)'}`,
    '',
    '',
  ].join('\n');
}

function hints({ url }: Platform, port: number): string {
  const api = port === defaultPort ? '' : ` --api ${url}`;
  const calls = ['ps', 'events -f', 'up -f FILE', 'down APP', 'local fault'].map(
    (call) => `npx flotilla ${call}${api}`,
  );
  return `\nFrom a second terminal, in this directory:\n${calls.map((call) => `  ${call}\n`).join('')}Ctrl-C ends everything.\n`;
}

const cli = join(import.meta.dirname, '..', 'cli', import.meta.filename.endsWith('.ts') ? 'main.ts' : 'main.js');

/** Where nobody listens nothing has to be there. */
async function neededImages(file: string): Promise<readonly string[]> {
  return typeof (await findSocket(usersDocker())) === 'string' ? imagesOf(cli, file) : [];
}

/** The CLI is a process of its own: it takes the same road as anybody's. By the channel it sees when this process is gone. */
async function bringUp(platform: Platform, file: string, interrupted: AbortSignal): Promise<number> {
  const child = spawn(process.execPath, [cli, 'up', '--file', file, '--api', platform.url], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, FLOTILLA_KEY: platform.apiKey },
  });
  interrupted.addEventListener('abort', () => child.kill());
  if (interrupted.aborted) child.kill();
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? (interrupted.aborted ? codes.interrupted : codes.failed);
}

process.exitCode = await main();
process.exit();
