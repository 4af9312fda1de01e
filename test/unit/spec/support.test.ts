import { describe, expect, it } from 'vitest';
import schema from '../../../src/spec/schema/compose-spec.json' with { type: 'json' };
import { supportTable } from '../../../src/spec/support.ts';

type Schema = Readonly<Record<string, unknown>>;
const definitions: Schema = schema.definitions;

/** All forms a schema offers, references followed. */
function formsOf(node: Schema): Schema[] {
  if (typeof node['$ref'] === 'string') return formsOf(definitions[node['$ref'].split('/').at(-1) ?? ''] as Schema);
  const forms = ((node['oneOf'] ?? []) as Schema[]).flatMap(formsOf);
  return [node, ...forms];
}

/** Every key path of the schema outside what the table ignores or refuses as a whole. */
function keyPaths(node: Schema, group: string): string[] {
  return formsOf(node).flatMap((form) => {
    const named = Object.entries((form['properties'] ?? {}) as Record<string, Schema>).flatMap(([key, value]) => {
      const path = group === '' ? key : `${group}.${key}`;
      const row = supportTable[group]?.[key];
      const isWalked = row?.use === 'used' ? !row.asWhole : row?.descend === true;
      return isWalked ? [path, ...keyPaths(value, path)] : [path];
    });
    const patterns = Object.entries((form['patternProperties'] ?? {}) as Record<string, Schema>);
    const members = patterns
      .filter(([pattern]) => pattern !== '^x-')
      .flatMap(([, value]) => keyPaths(value, `${group}.*`));
    const items = form['items'] === undefined ? [] : keyPaths(form['items'] as Schema, `${group}.*`);
    return [...named, ...members, ...items];
  });
}

const inSchema = new Set(keyPaths(schema, ''));
const inTable = Object.entries(supportTable).flatMap(([group, keys]) =>
  Object.keys(keys).map((key) => (group === '' ? key : `${group}.${key}`)),
);

describe('the support table', () => {
  it('has a row for every key of the vendored schema', () => {
    expect(inSchema.size).toBeGreaterThan(120);
    expect([...inSchema].filter((path) => !inTable.includes(path))).toEqual([]);
  });

  it('has no row for a key that neither the schema nor x-flotilla has', () => {
    expect(inTable.filter((path) => !path.includes('x-flotilla') && !inSchema.has(path))).toEqual([]);
  });

  it('says why and what to do for every key that is not used', () => {
    const rows = Object.values(supportTable).flatMap((keys) => Object.values(keys));
    for (const row of rows) {
      if (row.use === 'used') continue;
      expect(row.why.length).toBeGreaterThan(20);
      expect(row.remedy).toMatch(/[.!]$/);
      expect(row.why).not.toMatch(/[.;:]$/);
    }
  });
});
