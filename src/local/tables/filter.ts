/**
 * `$filter`: parsing, evaluation, and the range of keys it allows. A comparison with a property that the entity lacks, or of a type that does
 * not compare with the literal's, is false (also `ne`); numbers compare across their types. Constructs not modelled are 501 by name.
 */
import { type EdmValue, isInt32, readEdm } from './edm.ts';
import { notImplemented, TableFailure } from './failure.ts';
import { compareOrdinal, type EntityKey } from './store.ts';

type Operator = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le';

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly left: Filter; readonly right: Filter }
  | { readonly kind: 'not'; readonly operand: Filter }
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'compare'; readonly property: string; readonly operator: Operator; readonly literal: EdmValue };

/** The value of a property of the entity at hand, PartitionKey, RowKey and Timestamp included. */
type Lookup = (property: string) => EdmValue | undefined;

const maxDepth = 200;
/** Source: learn.microsoft.com/rest/api/storageservices/querying-tables-and-entities#constructing-filter-strings. */
const maxComparisons = 15;
const flipped: Readonly<Record<Operator, Operator>> = { eq: 'eq', ne: 'ne', gt: 'lt', ge: 'le', lt: 'gt', le: 'ge' };
const tokenPattern =
  /\s*(?:(?<mark>[(),])|(?<quoted>(?:datetime|guid|binary|X)?'(?:[^']|'')*')|(?<number>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?L?)(?![\w.])|(?<word>[\p{L}_][\p{L}\p{N}_]*))/iuy;

interface Token {
  readonly kind: 'mark' | 'quoted' | 'number' | 'word' | 'end';
  readonly text: string;
}

/** Clients ask the same few questions again and again; what they mean never changes. */
const parsed = new Map<string, Filter | TableFailure>();
const maxParsed = 500;

/** Parses a decoded `$filter`. `InvalidInput` for what is no filter, `NotImplemented` naming what is not modelled. */
export function parseFilter(text: string): Filter | TableFailure {
  const known = parsed.get(text);
  if (known) return known;
  const tokens = tokenize(text);
  const filter = tokens instanceof TableFailure ? tokens : new Parser(tokens).parse();
  if (parsed.size >= maxParsed) parsed.clear();
  parsed.set(text, filter);
  return filter;
}

function tokenize(text: string): Token[] | TableFailure {
  const tokens: Token[] = [];
  const source = text.trimEnd();
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < source.length) {
    const at = tokenPattern.lastIndex;
    const groups = tokenPattern.exec(source)?.groups;
    const found = Object.entries(groups ?? {}).find(([, value]) => value !== undefined);
    if (!found) return syntaxError(`unexpected '${source.slice(at, at + 20).trim()}'`);
    tokens.push({ kind: found[0] as Token['kind'], text: found[1] ?? '' });
  }
  return tokens;
}

const syntaxError = (what: string): TableFailure =>
  new TableFailure('InvalidInput', `Bad Request - Error in query syntax: ${what} in $filter.`);

