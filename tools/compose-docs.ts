/** Writes docs/compose.md from the support table and the compatibility run: `npm run docs:compose`. A test holds the file to what this would write. */
import { writeFileSync } from 'node:fs';
import { composePage } from './compose-docs/page.ts';

writeFileSync('docs/compose.md', await composePage());
