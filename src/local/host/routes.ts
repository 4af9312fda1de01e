/**
 * Route templates of HTTP functions: which function answers a method and path, and with which parameters. Pure.
 * The order of templates is ASP.NET Core's inbound precedence: literal before constrained before plain parameter before catch-all.
 */

export interface RouteParameters {
  readonly [name: string]: string;
}

export interface Route<T> {
  /** Without the route prefix, as registered. */
  readonly template: string;
  /** Upper case; empty = every method. */
  readonly methods: readonly string[];
  readonly target: T;
}

type RouteMatch<T> =
  | { readonly found: true; readonly target: T; readonly parameters: RouteParameters }
  /** `pathKnown`: some function answers this path with another method. */
  | { readonly found: false; readonly pathKnown: boolean };

export interface Router<T> {
  /** `path` as sent, without query. */
  match(method: string, path: string): RouteMatch<T>;
}

export type ParsedTemplate =
  | { readonly ok: true; readonly segments: readonly Segment[] }
  | { readonly ok: false; readonly problem: string };

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | {
      readonly kind: 'parameter' | 'rest';
      readonly name: string;
      readonly optional: boolean;
      readonly constraint?: Constraint;
    };

const constraints = {
  int: /^[+-]?\d{1,10}$/,
  alpha: /^[a-z]*$/i,
  guid: /^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i,
} as const;
type Constraint = keyof typeof constraints;

/** Supported: literals, `{name}`, `{name?}` at the end, `{*rest}` at the end, and `:int`, `:alpha`, `:guid`. */
export function parseTemplate(template: string): ParsedTemplate {
  if (/^[/~]/.test(template)) return { ok: false, problem: `route "${template}" begins with "${template[0]}"` };
  const parts = template === '' ? [] : template.replace(/\/$/, '').split('/');
  const segments: Segment[] = [];
  const names = new Set<string>();
  for (const [index, part] of parts.entries()) {
    const segment = parseSegment(part);
    if (typeof segment === 'string') return { ok: false, problem: `route "${template}": ${segment}` };
    if (segment.kind !== 'literal') {
      const last = index === parts.length - 1;
      if ((segment.kind === 'rest' || segment.optional) && !last) {
        return { ok: false, problem: `route "${template}": "${part}" is only possible at the end` };
      }
      if (names.has(segment.name.toLowerCase())) {
        return { ok: false, problem: `route "${template}" has the parameter "${segment.name}" twice` };
      }
      names.add(segment.name.toLowerCase());
    }
    segments.push(segment);
  }
  return { ok: true, segments };
}

function parseSegment(part: string): Segment | string {
  if (part === '') return 'has an empty segment';
  if (!/[{}]/.test(part)) return { kind: 'literal', text: part };
  const match = /^\{(\*{0,2})([A-Za-z_][\w-]*)((?::[^{}?]+)*)(\?)?\}$/.exec(part);
  if (!match) return `segment "${part}" is not supported (one parameter per segment, no default values)`;
  const [, stars = '', name = '', constraintText = '', optional] = match;
  const kind = stars === '' ? 'parameter' : 'rest';
  if (constraintText === '') return { kind, name, optional: optional !== undefined || kind === 'rest' };
  const wanted = constraintText.slice(1);
  const constraint = (Object.keys(constraints) as Constraint[]).find((known) => known === wanted.toLowerCase());
  if (!constraint) return `constraint ":${wanted}" is not supported (${Object.keys(constraints).join(', ')} are)`;
  return { kind, name, optional: optional !== undefined || kind === 'rest', constraint };
}

interface Compiled<T> {
  readonly route: Route<T>;
  readonly segments: readonly Segment[];
  readonly precedence: string;
}

/** Two functions that would answer the same requests, or a template that cannot be used, are reported with the template. */
export function createRouter<T>(
  routes: readonly Route<T>[],
  prefix: string,
):
  | { readonly ok: true; readonly router: Router<T> }
  | { readonly ok: false; readonly problems: readonly { route: Route<T>; problem: string }[] } {
  const problems: { route: Route<T>; problem: string }[] = [];
  const compiled: Compiled<T>[] = [];
  for (const route of routes) {
    const parsed = parseTemplate(prefix === '' ? route.template : `${prefix}/${route.template}`);
    if (!parsed.ok) {
      problems.push({ route, problem: parsed.problem });
      continue;
    }
    const rival = compiled.find((c) => sameShape(c.segments, parsed.segments) && methodsMeet(c.route, route));
    if (rival)
      problems.push({
        route,
        problem: `route "${route.template}" is taken by "${rival.route.template}" of another function`,
      });
    compiled.push({ route, segments: parsed.segments, precedence: precedenceOf(parsed.segments) });
  }
  if (problems.length > 0) return { ok: false, problems };
  compiled.sort((a, b) => (a.precedence < b.precedence ? -1 : a.precedence > b.precedence ? 1 : 0));
  return { ok: true, router: { match: (method, path) => match(compiled, method, path) } };
}

function match<T>(compiled: readonly Compiled<T>[], method: string, path: string): RouteMatch<T> {
  const given = path.split('/').slice(1);
  if (given.at(-1) === '') given.pop();
  let pathKnown = false;
  for (const { route, segments } of compiled) {
    const parameters = matchSegments(segments, given);
    if (!parameters) continue;
    if (route.methods.length === 0 || route.methods.includes(method))
      return { found: true, target: route.target, parameters };
    pathKnown = true;
  }
  return { found: false, pathKnown };
}

function matchSegments(segments: readonly Segment[], given: readonly string[]): RouteParameters | undefined {
  const takesRest = segments.at(-1)?.kind === 'rest';
  if (given.length > segments.length && !takesRest) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const text = segment.kind === 'rest' ? given.slice(index).join('/') : (given[index] ?? '');
    const value = matchSegment(segment, decode(text));
    if (value === undefined) return undefined;
    if (segment.kind !== 'literal' && value !== '') parameters[segment.name] = value;
  }
  return parameters;
}

/** The value when the segment takes it (empty for an optional one that is absent), else `undefined`. */
function matchSegment(segment: Segment, value: string): string | undefined {
  if (segment.kind === 'literal') return value.toLowerCase() === segment.text.toLowerCase() ? value : undefined;
  if (value === '') return segment.optional ? value : undefined;
  return segment.constraint && !constraints[segment.constraint].test(value) ? undefined : value;
}

/** Kestrel decodes everything but an encoded slash. */
function decode(text: string): string {
  return text
    .split(/(%2f)/i)
    .map((piece) => {
      if (/^%2f$/i.test(piece)) return piece;
      try {
        return decodeURIComponent(piece);
      } catch {
        return piece;
      }
    })
    .join('');
}

function precedenceOf(segments: readonly Segment[]): string {
  return segments
    .map((segment) => {
      if (segment.kind === 'literal') return '1';
      const digit = segment.kind === 'rest' ? 5 : 3;
      return String(segment.constraint ? digit - 1 : digit);
    })
    .join('');
}

function sameShape(a: readonly Segment[], b: readonly Segment[]): boolean {
  return a.length === b.length && a.every((segment, index) => shapeOf(segment) === shapeOf(b[index]));
}

function shapeOf(segment: Segment | undefined): string {
  if (!segment) return '';
  if (segment.kind === 'literal') return `=${segment.text.toLowerCase()}`;
  return `${segment.kind}:${segment.constraint ?? ''}`;
}

function methodsMeet<T>(a: Route<T>, b: Route<T>): boolean {
  return a.methods.length === 0 || b.methods.length === 0 || a.methods.some((m) => b.methods.includes(m));
}
