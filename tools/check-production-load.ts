/**
 * What Azure would run: the built app beside its production dependencies alone, without the embedded platform and the CLI. It must register
 * exactly the golden list, and every other module must load: nothing there needs a devDependency.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');
const golden = join(root, 'test/functions/registrations.txt');
const deployed = ['package.json', 'package-lock.json', '.npmrc', 'host.json', 'pools.yaml', 'dist'];
const notDeployed = ['dist/src/local', 'dist/src/cli'];

function main(): number {
  const appDir = mkdtempSync(join(tmpdir(), 'flotilla-production-'));
  try {
    for (const path of deployed)
      cpSync(join(root, path), join(appDir, path), { recursive: true, filter: (from) => isDeployed(from) });
    npm(appDir, 'ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline');
    const problems = [...registrationProblems(appDir), ...moduleProblems(appDir)];
    for (const problem of problems) console.error(problem);
    console.log(`production: ${problems.length} problems`);
    return problems.length > 0 ? 1 : 0;
  } finally {
    rmSync(appDir, { recursive: true, force: true });
  }
}

function isDeployed(path: string): boolean {
  const inRoot = relative(root, path).replaceAll(sep, '/');
  return !notDeployed.includes(inRoot);
}

/** The npm that runs this script, or else the one on the path. */
function npm(cwd: string, ...args: string[]): void {
  const cli = process.env['npm_execpath'];
  const [command, first] = cli?.endsWith('.js') ? [process.execPath, [cli]] : ['npm', []];
  execFileSync(command, [...first, ...args], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}

function registrationProblems(appDir: string): string[] {
  const run = node(join(import.meta.dirname, 'registrations.ts'), appDir);
  if (run.status !== 0) return [`the app does not load with production dependencies alone:\n${run.stderr}`];
  const wanted = lines(readFileSync(golden, 'utf8'));
  const found = lines(run.stdout);
  return [
    ...wanted.filter((line) => !found.includes(line)).map((line) => `not registered: ${line}`),
    ...found.filter((line) => !wanted.includes(line)).map((line) => `registered, but not in the golden list: ${line}`),
  ];
}

/** All modules in one process: what one of them lacks is named by the error. */
function moduleProblems(appDir: string): string[] {
  const files = globSync('dist/src/**/*.js', { cwd: appDir }).sort();
  const urls = files.map((file) => pathToFileURL(join(appDir, file)).href);
  const script = `for (const url of ${JSON.stringify(urls)}) await import(url).catch((e) => { console.error(url, e); process.exitCode = 1; });`;
  const run = node('--input-type=module', '--eval', script);
  if (files.length < 50) return [`only ${files.length} modules were built: run npm run build`];
  return run.status === 0 ? [] : [`modules that need more than production dependencies:\n${run.stderr}`];
}

const node = (...args: string[]) =>
  spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], { encoding: 'utf8' });

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

process.exit(main());
