/** The corner of the shell's grammar that health checks use: words, quotes, `&&`, `||`, `;`, `|`, `!` and redirections to nowhere. Pure. */
export interface Pipeline {
  readonly commands: readonly (readonly string[])[];
  /** Begins with `!`. */
  readonly negated: boolean;
}

export interface Item {
  /** Runs after success only (`&&`), failure only (`||`), or in any case. */
  readonly when: 'always' | 'success' | 'failure';
  readonly pipeline: Pipeline;
}

/** The script as a list, or what of it is not supported. */
export function parseScript(script: string): readonly Item[] | string {
  const tokens = tokenise(script);
  if (typeof tokens === 'string') return tokens;
  const items: Item[] = [];
  let when: Item['when'] = 'always';
  let commands: string[][] = [[]];
  const close = (next: Item['when']) => {
    const negated = commands[0]?.[0] === '!';
    const stripped = negated ? [commands[0]?.slice(1) ?? [], ...commands.slice(1)] : commands;
    if (stripped.some((command) => command.length > 0)) items.push({ when, pipeline: { commands: stripped, negated } });
    commands = [[]];
    when = next;
  };
  for (const token of tokens) {
    if (!token.operator) commands.at(-1)?.push(token.text);
    else if (token.text === '|') commands.push([]);
    else close(token.text === '&&' ? 'success' : token.text === '||' ? 'failure' : 'always');
  }
  close('always');
  return items;
}

interface Token {
  readonly text: string;
  readonly operator: boolean;
}

const OPERATOR = /^(&&|\|\||;|\||\n)/;
const REDIRECTION = /^[0-9]*(>>?|<)\s*(&[0-9-]|[^\s;&|]+)/;
const WORD = /^(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s;&|<>'"\\])+/;

function tokenise(script: string): readonly Token[] | string {
  const tokens: Token[] = [];
  let rest = script;
  for (;;) {
    rest = rest.replace(/^[ \t\r]+/, '');
    if (rest === '') return tokens;
    const operator = OPERATOR.exec(rest)?.[0];
    const redirection = REDIRECTION.exec(rest)?.[0];
    const word = WORD.exec(rest)?.[0];
    if (operator) tokens.push({ text: operator, operator: true });
    else if (!redirection && word) {
      if (/[$`]/.test(word.replace(/'[^']*'/g, ''))) return `expansions are not supported: ${word}`;
      tokens.push({ text: unquote(word), operator: false });
    }
    const taken = operator ?? redirection ?? word;
    if (taken === undefined) return `not supported: ${rest}`;
    rest = rest.slice(taken.length);
  }
}

function unquote(word: string): string {
  return word.replace(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g, (_all, single, double, escaped) =>
    String(single ?? (double === undefined ? escaped : double.replace(/\\(["\\$`])/g, '$1'))),
  );
}
