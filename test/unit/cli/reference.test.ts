import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../../src/cli/arguments.ts';
import { commandNames, commandSpec } from '../../../src/cli/command-table.ts';
import { cliReference } from '../../../src/cli/reference.ts';

describe('the table of commands', () => {
  it('is what docs/cli.md says', () => {
    expect(readFileSync(join(import.meta.dirname, '../../../docs/cli.md'), 'utf8')).toBe(cliReference());
  });

  const lines = commandNames.flatMap((name) => commandSpec(name).examples.map(({ line }) => line));
  // What a shell does with the line is not for the arguments.
  const typed = lines.map((line) =>
    line
      .replace(/^source <\((.*)\)$/, '$1')
      .replace(/ [<>] .*$/, '')
      .replace(/^.* \| /, ''),
  );
  it.each(typed)('has an example that is understood: `%s`', (line) => {
    const [program, ...argv] = line.split(' ');
    expect(program).toBe('flotilla');
    expect(parseArguments(argv, {})).toMatchObject({ ok: true });
  });

  it('has no option twice, by name or by letter', () => {
    for (const name of commandNames) {
      const options = commandSpec(name).options;
      const letters = options.flatMap(({ short }) => short ?? []);
      expect([new Set(options.map((option) => option.name)).size, new Set(letters).size]).toEqual([
        options.length,
        letters.length,
      ]);
    }
  });
});
