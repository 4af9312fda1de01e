/**
 * Compiles `infra/` with the real Bicep compiler (from NuGet; needs a .NET SDK), zero warnings, and holds the settings it writes against `config.ts`:
 * each is read, and together they are enough to start.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../src/config.ts';
import { eventTypes } from '../src/local/event-subscription.ts';
import { names } from '../src/model/names.ts';

const compiler = 'tools/bicep/packages/azure.bicep.commandline.linux-x64/0.49.2/tools/bicep';
/** The Functions host and the Azure SDKs read these themselves. */
const platformSettings = /^(AzureWebJobsStorage__|APPLICATIONINSIGHTS_)/;

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

function main(): number {
  const dotnet = { DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1', ...process.env };
  execFileSync('dotnet', ['restore', 'tools/bicep/bicep.csproj'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: dotnet,
  });
  chmodSync(compiler, 0o755);
  const out = mkdtempSync(join(tmpdir(), 'flotilla-infra-'));
  try {
    const template = join(out, 'main.json');
    const problems = [
      ...run('build', 'infra/main.bicep', '--outfile', template),
      ...run('build', 'infra/events.bicep', '--outfile', join(out, 'events.json')),
      ...run('build-params', 'infra/main.bicepparam', '--outfile', join(out, 'parameters.json')),
      ...globSync('infra/**/*.bicep').flatMap((file) => [...run('lint', file), ...formatting(file)]),
    ];
    const settings = settingsIn(JSON.parse(readFileSync(template, 'utf8')) as Json);
    problems.push(...againstConfig(settings), ...againstFunctions(readFileSync(join(out, 'events.json'), 'utf8')));
    for (const problem of problems) console.error(problem);
    console.log(
      `infra: ${globSync('infra/**/*.bicep').length} files, ${settings.length} settings, ${problems.length} problems`,
    );
    return problems.length > 0 ? 1 : 0;
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** Every line the compiler writes to stderr is a problem, warnings too. */
function run(...args: readonly string[]): readonly string[] {
  const { status, stderr, error } = spawnSync(compiler, args, { encoding: 'utf8' });
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  if (status !== 0 && lines.length === 0) return [`bicep ${args[0]} failed: ${error?.message ?? `code ${status}`}`];
  return lines;
}

function formatting(file: string): readonly string[] {
  const formatted = execFileSync(compiler, ['format', file, '--stdout'], { encoding: 'utf8' });
  return formatted.trimEnd() === readFileSync(file, 'utf8').trimEnd() ? [] : [`${file}: run \`bicep format\``];
}

/** Names of all app settings in a compiled template and its nested deployments. */
function settingsIn(node: Json): readonly string[] {
  if (node === null || typeof node !== 'object') return [];
  if (Array.isArray(node)) return node.flatMap(settingsIn);
  const { type, properties } = node as { readonly [name: string]: Json };
  if (type === 'Microsoft.Web/sites/config' && properties && typeof properties === 'object')
    return Object.keys(properties);
  return Object.values(node as { readonly [name: string]: Json }).flatMap(settingsIn);
}

/** A value that `readConfig` takes for a setting whose value only Azure knows. */
function plausible(name: string): string {
  if (name.endsWith('_ENDPOINT')) return 'https://example.net/';
  return /_EPOCH$|_MS$/.test(name) ? '1' : 'example';
}

function againstConfig(settings: readonly string[]): readonly string[] {
  const own = settings.filter((name) => !platformSettings.test(name));
  const written = Object.fromEntries(own.map((name) => [name, plausible(name)]));
  const read = new Set<string>();
  const watched = new Proxy<Record<string, string>>(written, {
    get: (target, name) => {
      read.add(String(name));
      return target[String(name)];
    },
  });
  try {
    readConfig(watched);
  } catch (error) {
    return [`infra/ does not write every setting that config.ts wants: ${(error as Error).message}`];
  }
  return own.filter((name) => !read.has(name)).map((name) => `infra/ writes ${name}, which config.ts never reads`);
}

/** The subscription must call the function by its registered name, and ask for the events that the embedded platform delivers. */
function againstFunctions(template: string): readonly string[] {
  const wanted = [`'${names.groupEvents}'`, ...eventTypes];
  const missing = wanted.filter((text) => !template.includes(text));
  const others = [...template.matchAll(/Microsoft\.Resources\.Resource\w+(Success|Failure|Cancel)/g)]
    .map(([type]) => type)
    .filter((type) => !eventTypes.includes(type));
  return [
    ...missing.map((text) => `infra/events.bicep does not say ${text}`),
    ...others.map((type) => `infra/events.bicep asks for ${type}, which the embedded platform does not deliver`),
  ];
}

process.exitCode = main();
