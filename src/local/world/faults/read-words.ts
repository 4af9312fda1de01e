/**
 * Words of the console → a fault and its checked arguments, or what is wrong with them and what there is instead. Arguments are given in the order of
 * the table, or by name: `capacity eastus cores=2`.
 */
import { names } from '../../../model/names.ts';
import { parseDurationMs } from '../../../model/units.ts';
import { ACTS } from '../../aci/faults.ts';
import type { GroupRecord } from '../../aci/model.ts';
import type { Argument, ArgumentKind, Fault, FaultWorld, Given, ValueOf } from './fault.ts';
import { TABLE_ACTS } from './table-draw.ts';

export type Read = { readonly fault: Fault; readonly given: Given } | { readonly problem: string };

export function readWords(catalogue: readonly Fault[], world: FaultWorld, words: readonly string[]): Read {
  const [name = '', ...rest] = words;
  const fault = catalogue.find((one) => one.name === name);
  if (!fault) {
    const wrong = name === '' ? 'Name a fault.' : `There is no fault \`${name}\`.`;
    return { problem: `${wrong} There are ${catalogue.map((one) => one.name).join(', ')}.` };
  }
  const texts = assign(fault, rest);
  if (typeof texts === 'string') return { problem: texts };
  const values = new Map<string, unknown>();
  for (const argument of fault.arguments) {
    const text = texts.get(argument.name) ?? argument.fallback;
    if (text === undefined) return { problem: missing(fault, argument, world, values) };
    if (text === '') continue;
    const value = KINDS[argument.kind].read(text, world, values);
    if (value === undefined) return { problem: wrong(argument, text, world, values) };
    values.set(argument.name, value);
  }
  return { fault, given: givenOf(values) };
}

function assign(fault: Fault, words: readonly string[]): Map<string, string> | string {
  const texts = new Map<string, string>();
  for (const word of words) {
    const [, named, value] = /^([a-z][-a-z]*)=(.*)$/s.exec(word) ?? [];
    const argument =
      named === undefined
        ? fault.arguments.find((one) => !texts.has(one.name))
        : fault.arguments.find((one) => one.name === named);
    if (!argument) {
      const names = fault.arguments.map((one) => `${one.name}=`).join(', ');
      const what = named === undefined ? `\`${word}\` is too much` : `there is no argument \`${named}=\``;
      return `\`${fault.name}\`: ${what}; it takes ${names}.`;
    }
    if (texts.has(argument.name)) return `\`${fault.name}\`: ${argument.name} is given twice.`;
    texts.set(argument.name, value ?? word);
  }
  return texts;
}

const missing = (fault: Fault, argument: Argument, world: FaultWorld, values: Values): string =>
  `\`${fault.name}\` needs ${argument.name}: ${wanted(argument, world, values)}.`;
const wrong = (argument: Argument, text: string, world: FaultWorld, values: Values): string =>
  `${argument.name} \`${text}\`: give ${wanted(argument, world, values)}.`;

function wanted(argument: Argument, world: FaultWorld, values: Values): string {
  const { form, choices } = KINDS[argument.kind];
  const there = choices?.(world, values) ?? [];
  if (!choices) return form;
  return there.length === 0
    ? `${form}; there is none`
    : `${form}: ${there.slice(0, CHOICES_SHOWN).join(', ')}${there.length > CHOICES_SHOWN ? ', …' : ''}`;
}

const CHOICES_SHOWN = 12;

function givenOf(values: Values): Given {
  const find = <K extends ArgumentKind>(name: string, _kind: K) => values.get(name) as ValueOf[K] | undefined;
  return {
    find,
    get(name, kind) {
      const value = find(name, kind);
      if (value === undefined) throw new Error(`the table of faults has no argument ${name} here`);
      return value;
    },
  };
}

type Values = ReadonlyMap<string, unknown>;

interface Kind<K extends ArgumentKind> {
  /** What to give, for people. */
  readonly form: string;
  /** What of it exists; absent = it is no choice. */
  readonly choices?: (world: FaultWorld, values: Values) => readonly string[];
  readonly read: (text: string, world: FaultWorld, values: Values) => ValueOf[K] | undefined;
}

