/**
 * `npm run sim:mutants:unit [-- --only NAME]`: plants each bug of the simulator in a copy of the sources and runs the unit tests on it. A planted bug is
 * worth its name only if they pass: what they catch need not be hunted in the simulator.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { planted } from '../test/simulation/mutants/planted.ts';
import type { PlantedBug } from '../test/simulation/types.ts';

const { values } = parseArgs({ options: { only: { type: 'string' } } });
/** The unit tests of what the patches touch; those of the embedded platform do not see it. */
const suites = ['activities', 'azure', 'commands', 'decide', 'model', 'orchestrations', 'spec/secrets'].map(
  (name) => `test/unit/${name}`,
);

const copy = mkdtempSync(join(tmpdir(), 'flotilla-planted-'));
for (const part of [
  'src',
  'functions',
  'test',
  'docs',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
  'host.json',
  'pools.yaml',
  'docs',
])
  cpSync(part, join(copy, part), { recursive: true });
symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));

/** The tests that fail with the bug, or null when all pass. */
function caughtBy({ file, find, replace }: PlantedBug): string | null {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(find).length !== 2) return `the text to replace does not occur once in ${file}`;
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
  try {
    const run = spawnSync('vitest', ['run', '--project', 'unit', '--reporter', 'dot', ...suites], {
      cwd: copy,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    });
    if (run.status === 0) return null;
    return /FAIL\s+(.*)/.exec(run.stdout + run.stderr)?.[1] ?? 'the unit tests';
  } finally {
    writeFileSync(path, source);
  }
}

let caught = 0;
try {
  for (const bug of planted.filter(({ name }) => values.only === undefined || name === values.only)) {
    const by = caughtBy(bug);
    if (by !== null) caught += 1;
    console.log(`${by === null ? 'passes' : 'CAUGHT'}  ${bug.name.padEnd(36)}${by ?? ''}`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.exitCode = caught > 0 ? 1 : 0;
