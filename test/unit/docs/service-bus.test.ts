/** The published contract of commands and outcomes is the one that the code holds messages against. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { commandOutcome, readMessage } from '../../../src/commands/messages.ts';
import { commandSchema, outcomeSchema, schemaFiles, withTable } from '../../../tools/service-bus-docs/render.ts';

const root = join(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const ajv = new Ajv2020({ strict: false, allErrors: true });
const validators = { command: ajv.compile(commandSchema()), outcome: ajv.compile(outcomeSchema()) };
const examples = readdirSync(join(root, 'docs/schemas/examples')).map((file) => ({
  file,
  kind: file.split('.')[0] as 'command' | 'outcome',
  value: JSON.parse(read(`docs/schemas/examples/${file}`)) as Record<string, unknown>,
}));
/** However wide the formatter makes the columns of a table. */
const squeezed = (text: string): string =>
  text.replaceAll(/\s+/g, ' ').replaceAll(/-{3,}/g, '---').replaceAll('| ---', '|---').replaceAll('--- |', '---|');

const takes = {
  command: (value: unknown) => readMessage(value).ok,
  outcome: (value: unknown) => commandOutcome.safeParse(value).success,
};

describe('the Service Bus contract in docs/', () => {
  it.each([...schemaFiles()])('%s is what the schemas of the code say (npm run docs:service-bus)', (file, text) => {
    expect(JSON.parse(read(file))).toEqual(JSON.parse(text));
  });

  it('docs/service-bus.md lists the commands that there are (npm run docs:service-bus)', () => {
    const page = read('docs/service-bus.md');
    expect(squeezed(page)).toBe(squeezed(withTable(page)));
    expect(squeezed(page)).toContain('| `apply` | `document` |');
  });

  it.each(examples)('the example $file fits its schema and is taken by the code', ({ kind, value }) => {
    const validate = validators[kind];
    validate(value);
    expect(validate.errors).toBeNull();
    expect(takes[kind](value)).toBe(true);
  });

  it('has an example of every end that a command can have', () => {
    const states = examples.filter(({ kind }) => kind === 'outcome').map(({ value }) => value['state']);
    expect(new Set(states)).toEqual(new Set(['applied', 'rejected', 'superseded']));
  });

  it.each(examples)('schema and code agree on what spoils $file', ({ kind, value }) => {
    const spoilt = [
      { ...value, extra: 1 },
      ...Object.keys(value).flatMap((key) => {
        const { [key]: _, ...rest } = value;
        return key === 'document' ? [] : [rest, { ...value, [key]: ['not this'] }];
      }),
      null,
      'text',
    ];
    for (const one of spoilt) expect([one, validators[kind](one)]).toEqual([one, takes[kind](one)]);
  });
});
