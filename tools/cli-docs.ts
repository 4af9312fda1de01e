/** `node tools/cli-docs.ts` writes docs/cli.md from the table of commands; `--check` fails when it is not up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliReference } from '../src/cli/reference.ts';

const path = join(import.meta.dirname, '../docs/cli.md');
if (!process.argv.includes('--check')) writeFileSync(path, cliReference());
else if (readFileSync(path, 'utf8') !== cliReference()) {
  console.error('docs/cli.md is not what the table of commands says: run `node tools/cli-docs.ts`.');
  process.exitCode = 1;
}
