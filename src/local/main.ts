/**
 * `npm start`: brings up the embedded platform, hands the example app to the CLI, and stays until Ctrl-C.
 * `--once` ends when the app converged (code 0) or with the reason why not.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Platform, startPlatform } from './platform.ts';

const usage = `Usage: npm start -- [options]

  --once          end when the app has converged: 0, or the reason why not
  --file FILE     Compose file to bring up (default examples/voting/compose.yaml)
  --no-app        start the platform only
  --data DIR      keep everything in DIR (default: a fresh directory, removed at the end)
  --port PORT     port of the API (default 7071)
  --verbose       show what the parts print
`;

/** Where the CLI looks. */
const defaultPort = 7071;

const appDir = resolve(import.meta.dirname, import.meta.filename.endsWith('.ts') ? '../..' : '../../..');

function parse() {
  return parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      file: { type: 'string', default: join('examples', 'voting', 'compose.yaml') },
      'no-app': { type: 'boolean', default: false },
      data: { type: 'string' },
      port: { type: 'string', default: String(defaultPort) },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  }).values;
}

async function main(): Promise<number> {
  let options: ReturnType<typeof parse>;
  try {
    options = parse();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    process.stderr.write(`--port ${options.port}: not a port; give a number from 0 (any free port) to 65535\n`);
    return 2;
  }
  const dataDir = options.data ? resolve(options.data) : mkdtempSync(join(tmpdir(), 'flotilla-'));
  let platform: Platform | undefined;
  const interrupted = Promise.race((['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => once(process, signal)));
  try {
    platform = await startPlatform({
      appDir,
      dataDir,
      port,
      onOutput: (name, line) => {
        if (options.verbose) process.stderr.write(`[${name}] ${line}\n`);
      },
      onDeath: (name, why) => process.stderr.write(`The ${name} process ended (${why}); starting it again.\n`),
    });
    process.stdout.write(banner(platform, options.data ? dataDir : null));
    const code = options['no-app'] ? 0 : await bringUp(platform, options.file);
    if (options.once) return code;
    process.stdout.write(hints(platform, port));
    await interrupted;
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return 1;
  } finally {
    await platform?.stop();
    if (!options.data) rmSync(dataDir, { recursive: true, force: true });
  }
}

function banner(platform: Platform, kept: string | null): string {
  return [
    'Flotilla · embedded platform (no account, no Docker): Functions host, Durable engine, Service Bus, Table Storage, ARM, identity',
    `  containers are stand-ins: HTTP and TCP servers on 127.x.y.z that behave as image and environment say`,
    `  API ${platform.url}/api/v1 · state in ${kept ?? 'a fresh directory, removed at the end (--data DIR keeps it)'}`,
    '',
    '',
  ].join('\n');
}

function hints({ url }: Platform, port: number): string {
  const api = port === defaultPort ? '' : ` --api ${url}`;
  const calls = ['ps', 'events -f', 'up -f FILE', 'down APP'].map((call) => `npx flotilla ${call}${api}`);
  return `\nFrom a second terminal:\n${calls.map((call) => `  ${call}\n`).join('')}Ctrl-C ends everything.\n`;
}

/** The CLI is a process of its own: it takes the same road as anybody's. */
async function bringUp(platform: Platform, file: string): Promise<number> {
  const cli = join(import.meta.dirname, '..', 'cli', import.meta.filename.endsWith('.ts') ? 'main.ts' : 'main.js');
  const child = spawn(process.execPath, [cli, 'up', '--file', resolve(appDir, file), '--api', platform.url], {
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

process.exitCode = await main();
process.exit();
