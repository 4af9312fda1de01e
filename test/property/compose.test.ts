/** The reader of Compose files, for documents that nobody thought of. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Problem } from '../../src/model/problem.ts';
import { printDocument } from '../../src/spec/files/print.ts';
import { checkComposeFile } from '../../src/spec/files/resolve.ts';
import { canonicalJson, type Json, type JsonObject } from '../../src/spec/json.ts';
import { parseApp } from '../../src/spec/parse-app.ts';
import { supportTable } from '../../src/spec/support.ts';
import { optionsFor } from '../support/compose.ts';

/** Every key that the table knows, anywhere, so that random documents reach the rules behind them. */
const knownKeys = [...new Set(Object.values(supportTable).flatMap((keys) => Object.keys(keys)))];
const key = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...knownKeys) },
  fc.constantFrom('web', 'db', '__proto__', 'constructor', 'a b', ''),
  fc.string({ maxLength: 6 }),
);
const scalar = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    false,
    0,
    1,
    -1,
    1.5,
    80,
    1e20,
    '',
    'a',
    'web',
    'true',
    '5s',
    '1G',
    '80:80',
    '80-90',
    '/x',
    'CMD',
    'curl -f localhost',
    '${X',
    '$$',
    "a 'b",
  ),
  fc.string({ maxLength: 12 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    scalar,
    fc.array(tie('json'), { maxLength: 4 }),
    fc.uniqueArray(fc.tuple(key, tie('json')), { maxLength: 5, selector: ([name]) => name }).map(asObject),
  ),
}));
function asObject(entries: readonly (readonly [string, Json])[]): JsonObject {
  return Object.fromEntries(entries);
}

const word = fc.constantFrom('web', 'db', 'queue', 'a-1');
const duration = fc.constantFrom('1s', '500ms', '1m30s', '2h', '0s');
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const service = fc
  .record({
    image: fc.constantFrom('nginx', 'ghcr.io/a/b:1', 'redis:7'),
    command: optional(
      fc.oneof(fc.constant('serve "a b" $HOME'), fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 })),
    ),
    entrypoint: optional(fc.constantFrom<Json>('/bin/app', ['/bin/app', '$x'])),
    environment: optional(
      fc.dictionary(
        fc.stringMatching(/^[A-Z_]{1,4}$/),
        fc.oneof(fc.string({ maxLength: 8 }), fc.integer(), fc.boolean()),
        { maxKeys: 3 },
      ),
    ),
    ports: optional(fc.uniqueArray(fc.constantFrom<Json>('80', 81, '82:82', '83/udp', '84-85'), { maxLength: 3 })),
    expose: optional(fc.constantFrom<Json>(['80'], [81])),
    healthcheck: optional(
      fc.record({
        test: fc.constantFrom<Json>('x', ['CMD', 'curl', '-f', 'localhost'], ['NONE']),
        interval: duration,
        retries: fc.integer({ min: 1, max: 9 }),
      }),
    ),
    restart: optional(fc.constantFrom('always', 'no', 'on-failure', 'unless-stopped')),
    stop_grace_period: optional(duration),
    tty: optional(fc.boolean()),
    deploy: optional(
      fc.record({
        replicas: fc.integer({ min: 0, max: 9 }),
        resources: fc.constantFrom<Json>({}, { limits: { cpus: '1.25', memory: '1.5G' } }),
      }),
    ),
  })
  .map((record) => JSON.parse(JSON.stringify(record)) as JsonObject);
const app: fc.Arbitrary<JsonObject> = fc
  .dictionary(word, service, { minKeys: 1, maxKeys: 3 })
  .map((services) => JSON.parse(JSON.stringify({ name: 'shop', services })) as JsonObject);

/** Replaces the values at some of the places of a document. */
const mutated = fc
  .tuple(app, fc.array(fc.tuple(fc.nat(), json), { minLength: 1, maxLength: 3 }))
  .map(([document, edits]) =>
    edits.reduce<Json>((value, [place, replacement]) => replaceAt(value, { left: place % 40 }, replacement), document),
  );
