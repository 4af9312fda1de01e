/** The Compose files of the compatibility run: files of our own, modelled on what people really run, and what becomes of each. */
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Problem } from '../../src/model/problem.ts';
import { isObject } from '../../src/spec/json.ts';
import { supportTable } from '../../src/spec/support.ts';
import { check } from './compose.ts';

const directory = 'test/unit/spec/compat';

export const compatNames: readonly string[] = readdirSync(directory)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.slice(0, -'.yaml'.length))
  .sort();

const textOf = (name: string): string => readFileSync(`${directory}/${name}.yaml`, 'utf8');

/** What lies beside the Compose file on its author's disk. */
const beside = {
  'common.yaml': 'services: {base: {image: "nginx:1.29", environment: {FROM: base}, restart: always}}',
  'monitoring.yaml': 'services: {metrics: {image: "prom/prometheus:v3.1.0", ports: ["9090"]}}',
  '.env': 'GRAFANA_PASSWORD=correct-horse\n',
  '.env.production': 'LOCAL_DOMAIN=example.org\nSECRET_KEY_BASE="abc$$def"\nDB_HOST=db\n',
  'default.env': 'DEBUG=0\nDATABASE_URL=postgres://db/app\n',
  'prometheus.yml': 'global: {scrape_interval: 15s}\n',
  'nginx.conf': 'events {}\n',
  'db-password.txt': 'correct-horse\n',
  'files-key.txt': 'a2V5\n',
};

export const compatFiles = (name: string): Readonly<Record<string, string>> => ({
  'compose.yaml': textOf(name),
  ...beside,
});

export interface Outcome {
  readonly name: string;
  /** Its first comment: what it is. */
  readonly about: string;
  /** Services of the app; `null` = refused. */
  readonly services: number | null;
  readonly refused: readonly Problem[];
  readonly warned: readonly Problem[];
}

export async function outcomeOf(name: string): Promise<Outcome> {
  const result = await check(compatFiles(name));
  const problems = result.ok ? result.value.warnings : result.error;
  const of = (severity: Problem['severity']) => problems.filter((problem) => problem.severity === severity);
  return {
    name,
    about: /^# (.*)/.exec(textOf(name))?.[1] ?? '',
    services: result.ok ? result.value.app.services.length : null,
    refused: of('error'),
    warned: of('warning'),
  };
}

/** Every key of the table that some file uses, as `group.key`. */
export function keysUsed(): ReadonlySet<string> {
  const used = new Set<string>();
  const visitKeys = (value: Readonly<Record<string, unknown>>, group: string): void => {
    for (const [key, member] of Object.entries(value)) {
      const path = group === '' ? key : `${group}.${key}`;
      used.add(path);
      visit(member, path);
    }
  };
  const visit = (value: unknown, group: string): void => {
    if (!Object.hasOwn(supportTable, group)) {
      if (Object.hasOwn(supportTable, `${group}.*`)) for (const member of membersOf(value)) visit(member, `${group}.*`);
    } else if (isObject(value)) visitKeys(value, group);
  };
  for (const name of compatNames) visit(parse(textOf(name), { merge: true }), '');
  return used;
}

const membersOf = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
};
