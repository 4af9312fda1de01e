/** A Compose app with every kind of secret and config, whose values are told apart from everything else; and all places where a value must never stand. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Finished, Place, Running } from './flotilla-process.ts';
import { localKeyOf } from './local-access.ts';
import { filesTelling, tells } from './secrecy.ts';

/** Each comes another way: by `flotilla secrets set`, a variable of who applies, a file. */
export const values = {
  token: 'canary-token-3f9d2c1b7a',
  later: 'canary-later-60b1ce84d2',
  db: 'canary-db-8e41f07d5c9a',
  page: 'canary-page-1c77e5b20f43',
} as const;

export interface SecretApp {
  readonly file: string;
  /** `flotilla secrets set secretive token`. */
  store(api: string, value: string): Promise<Finished>;
  up(api: string): Promise<Finished>;
}

/** `services` use the secrets `token`, `db` and `status` (`207`) and the config `page`. */
export function secretApp(place: Place, services: string): SecretApp {
  const at = (name: string) => join(place.directory, name);
  writeFileSync(at('status.txt'), '207');
  writeFileSync(at('page.html'), values.page);
  writeFileSync(
    at('compose.yaml'),
    `name: secretive
services:
${services}
secrets:
  token: { external: true }
  db: { environment: DB_PASSWORD }
  status: { file: ./status.txt }
configs:
  page: { file: ./page.html }
`,
  );
  const file = at('compose.yaml');
  return {
    file,
    store(api, value) {
      writeFileSync(at('token.txt'), value);
      return place.flotilla('secrets', 'set', 'secretive', 'token', '--file', at('token.txt'), '--api', api).finished;
    },
    up(api) {
      const args = [resolve('dist/src/cli/main.js'), 'up', '--file', file, '--api', api];
      return place.run(process.execPath, args, { env: { DB_PASSWORD: values.db } }).finished;
    },
  };
}

/** Every place that tells a value: what the platform prints, what API and fault console answer, files of the platform. */
export async function placesTelling(place: Place, platform: Running, dataDir: string): Promise<readonly string[]> {
  const find = (pattern: RegExp) =>
    platform.out.map((line) => pattern.exec(line)?.[1]).find((found) => found !== undefined) ?? '';
  const api = find(/^ *API +(http:\S+)\/api\/v1/);
  const control = find(/fault console +(http:\S+)\/control/);
  const headers = { 'x-functions-key': localKeyOf(place.home, api) };
  const said = new Map<string, string>();
  const read = async (url: string) => {
    const answer = await fetch(url, { headers });
    if (!answer.ok) throw new Error(`${url}: HTTP ${answer.status}`);
    said.set(url, await answer.text());
  };
  for (const path of ['', '/events', '/secrets', '/logs']) await read(`${api}/api/v1/apps/secretive${path}`);
  for (const path of ['state', 'audit', 'events', 'console']) await read(`${control}/control/${path}`);
  said.set('the output of the platform', [...platform.out, ...platform.errors].join('\n'));
  return Object.entries(values).flatMap(([name, value]) => [
    ...[...said].filter(([, text]) => tells(text, value)).map(([where]) => `${name}: ${where}`),
    ...[dataDir, place.home].flatMap((directory) => filesTelling(directory, value)).map((path) => `${name}: ${path}`),
  ]);
}
