/**
 * Holds src/ and functions/ to the import rules of `.dependency-cruiser.mjs`, and proves that the checker looked: without a parser for our
 * TypeScript it would cruise nothing and succeed.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string; readonly severity: string };
}

const run = spawnSync(
  process.execPath,
  [
    'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
    'functions',
    'src',
    '--config',
    '.dependency-cruiser.mjs',
    '--output-type',
    'json',
  ],
  { encoding: 'utf8', maxBuffer: 512 * 1024 * 1024 },
);
if (run.error || run.stdout === '')
  throw new Error(`dependency-cruiser did not run: ${run.error?.message ?? run.stderr}`);

const { modules, summary } = JSON.parse(run.stdout) as {
  modules: { source: string; dependencies: unknown[] }[];
  summary: { violations: Violation[] };
};
const files = globSync(['functions/**/*.ts', 'src/**/*.ts']);
const seen = new Set(modules.map((module) => module.source));
const unseen = files.filter((file) => !seen.has(file));
const edges = modules
  .filter((module) => seen.has(module.source))
  .reduce((sum, module) => sum + module.dependencies.length, 0);

for (const violation of summary.violations)
  console.error(`${violation.rule.name}: ${violation.from} → ${violation.to}`);
if (unseen.length > 0) console.error(`not looked at: ${unseen.join(', ')}`);
if (edges === 0) console.error('no import was seen: the checker checked nothing');
console.log(`layers: ${files.length} files, ${edges} imports, ${summary.violations.length} violations`);
process.exit(summary.violations.length > 0 || unseen.length > 0 || edges === 0 ? 1 : 0);
