import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planted } from './planted.ts';

/** In a process of its own: compiled by Node itself the exploration is several times as fast as under the test runner. */
function explored(...args: readonly string[]): readonly Record<string, unknown>[] {
  const main = resolve(import.meta.dirname, 'main.ts');
  try {
    return lines(execFileSync(process.execPath, [main, '--json', ...args], { encoding: 'utf8', stdio: 'pipe' }));
  } catch (error) {
    return lines((error as { readonly stdout?: string }).stdout ?? '');
  }
}

const lines = (text: string): readonly Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('the planner in a small world, whatever happens in whatever order', () => {
  it('breaks no rule and converges from every state', { timeout: 300_000 }, () => {
    const scopes = explored();
    for (const { scope, states, transitions } of scopes)
      console.log(`${scope}: ${states} states, ${transitions} transitions`);
    expect(scopes.filter(({ violation }) => violation !== null)).toEqual([]);
    expect(scopes).toHaveLength(7);
    // A world that has lost its faults would be small, and the check worth little.
    const total = (of: 'states' | 'transitions') => scopes.reduce((sum, scope) => sum + Number(scope[of]), 0);
    expect(total('states')).toBeGreaterThan(300_000);
    expect(total('transitions')).toBeGreaterThan(1_000_000);
  });

  it('with a bug planted breaks the rule that the bug is about', { timeout: 300_000 }, () => {
    const found = explored('--planted').map(({ bug, oracle }) => [bug, oracle]);
    expect(found).toEqual(planted.map(({ name, oracle }) => [name, oracle]));
  });
});
