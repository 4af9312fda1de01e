/** What is generated of `docs/service-bus.md` and `docs/schemas/`: everything that follows from the schemas by which messages are read. */
import { z } from 'zod';
import { commandOutcome, wholeCommand } from '../../src/commands/messages.ts';

type Json = { readonly [key: string]: unknown };

const of = (schema: z.ZodType, title: string, description: string): Json => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input', unrepresentable: 'any' });
  return { $schema, title, description, ...rest };
};

export const commandSchema = (): Json =>
  of(
    wholeCommand,
    'Command',
    'Body of a message to the queue flotilla-commands. Fields that are not listed are refused.',
  );

export const outcomeSchema = (): Json =>
  of(commandOutcome, 'Outcome', 'Body of the reply to a command: what became of it, once and for all.');

const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Generated files by their path in the repository. */
export const schemaFiles = (): ReadonlyMap<string, string> =>
  new Map([
    ['docs/schemas/command.json', pretty(commandSchema())],
    ['docs/schemas/outcome.json', pretty(outcomeSchema())],
  ]);

const markers = { begin: '<!-- generated: commands -->', end: '<!-- end of generated -->' };

interface Form {
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
}

/** One row a command: its fields beside those that all have. */
function commandTable(): string {
  const forms = (commandSchema()['oneOf'] ?? commandSchema()['anyOf']) as readonly Form[];
  const common = new Set(['command', 'app', 'idempotencyKey']);
  const rows = forms.map(({ properties = {}, required = [] }) => {
    const own = Object.keys(properties).filter((name) => !common.has(name));
    const fields = own.map((name) => `\`${name}\`${required.includes(name) ? '' : ' (optional)'}`);
    return `| \`${String(properties['command']?.['const'])}\` | ${fields.join(', ') || '–'} |`;
  });
  return ['| command | fields beside `command`, `app`, `idempotencyKey` |', '|---|---|', ...rows].join('\n');
}

/** The page with its generated part brought up to date. @throws Error when a marker is missing. */
export function withTable(page: string): string {
  const [before, rest] = page.split(markers.begin);
  const after = rest?.split(markers.end)[1];
  if (before === undefined || after === undefined)
    throw new Error(`the page has no «${markers.begin}» … «${markers.end}»`);
  return `${before}${markers.begin}\n${commandTable()}\n${markers.end}${after}`;
}
