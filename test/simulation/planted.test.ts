/** The planted bugs and the leaks and hangs are patches of text: each must still have its place, and every oracle a bug that it hunts. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { planted as plantedInPlanner } from './exhaustive/planted.ts';
import { scenarioOf, workloadNamed } from './explore/scenario.ts';
import { allFaults } from './faults/registry.ts';
import { hangs } from './mutants/hangs.ts';
import { leaks } from './mutants/leaks.ts';
import { planted } from './mutants/planted.ts';
import { oracles } from './oracles/index.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const textOf = (file: string): string => readFileSync(`${root}${file}`, 'utf8');

/** Those of the exhaustive check, told in the same words. */
const ofPlanner = plantedInPlanner.map(({ name, file, from, to }) => ({
  name,
  file: `src/decide/${file}`,
  find: from,
  replace: to,
}));

describe('a planted bug', () => {
  it.each([...planted, ...leaks, ...hangs, ...ofPlanner].map((patch) => [patch.name, patch] as const))(
    '%s has one place in the code, and changes it',
    (_, { file, find, replace }) => {
      expect(textOf(file).split(find)).toHaveLength(2);
      expect(replace).not.toBe(find);
    },
  );

  it('has a name of its own, and is hunted with faults and a workload that there are', () => {
    expect(new Set(planted.map(({ name }) => name)).size).toBe(planted.length);
    for (const bug of planted) {
      expect(allFaults).toEqual(expect.arrayContaining([...(bug.with ?? [])]));
      expect(() => (bug.on === undefined ? scenarioOf(1) : workloadNamed(bug.on))).not.toThrow();
    }
  });

  it.each(oracles.map(({ name }) => name))('is hunted by the oracle %s', (name) => {
    expect(planted.map(({ killedBy }) => killedBy)).toContain(name);
  });
});
