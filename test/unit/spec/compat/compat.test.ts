/**
 * Compose files of our own, modelled on what people really run. Each gives an app or precise refusals; docs/compose.md shows which, so that a change of
 * support shows there.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { printDocument } from '../../../../src/spec/files/print.ts';
import { supportTable } from '../../../../src/spec/support.ts';
import { composePage } from '../../../../tools/compose-docs/page.ts';
import { compatFiles, compatNames, keysUsed, outcomeOf } from '../../../support/compat.ts';
import { check, faultsOf } from '../../../support/compose.ts';

describe('a Compose file that people run', () => {
  it('is among at least twenty', () => {
    expect(compatNames.length).toBeGreaterThanOrEqual(20);
  });

  it.each(compatNames)('%s gives an app or precise refusals', async (name) => {
    const problems = await faultsOf(compatFiles(name));
    for (const { path, file, line, problem, remedy } of problems) {
      expect(path).not.toBe('');
      expect(file).toMatch(/^shop\//);
      expect(line).toBeGreaterThan(0);
      expect(problem.length).toBeGreaterThan(10);
      expect(remedy).toMatch(/^[A-Z].{5,}[.?]$/);
      expect(`${problem} ${remedy}`).not.toMatch(/undefined|\[object|NaN/);
    }
    const { services, refused } = await outcomeOf(name);
    expect(services === null).toBe(refused.length > 0);
  });

  it.each(compatNames)('%s is printed as a file that means the same', async (name) => {
    const first = await check(compatFiles(name));
    if (!first.ok) return;
    const again = await check(printDocument(first.value.document));
    expect(again.ok && again.value.app).toEqual(first.value.app);
  });

  it('together with the others uses every key that Compose has', () => {
    const used = keysUsed();
    const all = Object.entries(supportTable).flatMap(([group, keys]) =>
      Object.keys(keys).map((key) => (group === '' ? key : `${group}.${key}`)),
    );
    expect(all.filter((path) => !path.includes('x-flotilla') && !used.has(path))).toEqual([]);
  });
});

it('docs/compose.md says what the support table and the compatibility run say; if not, run `npm run docs:compose`', async () => {
  expect(readFileSync('docs/compose.md', 'utf8')).toBe(await composePage());
});
