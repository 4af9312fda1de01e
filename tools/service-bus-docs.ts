/** `npm run docs:service-bus`: writes what `docs/service-bus.md` and `docs/schemas/` take from the schemas of the messages. A unit test says when it is due. */
import { readFileSync, writeFileSync } from 'node:fs';
import { schemaFiles, withTable } from './service-bus-docs/render.ts';

const page = 'docs/service-bus.md';
for (const [file, text] of schemaFiles()) writeFileSync(file, text);
writeFileSync(page, withTable(readFileSync(page, 'utf8')));