const oneOf = (words: readonly string[]) => (text: string) => words.find((word) => word === text);
const number = (test: (value: number) => boolean) => (text: string) => {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return test(value) ? value : undefined;
};
const regionsOf = ({ arm }: FaultWorld) => arm.settings.regions;
const zonesOf = ({ arm }: FaultWorld, values: Values) => arm.settings.zones[String(values.get('region'))] ?? [];

const KINDS: { readonly [K in ArgumentKind]: Kind<K> } = {
  region: { form: 'a region', choices: regionsOf, read: (text, world) => oneOf(regionsOf(world))(text) },
  zone: {
    form: 'a zone of the region',
    choices: zonesOf,
    read: (text, world, values) => oneOf(zonesOf(world, values))(text),
  },
  groups: {
    form: 'APP, APP.SERVICE, APP.SERVICE.SLOT, the name of a group, or *',
    choices: ({ store }) => [...new Set(store.groups().map(nameForPeople))],
    read: (text, { store }) => notEmpty(store.groups().filter((group) => isMeant(group, text))),
  },
  container: {
    form: 'the name of a container',
    choices: (_world, values) => containersOf(values),
    read: (text, _world, values) => oneOf(containersOf(values))(text),
  },
  pattern: {
    form: 'a name, in which * stands for anything',
    read: (text) => (/^[-a-z0-9*]+$/.test(text) ? text : undefined),
  },
  prefix: {
    form: 'a name, or the beginning of one and *',
    read: (text) => (/^[-a-z0-9]*\*?$/.test(text) ? text : undefined),
  },
  act: { form: 'one of', choices: () => ACTS, read: oneOf(ACTS) },
  tableAct: { form: 'one of', choices: () => TABLE_ACTS, read: oneOf(TABLE_ACTS) },
  duration: { form: 'a duration such as 500ms, 20s or 5m', read: parseDurationMs },
  count: { form: 'a whole number from 0 on', read: number((value) => Number.isInteger(value) && value >= 0) },
  times: {
    form: 'a whole number from 1 on, or `always`',
    read: (text) => (text === 'always' ? null : number((value) => Number.isInteger(value) && value >= 1)(text)),
  },
  cores: { form: 'a number from 0 on', read: number((value) => value >= 0 && value < 1e6) },
  status: {
    form: 'a status from 400 to 599',
    read: number((value) => Number.isInteger(value) && value >= 400 && value <= 599),
  },
  exitCode: {
    form: 'a whole number from 0 on',
    read: number((value) => Number.isInteger(value) && value >= 0 && value <= 65_535),
  },
  flag: { form: 'yes or no', read: (text) => ({ yes: true, no: false })[text] },
  text: { form: 'a word', read: (text) => text },
};

const notEmpty = <T>(items: readonly T[]): readonly T[] | undefined => (items.length > 0 ? items : undefined);

function containersOf(values: Values): readonly string[] {
  const groups = (values.get('groups') as readonly GroupRecord[] | undefined) ?? [];
  return [...new Set(groups.flatMap((group) => group.containers.map(({ name }) => name)))];
}

/** Tags that the app puts on its groups, and how a replica is written from them. */
const partsOf = ({ tags }: GroupRecord): readonly string[] =>
  [names.tags.app, names.tags.service, names.tags.slot].flatMap((tag) => tags[tag] ?? []);

const nameForPeople = (group: GroupRecord): string =>
  partsOf(group).length > 0 ? partsOf(group).join('.') : group.name;

function isMeant(group: GroupRecord, text: string): boolean {
  if (text === '*' || group.name === text) return true;
  const parts = text.split('.');
  return parts.every((part, index) => partsOf(group)[index] === part);
}

/** Of an argument: what can be given, for completion. */
export function choicesOf(argument: Argument, world: FaultWorld): readonly string[] {
  if (argument.kind === 'flag') return ['yes', 'no'];
  return KINDS[argument.kind].choices?.(world, new Map()) ?? [];
}

/** Of an argument: what to give, for help. */
export const formOf = (argument: Argument): string => KINDS[argument.kind].form;
