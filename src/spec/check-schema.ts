/**
 * Validates a document against the vendored schema of the Compose Specification and translates what is wrong into sentences. Knows shapes and
 * types only. The schema offers most values in several forms (`oneOf`); a person wrote one of them, so only that one is complained about.
 */

import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { isObject, joinPath, ownValue } from './json.ts';
import type { Report } from './report.ts';
import schema from './schema/compose-spec.json' with { type: 'json' };
import { nearestWord } from './suggest.ts';

let compiled: ValidateFunction | undefined;

/** Compiled at the first use: it costs tens of ms, and most invocations of a function app validate nothing. */
function validator(): ValidateFunction {
  if (compiled === undefined) {
    const { $schema: _draft7, ...rules } = schema;
    compiled = new Ajv({ allErrors: true, verbose: true, strict: false, messages: false, logger: false }).compile(
      rules,
    );
  }
  return compiled;
}

/** Reports every place where `document` has a shape that Compose does not allow. What is already refused is not complained about again. */
export function checkSchema(document: unknown, report: Report): void {
  const validate = validator();
  if (validate(document)) return;
  const errors = validate.errors ?? [];
  validate.errors = null;
  const choices = errors.filter((error) => error.keyword === 'oneOf');
  const unmatched = choices.filter((error) => !typesOf(error.schema).some((type) => hasType(error.data, type)));
  // A value of none of the offered types: one sentence at its place; refusing it drops what its branches say.
  for (const error of unmatched) {
    complainAboutType(error, typesOf(error.schema), toPath(error.instancePath, document), report);
  }
  for (const error of errors) {
    if (error.keyword === 'oneOf' || isFromOtherForm(error, choices)) continue;
    translate(error, document, report);
  }
}

/** Did a branch of the `oneOf` at the same place complain that is meant for values of another type? */
const isFromOtherForm = (error: ErrorObject, choices: readonly ErrorObject[]): boolean =>
  choices.some((choice) => choice.instancePath === error.instancePath) &&
  !typesOf([error.parentSchema]).some((type) => hasType(error.data, type));