function replaceAt(value: Json, counter: { left: number }, replacement: Json): Json {
  if (counter.left-- === 0) return replacement;
  if (Array.isArray(value)) return value.map((item: Json) => replaceAt(item, counter, replacement));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, replaceAt(member, counter, replacement)]),
  );
}

/** The same document with the keys of every mapping in reverse order. */
const reversed = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
};

function expectPrecise(problems: readonly Problem[]): void {
  for (const { path, problem, remedy } of problems) {
    expect(problem).toMatch(/\S/);
    expect(remedy).toMatch(/^[A-Z].*[.?]$/s);
    // Only the document as a whole has no path.
    if (path === '') expect(problem).toMatch(/^the (document|file)/);
  }
  expect(new Set(problems.map(({ path, problem, line }) => JSON.stringify([path, problem, line]))).size).toBe(
    problems.length,
  );
}

const resolve = (text: string) => checkComposeFile(optionsFor(text));

describe('any document', () => {
  it.each([
    ['arbitrary', json],
    ['nearly valid', mutated],
    ['with arbitrary services', json.map((web): Json => ({ name: 'shop', services: { web } }))],
    [
      'with an arbitrary extension',
      json.map((x): Json => ({ name: 'shop', services: { web: { image: 'a', ports: ['80'], 'x-flotilla': x } } })),
    ],
  ])('%s, gives an app or precise problems, the same every time and in every order of keys', (_, documents) => {
    fc.assert(
      fc.property(documents, (document) => {
        const first = parseApp(document);
        expectPrecise(first.ok ? first.value.warnings : first.error);
        if (!first.ok) expect(first.error.some(({ severity }) => severity === 'error')).toBe(true);
        expect(parseApp(structuredClone(document))).toEqual(first);
        expect(parseApp(reversed(document))).toEqual(first);
      }),
      { numRuns: 150 },
    );
  });

  it('that is valid gives an app; the generator of valid ones is not empty of rules', () => {
    fc.assert(
      fc.property(app, (document) => {
        const parsed = parseApp(document);
        expect(parsed.ok ? [] : parsed.error).toEqual([]);
      }),
    );
  });

  it('is not changed by parsing it', () => {
    fc.assert(
      fc.property(mutated, (document) => {
        const before = canonicalJson(document);
        parseApp(document);
        expect(canonicalJson(document)).toBe(before);
      }),
    );
  });
});

describe('any file', () => {
  const unit = fc.constantFrom(
    'services',
    'web',
    'image',
    ': ',
    ':\n',
    '\n',
    '  ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    ', ',
    '"',
    "'",
    '&a ',
    '*a',
    '<<: *a',
    '!x ',
    '$',
    '${A:-',
    '|\n',
    '#',
    '? ',
    '%',
    '@',
    '\t',
    '---\n',
    'a',
    '1',
    'é',
    '\0',
  );
  it.each([
    ['of arbitrary text', fc.string({ unit, maxLength: 60 })],
    ['of a nearly valid document', mutated.map((document) => stringify(document))],
  ])('%s, gives an app or problems with file and line', async (_, texts) => {
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const result = await resolve(text);
        const problems = result.ok ? result.value.warnings : result.error;
        for (const { file, line } of problems) {
          expect(file).toBe('shop/compose.yaml');
          expect(line).toBeGreaterThan(0);
        }
        expectPrecise(problems.filter(({ path }) => path !== ''));
      }),
      { numRuns: 150 },
    );
  });

  it('that was printed means the same when it is read again', async () => {
    await fc.assert(
      fc.asyncProperty(app, async (document) => {
        const first = await resolve(printDocument(document));
        const direct = parseApp(document);
        expect(first.ok && direct.ok && first.value.app).toEqual(direct.ok && direct.value.app);
        const second = await resolve(first.ok ? printDocument(first.value.document) : '');
        expect(second.ok && second.value.app).toEqual(first.ok && first.value.app);
        expect(second.ok && second.value.document).toEqual(first.ok && first.value.document);
      }),
    );
  });
});