/** Recursive descent; the first refusal is kept and ends the parse. */
class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;
  #depth = 0;
  #comparisons = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Filter | TableFailure {
    const filter = this.#or();
    if (filter instanceof TableFailure) return filter;
    const rest = this.#peek();
    if (rest.kind === 'end') return filter;
    return /^(add|sub|mul|div|mod)$/.test(rest.text)
      ? notImplemented(`The operator '${rest.text}' in $filter`)
      : syntaxError(`unexpected '${rest.text}'`);
  }

  #or(): Filter | TableFailure {
    return this.#chain('or', () => this.#chain('and', () => this.#unary()));
  }

  #chain(kind: 'and' | 'or', next: () => Filter | TableFailure): Filter | TableFailure {
    let left = next();
    while (!(left instanceof TableFailure) && this.#accept(kind)) {
      const right = next();
      left = right instanceof TableFailure ? right : { kind, left, right };
    }
    return left;
  }

  #unary(): Filter | TableFailure {
    if (++this.#depth > maxDepth) return syntaxError(`more than ${maxDepth} levels`);
    const result = this.#accept('not') ? this.#negation() : this.#accept('(') ? this.#group() : this.#comparison();
    this.#depth--;
    return result;
  }

  #negation(): Filter | TableFailure {
    const operand = this.#unary();
    return operand instanceof TableFailure ? operand : { kind: 'not', operand };
  }

  #group(): Filter | TableFailure {
    const inner = this.#or();
    if (inner instanceof TableFailure || this.#accept(')')) return inner;
    return syntaxError("missing ')'");
  }

  #comparison(): Filter | TableFailure {
    if (++this.#comparisons > maxComparisons) return syntaxError(`more than ${maxComparisons} comparisons`);
    const left = this.#operand();
    if (left instanceof TableFailure) return left;
    const operator = this.#operator();
    if (!operator) return booleanTerm(left);
    const right = this.#operand();
    if (right instanceof TableFailure) return right;
    if (typeof left === 'string') {
      if (typeof right === 'string') return notImplemented('A comparison of two properties in $filter');
      return { kind: 'compare', property: left, operator, literal: right };
    }
    if (typeof right === 'string')
      return { kind: 'compare', property: right, operator: flipped[operator], literal: left };
    return notImplemented('A comparison of two literals in $filter');
  }

  /** A property's name, or a literal. */
  #operand(): string | EdmValue | TableFailure {
    const token = this.#next();
    if (token.kind === 'number') return numberLiteral(token.text);
    if (token.kind === 'quoted') return quotedLiteral(token.text);
    if (token.kind !== 'word')
      return syntaxError(token.kind === 'end' ? 'it ends too early' : `unexpected '${token.text}'`);
    if (this.#peek().text === '(') return notImplemented(`The function '${token.text}' in $filter`);
    if (token.text === 'null') return notImplemented("The literal 'null' in $filter");
    if (token.text === 'true' || token.text === 'false') return { type: 'Edm.Boolean', value: token.text === 'true' };
    return token.text;
  }

  #operator(): Operator | undefined {
    const { kind, text } = this.#peek();
    if (kind !== 'word' || !Object.hasOwn(flipped, text)) return undefined;
    this.#position++;
    return text as Operator;
  }

  #accept(text: string): boolean {
    const token = this.#peek();
    const found = token.kind !== 'quoted' && token.text === text;
    if (found) this.#position++;
    return found;
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? { kind: 'end', text: '' };
  }

  #next(): Token {
    const token = this.#peek();
    this.#position++;
    return token;
  }
}

function booleanTerm(operand: string | EdmValue): Filter | TableFailure {
  if (typeof operand === 'string')
    return { kind: 'compare', property: operand, operator: 'eq', literal: { type: 'Edm.Boolean', value: true } };
  if (typeof operand.value === 'boolean') return { kind: 'constant', value: operand.value };
  return syntaxError(`the value ${operand.value} is not boolean`);
}

function numberLiteral(text: string): EdmValue | TableFailure {
  const long = text.endsWith('L');
  const digits = long ? text.slice(0, -1) : text;
  const integer = /^-?\d+$/.test(digits);
  const type = long || (integer && !isInt32(Number(digits))) ? 'Edm.Int64' : integer ? 'Edm.Int32' : 'Edm.Double';
  return readEdm(type, digits) ?? syntaxError(`the number ${text} is out of range`);
}

function quotedLiteral(token: string): EdmValue | TableFailure {
  const quote = token.indexOf("'");
  const text = token.slice(quote + 1, -1).replaceAll("''", "'");
  const prefix = token.slice(0, quote).toLowerCase();
  const literal =
    prefix === ''
      ? readEdm('Edm.String', text)
      : prefix === 'datetime'
        ? readEdm('Edm.DateTime', text)
        : prefix === 'guid'
          ? readEdm('Edm.Guid', text)
          : hexLiteral(text);
  return literal ?? syntaxError(`the literal ${token} is not valid`);
}

const hexLiteral = (text: string): EdmValue | undefined =>
  /^([0-9a-f]{2})*$/i.test(text) ? readEdm('Edm.Binary', Buffer.from(text, 'hex').toString('base64')) : undefined;

