/**
 * Runs the contract of the Tables service on Azurite, which stays out of the project's own dependencies because it is large: installed into
 * `tools/azurite` as its lock file says, unless it is there already. Each suite starts it on a free port and ends it.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const directory = join(import.meta.dirname, 'azurite');

/** The version of Azurite in a lock file (of the package, or of what is installed); none without the file. */
function azuriteVersion(lockFile: string): string | undefined {
  try {
    const lock = JSON.parse(readFileSync(lockFile, 'utf8')) as { packages: Record<string, { version?: string }> };
    return lock.packages['node_modules/azurite']?.version;
  } catch {
    return undefined;
  }
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** The npm that runs this script, or else the one on the path. */
function npm(...args: string[]): void {
  const cli = process.env['npm_execpath'];
  if (cli?.endsWith('.js')) run(process.execPath, [cli, ...args]);
  else run('npm', args);
}

const wanted = azuriteVersion(join(directory, 'package-lock.json'));
const installed = azuriteVersion(join(directory, 'node_modules/.package-lock.json'));
if (wanted === undefined || installed !== wanted)
  npm('ci', '--prefix', directory, '--ignore-scripts', '--no-audit', '--no-fund');
run(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--project', 'contract', 'test/contract/tables.test.ts', '-t', 'Azurite'],
  { FLOTILLA_AZURITE: 'required' },
);
