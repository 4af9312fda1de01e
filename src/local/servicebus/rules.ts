/**
 * Which messages of a topic a subscription gets: every one that at least one of its rules lets through. Rules are kept in the store and can be added and
 * removed while the broker runs; SQL filters and actions are refused (learn.microsoft.com/azure/service-bus-messaging/topic-filters).
 */
import { type Typed, types } from './amqp.ts';
import {
  entityNotFoundNamed,
  granted,
  malformed,
  notOffered,
  type OrRefusal,
  type Refusal,
  refused,
  ruleExists,
} from './errors.ts';
import { type MessageFacts, readFacts } from './message-sections.ts';
import type { RuleStore } from './topic-store.ts';

type Value = string | number | boolean;

/** Every field that is given must be equal, upper and lower case told apart. */
export interface CorrelationFilter {
  readonly kind: 'correlation';
  readonly fields: Partial<Record<CorrelationField, string>>;
  readonly properties: Readonly<Record<string, Value>>;
}

export type Filter = { readonly kind: 'true' } | { readonly kind: 'false' } | CorrelationFilter;

export interface Rule {
  readonly name: string;
  readonly filter: Filter;
}

/** In the order in which the protocol lists them; the keys are those of the request. */
const FIELDS = [
  ['correlation-id', 'correlationId'],
  ['message-id', 'messageId'],
  ['to', 'to'],
  ['reply-to', 'replyTo'],
  ['label', 'subject'],
  ['session-id', 'sessionId'],
  ['reply-to-session-id', 'replyToSessionId'],
  ['content-type', 'contentType'],
] as const;

type CorrelationField = (typeof FIELDS)[number][1];

/** Longest name of a rule (service-bus-quotas). */
const MAX_NAME_LENGTH = 50;

/** What a subscription has that was declared without rules. */
export const DEFAULT_RULE: Rule = { name: '$Default', filter: { kind: 'true' } };

export class Rules {
  readonly #store: RuleStore<Rule>;
  readonly #byName = new Map<string, Rule>();

  constructor(store: RuleStore<Rule>) {
    this.#store = store;
    for (const rule of store.load()) this.#byName.set(rule.name.toLowerCase(), rule);
  }

  lets(body: Buffer): boolean {
    let facts: MessageFacts | undefined;
    for (const { filter } of this.#byName.values()) {
      if (filter.kind === 'true') return true;
      if (filter.kind === 'false') continue;
      facts ??= readFacts(body);
      if (matches(filter, facts)) return true;
    }
    return false;
  }

  list(): readonly Rule[] {
    return [...this.#byName.values()];
  }

  async add(rule: Rule): Promise<Refusal | undefined> {
    const key = rule.name.toLowerCase();
    if (this.#byName.has(key)) return ruleExists(rule.name);
    await this.#store.add(rule);
    this.#byName.set(key, rule);
    return undefined;
  }

  async remove(name: string): Promise<Refusal | undefined> {
    const known = this.#byName.get(name.toLowerCase());
    if (!known) return entityNotFoundNamed(`rule '${name}'`);
    await this.#store.remove(known.name);
    this.#byName.delete(name.toLowerCase());
    return undefined;
  }
}

export function matches({ fields, properties }: CorrelationFilter, facts: MessageFacts): boolean {
  for (const [field, wanted] of Object.entries(fields)) if (facts.fields[field] !== wanted) return false;
  for (const [name, wanted] of Object.entries(properties)) if (facts.properties[name] !== wanted) return false;
  return true;
}

/** Reads a request to add a rule. */
export function readRule(name: unknown, description: unknown): OrRefusal<Rule> {
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_LENGTH)
    return refused(malformed(`'rule-name' must have 1 to ${MAX_NAME_LENGTH} characters.`));
  if (!isRecord(description)) return refused(malformed("add-rule needs a map 'rule-description'."));
  const { 'sql-filter': sql, 'correlation-filter': correlation, 'sql-rule-action': action } = description;
  if (isRecord(action)) return refused(notOffered('actions of rules'));
  const filter = isRecord(sql) ? readSql(sql['expression']) : readCorrelation(correlation);
  return filter.ok ? granted({ name, filter: filter.value }) : filter;
}

/** The client has no other words for the filters that let all or nothing through. */
function readSql(expression: unknown): OrRefusal<Filter> {
  const text = String(expression).replaceAll(' ', '');
  if (text === '1=1') return granted({ kind: 'true' });
  return text === '1=0' ? granted({ kind: 'false' }) : refused(notOffered('SQL filters'));
}

function readCorrelation(filter: unknown): OrRefusal<Filter> {
  if (!isRecord(filter)) return refused(malformed("A rule needs a 'sql-filter' or a 'correlation-filter'."));
  const fields: Partial<Record<CorrelationField, string>> = {};
  for (const [key, field] of FIELDS) {
    const value = filter[key];
    if (value !== null && value !== undefined) fields[field] = String(value);
  }
  const properties: Record<string, Value> = {};
  for (const [name, value] of Object.entries(isRecord(filter['properties']) ? filter['properties'] : {})) {
    if (!isValue(value))
      return refused(notOffered(`correlation filters on '${name}', which is no text, number or boolean`));
    properties[name] = value;
  }
  if (Object.keys(fields).length === 0 && Object.keys(properties).length === 0)
    return refused(malformed('A correlation filter must name at least one property.'));
  return granted({ kind: 'correlation', fields, properties });
}

const isValue = (value: unknown): value is Value => ['string', 'number', 'boolean'].includes(typeof value);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);

/** Descriptors of the protocol (service-bus-amqp-request-response, "Rule operations"). */
const CODE = {
  rule: 0x137_0000_0004,
  emptyAction: 0x137_0000_0005,
  trueFilter: 0x13_7000_0007,
  falseFilter: 0x13_7000_0008,
  correlationFilter: 0x13_7000_0009,
} as const;

/** A rule as an answer to enumerate-rules lists it. */
export const encodeRule = ({ name, filter }: Rule): Typed =>
  described(CODE.rule, [encodeFilter(filter), described(CODE.emptyAction, []), types.wrap_string(name)]);

function encodeFilter(filter: Filter): Typed {
  if (filter.kind === 'true') return described(CODE.trueFilter, []);
  if (filter.kind === 'false') return described(CODE.falseFilter, []);
  const fields = FIELDS.map(([, field]) => {
    const value = filter.fields[field];
    return value === undefined ? types.wrap(null) : types.wrap_string(value);
  });
  return described(CODE.correlationFilter, [...fields, types.wrap_map(filter.properties)]);
}

const described = (code: number, fields: readonly Typed[]): Typed =>
  types.wrap_described(types.wrap_list([...fields]), code);
