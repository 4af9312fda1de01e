/** `node tools/reference-docs.ts` writes docs/cli.md from the table of commands and docs/openapi.json from the schemas of the API. Tests hold them to it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliReference } from '../src/cli/reference.ts';
import { openApiDocument } from '../src/commands/http/openapi.ts';

const docs = join(import.meta.dirname, '../docs');
writeFileSync(join(docs, 'cli.md'), cliReference());
writeFileSync(join(docs, 'openapi.json'), `${JSON.stringify(openApiDocument(), null, 2)}\n`);
