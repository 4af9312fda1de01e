/**
 * Files of `NAME=value` lines, `.env` and `env_file` alike, in the format of the Compose Specification ("Env_file format"). Quotes decide what
 * is interpolated, so the text is read here and not by a general reader, which would forget them; a line that is none is an error.
 */

import { type Failure, interpolate, type Lookup } from './interpolate.ts';

export interface EnvEntry {
  readonly name: string;
  /** `undefined`: `NAME` alone, whose value comes from the surroundings. */
  readonly value: string | undefined;
  /** 1-based. */
  readonly line: number;
}

export interface EnvFailure extends Failure {
  readonly line: number;
}

export interface EnvFile {
  /** In file order; a later entry of the same name wins. */
  readonly entries: readonly EnvEntry[];
  readonly failures: readonly EnvFailure[];
}

const starts = {
  compose: /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*(?:([=:])[ \t]*|$)/,
  raw: /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*(?:(=)[ \t]*|$)/,
};

/**
 * `raw` takes everything behind `=` as it is. Variables are looked up in `lookup` first, then among the earlier lines of the file, then in
 * `above` (earlier files), as Docker Compose does.
 */
export function parseEnvFile(
  text: string,
  lookup: Lookup,
  format: 'compose' | 'raw' = 'compose',
  above: ReadonlyMap<string, string> = new Map(),
): EnvFile {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const entries: EnvEntry[] = [];
  const failures: EnvFailure[] = [];
  const known = new Map(above);
  const find: Lookup = (name) => lookup(name) ?? known.get(name);
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    const written = lines[index] ?? '';
    if (/^\s*(#|$)/.test(written)) continue;
    const match = starts[format].exec(format === 'raw' ? written : withoutLoneComment(written));
    const name = match?.[1];
    if (match === null || name === undefined) {
      failures.push({
        line,
        problem: `\`${written.slice(0, 60)}\` is not \`NAME=value\`.`,
        remedy: 'Write `NAME=value`, or begin a comment with `#`.',
      });
      continue;
    }
    if (match[2] === undefined) {
      entries.push({ name, value: undefined, line });
      continue;
    }
    const rest = written.slice(match[0].length);
    const read =
      format === 'raw' ? { value: rest, extraLines: 0, failures: [] } : readValue(rest, lines.slice(index + 1), find);
    failures.push(...read.failures.map((failure) => ({ ...failure, line })));
    entries.push({ name, value: read.value, line });
    known.set(name, read.value);
    index += read.extraLines;
  }
  return { entries, failures };
}

/** `NAME # comment` is `NAME` alone. */
const withoutLoneComment = (written: string): string => written.replace(/^(\s*(?:export\s+)?[\w.-]+)\s+#.*$/, '$1');

interface Value {
  readonly value: string;
  /** Lines consumed beyond the first by a quoted value. */
  readonly extraLines: number;
  readonly failures: readonly Failure[];
}

function readValue(first: string, following: readonly string[], find: Lookup): Value {
  const quote = first.charAt(0);
  if (quote !== '"' && quote !== "'") {
    const { text, failures } = interpolate(first.replace(/\s#.*$/, '').trimEnd(), find);
    return { value: text, extraLines: 0, failures: failures.map(inEnvFile) };
  }
  const quoted = readQuoted(quote, first, following);
  if (quoted === undefined) {
    return {
      value: '',
      extraLines: 0,
      failures: [{ problem: `the quote ${quote} is never closed.`, remedy: 'Close the quote.' }],
    };
  }
  const strayed: Failure[] = /^\s*(#|$)/.test(quoted.behind)
    ? []
    : [
        {
          problem: `\`${quoted.behind.trim().slice(0, 60)}\` follows the closing quote.`,
          remedy: 'Put the whole value into quotes.',
        },
      ];
  if (quote === "'")
    return { value: quoted.body.replaceAll("\\'", "'"), extraLines: quoted.extraLines, failures: strayed };
  const { text, failures } = interpolate(resolveEscapes(quoted.body), find);
  return { value: text, extraLines: quoted.extraLines, failures: [...strayed, ...failures.map(inEnvFile)] };
}

const inEnvFile = ({ problem, remedy }: Failure): Failure => ({
  problem,
  remedy: `${remedy} Single quotes keep a value as it is.`,
});

interface Quoted {
  readonly body: string;
  readonly behind: string;
  readonly extraLines: number;
}

/** The text up to the closing quote, over line ends; a backslash keeps the next character from closing it. */
function readQuoted(quote: string, first: string, following: readonly string[]): Quoted | undefined {
  const pattern = quote === '"' ? /^"((?:[^"\\]|\\[\s\S])*)"/ : /^'((?:[^'\\]|\\[\s\S])*)'/;
  let text = first;
  for (let extraLines = 0; extraLines <= Math.min(following.length, quotedLinesMax); extraLines += 1) {
    const match = pattern.exec(text);
    if (match?.[1] !== undefined) return { body: match[1], behind: text.slice(match[0].length), extraLines };
    text = `${text}\n${following[extraLines] ?? ''}`;
  }
  return undefined;
}

/** Enough for a certificate chain; a forgotten quote must not swallow the file. */
const quotedLinesMax = 500;

/** As in Go, which Docker Compose is written in; `\$` becomes `$$`, which interpolation turns into `$`. */
const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  $: '$$',
};

/** `\0101` is a character by its octal code; unknown escapes stay as they are. */
const resolveEscapes = (body: string): string =>
  body.replace(/\\(?:0([0-7]{3})|([abfnrtv\\"$]))/g, (_, octal: string | undefined, character: string) =>
    octal === undefined ? (escapes[character] ?? character) : String.fromCharCode(Number.parseInt(octal, 8)),
  );
