/**
 * Vendors the JSON Schema of the Compose Specification anew: `node tools/update-compose-schema.ts [commit]` (default: the newest of main).
 * Writes the schema unchanged, its licence, and the commit into the README. Tests then name the keys that `src/spec/support.ts` lacks.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const repository = 'compose-spec/compose-spec';
const directory = join(import.meta.dirname, '../src/spec/schema');
const timeoutMs = 30_000;

async function download(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), headers: { 'user-agent': 'flotilla' } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.text();
}

const newest: unknown = JSON.parse(
  await download(`https://api.github.com/repos/${repository}/commits/${process.argv[2] ?? 'main'}`),
);
const { sha, date } = readCommit(newest);
const raw = `https://raw.githubusercontent.com/${repository}/${sha}`;
const [schema, licence] = await Promise.all([download(`${raw}/schema/compose-spec.json`), download(`${raw}/LICENSE`)]);
JSON.parse(schema);

const readmePath = join(directory, 'README.md');
const readme = await readFile(readmePath, 'utf8');
const stamped = readme.replace(/commit `[0-9a-f]{40}` \(\d{4}-\d\d-\d\d\)/, `commit \`${sha}\` (${date})`);
if (!stamped.includes(sha)) throw new Error(`${readmePath} has no line "commit \`…\` (date)" to update`);
await writeFile(join(directory, 'compose-spec.json'), schema);
await writeFile(join(directory, 'LICENSE'), licence);
await writeFile(readmePath, stamped);
console.log(`compose-spec.json is now ${sha} (${date}); run \`npx vitest run test/unit/spec\``);

function readCommit(value: unknown): { sha: string; date: string } {
  const commit = value as { sha?: unknown; commit?: { committer?: { date?: unknown } } };
  const committed = commit.commit?.committer?.date;
  if (typeof commit.sha !== 'string' || !/^[0-9a-f]{40}$/.test(commit.sha) || typeof committed !== 'string') {
    throw new Error('GitHub answered with something that is no commit');
  }
  return { sha: commit.sha, date: committed.slice(0, 10) };
}
