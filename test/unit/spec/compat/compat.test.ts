/**
 * Compose files of our own, modelled on what people really run. Each gives an app or precise refusals. `outcomes` is what the reader makes of
 * them, so that a change of support shows; `COMPAT_TABLE=1` prints it as a table.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Problem } from '../../../../src/model/problem.ts';
import { printDocument } from '../../../../src/spec/files/print.ts';
import { supportTable } from '../../../../src/spec/support.ts';
import { check, faultsOf } from '../../../support/compose.ts';
import { outcomes } from './outcomes.ts';

const directory = 'test/unit/spec/compat';
const names = readdirSync(directory)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.slice(0, -'.yaml'.length));
const textOf = (name: string) => readFileSync(`${directory}/${name}.yaml`, 'utf8');

/** What lies beside the Compose file on its author's disk. */
const beside = {
  'common.yaml': 'services: {base: {image: "nginx:1.29", environment: {FROM: base}, restart: always}}',
  'monitoring.yaml': 'services: {metrics: {image: "prom/prometheus:v3.1.0", ports: ["9090"]}}',
  '.env.production': 'LOCAL_DOMAIN=example.org\nSECRET_KEY_BASE="abc$$def"\nDB_HOST=db\n',
  'default.env': 'DEBUG=0\nDATABASE_URL=postgres://db/app\n',
};
const filesOf = (name: string) => ({ 'compose.yaml': textOf(name), ...beside });

const kinds = (problems: readonly Problem[], severity: Problem['severity']) =>
  problems.filter((problem) => problem.severity === severity).map(({ path }) => path);

async function outcomeOf(name: string) {
  const result = await check(filesOf(name));
  const problems = result.ok ? result.value.warnings : result.error;
  const services = result.ok ? result.value.app.services.length : null;
  return { services, refused: kinds(problems, 'error'), ignored: kinds(problems, 'warning') };
}

describe('a Compose file that people run', () => {
  it('is among at least twenty', () => {
    expect(names.length).toBeGreaterThanOrEqual(20);
    expect(Object.keys(outcomes).sort()).toEqual(names.sort());
  });

  it.each(names)('%s gives an app or precise refusals', async (name) => {
    const problems = await faultsOf(filesOf(name));
    for (const { path, file, line, problem, remedy } of problems) {
      expect(path).not.toBe('');
      expect(file).toMatch(/^shop\//);
      expect(line).toBeGreaterThan(0);
      expect(problem.length).toBeGreaterThan(10);
      expect(remedy).toMatch(/^[A-Z].{10,}[.?]$/);
      expect(`${problem} ${remedy}`).not.toMatch(/undefined|\[object|NaN/);
    }
    expect(await outcomeOf(name)).toEqual(outcomes[name]);
  });

  it.each(names.filter((name) => outcomes[name]?.services !== null))(
    '%s is printed as a file that means the same',
    async (name) => {
      const first = await check(filesOf(name));
      const again = await check(first.ok ? printDocument(first.value.document) : '');
      expect(again.ok && again.value.app).toEqual(first.ok && first.value.app);
    },
  );

  it('together use every key of a service that Compose has', () => {
    const used = new Set(
      names.flatMap((name) => {
        const { services = {} } = parse(textOf(name), { merge: true }) as { services?: Record<string, object> };
        return Object.values(services).flatMap((service) => Object.keys(service));
      }),
    );
    expect(Object.keys(supportTable['services.*'] ?? {}).filter((key) => !used.has(key))).toEqual([]);
  });

  it.runIf(process.env['COMPAT_TABLE'] !== undefined)('is shown in a table', async () => {
    const rows = await Promise.all(names.map(async (name) => ({ name, ...(await outcomeOf(name)) })));
    const lines = rows.map(({ name, services, refused, ignored }) => {
      const result = services === null ? `refused (${refused.length})` : `${services} services`;
      return `| ${name} | ${result} | ${refused.join('<br>')} | ${ignored.join('<br>')} |`;
    });
    console.log(['| file | result | refused | ignored, with a warning |', '|---|---|---|---|', ...lines].join('\n'));
  });
});