/** The JSON types that the given schemas accept, references followed; a schema without a type accepts its own kind only by chance, so none. */
function typesOf(schemas: unknown): string[] {
  if (!Array.isArray(schemas)) return [];
  return schemas.flatMap((branch): string[] => {
    const reference = ownValue(branch, '$ref');
    if (typeof reference === 'string') {
      return typesOf([ownValue(schema.definitions, reference.slice('#/definitions/'.length))]);
    }
    const type = ownValue(branch, 'type');
    if (type === undefined) return typesOf(ownValue(branch, 'oneOf'));
    return (Array.isArray(type) ? type : [type]).filter((name) => typeof name === 'string');
  });
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'null':
      return value === null;
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function translate(error: ErrorObject, document: unknown, report: Report): void {
  const path = toPath(error.instancePath, document);
  const params: Readonly<Record<string, unknown>> = error.params;
  switch (error.keyword) {
    case 'type':
      complainAboutType(error, Array.isArray(error.schema) ? error.schema : [String(error.schema)], path, report);
      return;
    case 'additionalProperties':
      complainAboutKey(error, joinPath(path, String(params['additionalProperty'])), report);
      return;
    case 'required':
      report.refuse(path, `lacks \`${params['missingProperty']}\`.`, `Add \`${params['missingProperty']}\`.`);
      return;
    case 'enum': {
      const values: readonly string[] = Array.isArray(error.schema) ? error.schema.map(String) : [];
      const allowed = values.map((value) => `\`${value}\``).join(', ');
      const nearest = typeof error.data === 'string' ? nearestWord(error.data, values) : undefined;
      report.refuse(
        path,
        `${show(error.data)} is not one of the values allowed here.`,
        nearest === undefined ? `Write one of ${allowed}.` : `Did you mean \`${nearest}\`? Allowed are ${allowed}.`,
      );
      return;
    }
    case 'uniqueItems':
      report.refuse(path, `holds ${show(at(error.data, params['i']))} twice.`, 'Remove one of them.');
      return;
    case 'minimum':
    case 'maximum': {
      const bound = error.keyword === 'minimum' ? 'at least' : 'at most';
      report.refuse(
        path,
        `is ${show(error.data)}, but must be ${bound} ${error.schema}.`,
        `Write ${bound} ${error.schema}.`,
      );
      return;
    }
    default:
      report.refuse(
        path,
        `${show(error.data)} does not have the form that Compose asks for here.`,
        `It must match \`${error.schema}\`.`,
      );
  }
}

function complainAboutType(error: ErrorObject, types: readonly string[], path: string, report: Report): void {
  // Reserved on the wire; the rules for environments say what to do instead.
  if (isObject(error.data) && Object.hasOwn(error.data, 'secretRef')) return;
  // `services:` with nothing below it: the rule for services says more.
  if (error.instancePath === '/services' && error.data === null) return;
  if (isWrittenAsText(error.data, types)) return;
  const names = [...new Set(types)].filter((type) => type !== 'null').map((type) => typeNames[type] ?? type);
  const expected = names.length > 1 ? `${names.slice(0, -1).join(', ')} or ${names.at(-1)}` : (names[0] ?? 'empty');
  report.refuse(path, `must be ${expected}, not ${show(error.data)}.`, remedyFor(error, expected));
}

/** Keys whose values are durations; the schema calls them strings. */
const durationKeys = /\/(interval|timeout|start_period|start_interval|stop_grace_period|delay|monitor|window)$/;

function remedyFor({ data, instancePath }: ErrorObject, expected: string): string {
  if (data === null) return `Write ${expected}, or remove the key.`;
  if (expected !== typeNames['string'] || typeof data === 'object') return `Write ${expected}.`;
  const isDuration = typeof data === 'number' && durationKeys.test(instancePath);
  return isDuration ? `Write it with a unit, such as \`${data}s\`.` : `Put it into quotes: \`"${data}"\`.`;
}

/** Interpolated values arrive as text: `"false"` is a boolean and `"3"` a number; the rules read both. */
const isWrittenAsText = (value: unknown, types: readonly string[]): boolean =>
  (types.includes('boolean') && (value === 'true' || value === 'false')) ||
  ((types.includes('number') || types.includes('integer')) && typeof value === 'string' && /^\d+$/.test(value));

const typeNames: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  integer: 'a whole number',
  boolean: '`true` or `false`',
  object: 'a mapping',
  array: 'a list',
};

function complainAboutKey(error: ErrorObject, path: string, report: Report): void {
  // Illegal service names: the rule for names proposes a legal one.
  if (error.instancePath === '/services') return;
  const known = Object.keys(isObject(error.parentSchema?.['properties']) ? error.parentSchema['properties'] : {});
  const key = String(error.params['additionalProperty']);
  const nearest = nearestWord(key, known);
  const remedy = known.length === 0 ? 'Remove it.' : `Remove it, or write one of ${known.slice(0, 8).join(', ')}.`;
  report.refuse(
    path,
    `\`${key}\` is not a key that can stand here.`,
    nearest ? `Did you mean \`${nearest}\`?` : remedy,
  );
}

/** JSON pointer → problem path; what is a list in the document gets an index. */
function toPath(pointer: string, document: unknown): string {
  let value = document;
  let path = '';
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path = joinPath(path, Array.isArray(value) ? Number(key) : key);
    value = at(value, key);
  }
  return path;
}

const at = (value: unknown, key: unknown): unknown =>
  Array.isArray(value) ? value[Number(key)] : ownValue(value, String(key));

/** A value as people write it, short enough for a sentence. */
function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (isObject(value)) return 'a mapping';
  if (value === null) return 'empty';
  const text = String(value);
  return `\`${text.length > 60 ? `${text.slice(0, 57)}…` : text}\``;
}