export function matches(filter: Filter, lookup: Lookup): boolean {
  switch (filter.kind) {
    case 'constant':
      return filter.value;
    case 'not':
      return !matches(filter.operand, lookup);
    case 'and':
      return matches(filter.left, lookup) && matches(filter.right, lookup);
    case 'or':
      return matches(filter.left, lookup) || matches(filter.right, lookup);
    case 'compare': {
      const value = lookup(filter.property);
      const order = value && compareValues(value, filter.literal);
      return order !== undefined && holds(filter.operator, order);
    }
  }
}

function holds(operator: Operator, order: number): boolean {
  switch (operator) {
    case 'eq':
      return order === 0;
    case 'ne':
      return order !== 0;
    case 'gt':
      return order > 0;
    case 'ge':
      return order >= 0;
    case 'lt':
      return order < 0;
    case 'le':
      return order <= 0;
  }
}

/** Negative, 0, positive; NaN when they have no order (a NaN); `undefined` for types that do not compare. */
function compareValues(a: EdmValue, b: EdmValue): number | undefined {
  const x = numeric(a);
  const y = numeric(b);
  if (x !== undefined && y !== undefined)
    return x < y ? -1 : x > y ? 1 : Number.isNaN(x) || Number.isNaN(y) ? Number.NaN : 0;
  if (a.type !== b.type) return undefined;
  if (a.type === 'Edm.Binary')
    return Buffer.compare(Buffer.from(String(a.value), 'base64'), Buffer.from(String(b.value), 'base64'));
  if (a.type === 'Edm.DateTime') return compareOrdinal(fullFraction(a.value), fullFraction(b.value));
  return compareOrdinal(String(a.value), String(b.value));
}

function numeric({ type, value }: EdmValue): number | bigint | undefined {
  if (type === 'Edm.Int64') return BigInt(value);
  return type === 'Edm.Int32' || type === 'Edm.Double' ? Number(value) : undefined;
}

/** A DateTime with all seven digits of its fraction, so that text order is time order. */
function fullFraction(value: EdmValue['value']): string {
  const text = String(value).slice(0, -1);
  return (text.includes('.') ? text : `${text}.`).padEnd(27, '0');
}

/** The keys that can match: from `from` to `to`, both inclusive; an absent end is open. The filter itself decides within. */
export interface KeyRange {
  readonly from: EntityKey;
  readonly to: { readonly partitionKey?: string; readonly rowKey?: string };
}

/** The range that the comparisons joined by `and` allow; RowKey counts only where one PartitionKey is left. */
export function keyRange(filter: Filter | undefined): KeyRange {
  const conjuncts = filter ? flattenAnd(filter) : [];
  const partition = bounds('PartitionKey', conjuncts);
  const row = partition.low === partition.high ? bounds('RowKey', conjuncts) : { low: '', high: undefined };
  return {
    from: { partitionKey: partition.low, rowKey: row.low },
    to: {
      ...(partition.high !== undefined && { partitionKey: partition.high }),
      ...(row.high !== undefined && { rowKey: row.high }),
    },
  };
}

const flattenAnd = (filter: Filter): Filter[] =>
  filter.kind === 'and' ? [...flattenAnd(filter.left), ...flattenAnd(filter.right)] : [filter];

function bounds(property: string, conjuncts: readonly Filter[]): { low: string; high: string | undefined } {
  let low = '';
  let high: string | undefined;
  for (const filter of conjuncts) {
    if (filter.kind !== 'compare' || filter.property !== property || filter.literal.type !== 'Edm.String') continue;
    const value = String(filter.literal.value);
    const { operator } = filter;
    const isLower = operator === 'eq' || operator === 'gt' || operator === 'ge';
    const isUpper = operator === 'eq' || operator === 'lt' || operator === 'le';
    if (isLower && compareOrdinal(value, low) > 0) low = value;
    if (isUpper && (high === undefined || compareOrdinal(value, high) < 0)) high = value;
  }
  return { low, high };
}
