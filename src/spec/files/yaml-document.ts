/** YAML text → JSON, with the place of every value and of every mistake. Knows nothing of Compose. */

import { type Document, LineCounter, parseDocument } from 'yaml';
import type { Problem } from '../../model/problem.ts';
import { type AliasTargets, convertValues, findAliasTargets, type Values } from './yaml-values.ts';

/** Beyond any Compose file that the API would take (192 KiB). */
const textLengthMax = 1024 * 1024;

export function readYaml(text: string, file: string): Values {
  const nothing = { root: null, places: new Map(), sources: new Map(), tags: new Map() };
  const fail = (problem: string, remedy: string, line: number, column: number): Problem => ({
    severity: 'error',
    path: '',
    problem,
    remedy,
    file,
    line,
    column,
  });
  if (text.length > textLengthMax) {
    const problem = `the file has ${text.length} characters, but may have at most ${textLengthMax}.`;
    return { ...nothing, problems: [fail(problem, 'Split the app, or move large values elsewhere.', 1, 1)] };
  }
  const strange = /[\0\uFFFD]/.exec(text);
  if (strange !== null) {
    const line = text.slice(0, strange.index).split('\n').length;
    return { ...nothing, problems: [fail('the file is not UTF-8 text.', 'Save it as UTF-8.', line, 1)] };
  }
  const lines = new LineCounter();
  const parsed = parse(text, lines);
  if (parsed === undefined) {
    return { ...nothing, problems: [fail('the file is nested too deeply.', 'Flatten it.', 1, 1)] };
  }
  const { document, targets } = parsed;
  const complaints = [...document.errors, ...document.warnings].filter(
    ({ code, message }) => code !== 'TAG_RESOLVE_FAILED' || !/!(reset|override)$/.test(message),
  );
  if (complaints.length > 0) {
    const problems = complaints.map((complaint) => {
      const { line, col } = lines.linePos(complaint.pos[0]);
      const key = /^[^\s:]+/.exec(text.slice(complaint.pos[0], complaint.pos[0] + 64))?.[0] ?? '';
      return fail(...explain(complaint.code, complaint.message, key), line, col);
    });
    return { ...nothing, problems };
  }
  return convertValues(document.contents, targets, file, (offset) => lines.linePos(offset));
}

/** `undefined` where the nesting exhausts the stack of the parser, which recurses. */
function parse(text: string, lineCounter: LineCounter): { document: Document; targets: AliasTargets } | undefined {
  try {
    const document: Document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
    return { document, targets: findAliasTargets(document) };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function explain(code: string, message: string, key: string): [problem: string, remedy: string] {
  switch (code) {
    case 'DUPLICATE_KEY':
      return [`the key \`${key}\` stands twice in one mapping.`, 'Remove one of the two.'];
    case 'TAB_AS_INDENT':
      return ['YAML: a tab is used to indent.', 'Indent with spaces.'];
    case 'BAD_ALIAS':
      return [`YAML: ${lowerFirst(message)}.`, 'Define the anchor (`&name`) above its first use.'];
    case 'TAG_RESOLVE_FAILED':
      return [`YAML: ${lowerFirst(message)}.`, 'Remove the tag; those of Compose are `!reset` and `!override`.'];
    case 'MULTIPLE_DOCS':
      return ['YAML: the file holds several documents.', 'Keep one; remove the `---` between them.'];
    default:
      return [
        `YAML: ${lowerFirst(message.replace(/\.$/, ''))}.`,
        'Correct the YAML here; indentation and quotes are the usual causes.',
      ];
  }
}

const lowerFirst = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);
