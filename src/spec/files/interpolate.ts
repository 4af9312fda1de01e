/**
 * Variables in the text of a Compose file (Compose Specification, "Interpolation"). One difference, on purpose: a variable that is not set and
 * has no default is an error, not an empty text, because a silently empty value deletes things.
 */

export type Lookup = (name: string) => string | undefined;

export interface Failure {
  readonly problem: string;
  readonly remedy: string;
}

export interface Interpolated {
  /** With an empty text where a failure is reported. */
  readonly text: string;
  readonly failures: readonly Failure[];
}

/** Replaces `$NAME`, `${NAME}`, `${NAME:-default}` and its kin, nested too, and `$$` by `$`; any other `$` stays. */
export function interpolate(text: string, lookup: Lookup): Interpolated {
  const failures: Failure[] = [];
  return { text: substitute(text, lookup, failures, 0), failures };
}

/** Text that interpolates to `text`. */
export const escapeText = (text: string): string => text.replaceAll('$', '$$$$');

const nestingMax = 32;

function substitute(text: string, lookup: Lookup, failures: Failure[], depth: number): string {
  let result = '';
  let rest = 0;
  while (rest < text.length) {
    const dollar = text.indexOf('$', rest);
    if (dollar < 0) break;
    result += text.slice(rest, dollar);
    const next = text.charAt(dollar + 1);
    const name = /^[A-Za-z_]\w*/.exec(text.slice(dollar + 1, dollar + 1 + nameLengthMax))?.[0];
    if (next === '$') {
      result += '$';
      rest = dollar + 2;
    } else if (name !== undefined) {
      result += valueOfVariable(name, lookup, failures);
      rest = dollar + 1 + name.length;
    } else if (next === '{') {
      const end = closingBrace(text, dollar + 1);
      const inner = end === undefined ? undefined : text.slice(dollar + 2, end);
      result += substituteBraced(inner, lookup, failures, depth);
      rest = end === undefined ? text.length : end + 1;
    } else {
      result += '$';
      rest = dollar + 1;
    }
  }
  return result + text.slice(rest);
}

/** Longer names than this exist nowhere; it bounds the slice that is looked at. */
const nameLengthMax = 256;

/** Every `{` opens, so that a default may hold balanced braces: `${FILTER:-{}}`. */
function closingBrace(text: string, open: number): number | undefined {
  let depth = 0;
  for (let index = open; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === '{') depth += 1;
    if (character === '}') depth -= 1;
    if (depth === 0) return index;
  }
  return undefined;
}

function substituteBraced(inner: string | undefined, lookup: Lookup, failures: Failure[], depth: number): string {
  const [, name, colon, operator, word = ''] = /^([A-Za-z_]\w*)(?:(:?)([-+?])([\s\S]*))?$/.exec(inner ?? '') ?? [];
  if (name === undefined || depth > nestingMax) {
    const shown = (inner ?? '').slice(0, 60);
    failures.push({
      problem: inner === undefined ? '`${` is never closed.' : `\`\${${shown}}\` is not a variable.`,
      remedy: `Write ${['NAME', 'NAME:-default', 'NAME:?message'].map((form) => `\`\${${form}}\``).join(', ')}; a literal \`$\` is \`$$\`.`,
    });
    return '';
  }
  if (operator === undefined) return valueOfVariable(name, lookup, failures);
  const value = lookup(name);
  const given = colon === ':' && value === '' ? undefined : value;
  const replacement = (): string => substitute(word, lookup, failures, depth + 1);
  if (operator === '+') return given === undefined ? '' : replacement();
  if (given !== undefined) return given;
  if (operator === '-') return replacement();
  const message = replacement();
  failures.push({
    problem: `\`${name}\` is ${value === '' ? 'empty' : 'not set'}${message === '' ? '' : `: ${message}`}.`,
    remedy: `Set ${name} in the shell or in \`.env\`.`,
  });
  return '';
}

function valueOfVariable(name: string, lookup: Lookup, failures: Failure[]): string {
  const value = lookup(name);
  if (value !== undefined) return value;
  failures.push({
    problem: `the variable \`${name}\` is not set and has no default.`,
    remedy: `Set ${name} in the shell or in \`.env\`, or write \`\${${name}:-default}\`; a literal \`$\` is \`$$\`.`,
  });
  return '';
}
