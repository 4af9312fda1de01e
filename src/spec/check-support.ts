/** Walks a document along the support table: says what is ignored, refused or unknown. Reads no meaning. */

import { isObject, joinPath } from './json.ts';
import type { Report } from './report.ts';
import { editDistance, nearestWord } from './suggest.ts';
import { type Support, supportTable } from './support.ts';

/** Reports each ignored, refused and unknown key of `document`, in every object that the table has a group for. */
export const checkSupport = (document: unknown, report: Report): void =>
  visit(document, { path: '', group: '' }, report);

interface Spot {
  readonly path: string;
  readonly group: string;
  /** Inside a key that is ignored as a whole: only refusals are said. */
  readonly quiet?: true;
}

function visit(value: unknown, spot: Spot, report: Report): void {
  const { path, group } = spot;
  const keys = Object.hasOwn(supportTable, group) ? supportTable[group] : undefined;
  if (keys === undefined) {
    visitMembers(value, spot, report);
    return;
  }
  // A short form (`ports: ["80"]`) or a wrong type: the schema judges it, except inside x-flotilla, which it does not know.
  if (!isObject(value)) {
    if (group.includes('x-flotilla') && value !== null && value !== undefined) {
      report.refuse(path, 'must be a mapping.', `Write keys below it: ${listKeys(keys)}.`);
    }
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    const memberPath = joinPath(path, key);
    const support = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (support !== undefined) judge(key, member, { ...spot, path: memberPath }, support, report);
    else if (!isForeignExtension(key)) reportUnknown(key, memberPath, group, report);
    const below: Spot = { ...spot, path: memberPath, group: `${group}${group && '.'}${key}` };
    if (support?.use === 'used') visit(member, below, report);
    else if (support?.descend) visit(member, { ...below, quiet: true }, report);
  }
}

/** A mapping by name or a list, such as `services` or `ports`: every member belongs to the group `….*`, if there is one. */
function visitMembers(value: unknown, spot: Spot, report: Report): void {
  const group = `${spot.group}.*`;
  if (!Object.hasOwn(supportTable, group)) return;
  if (Array.isArray(value)) {
    value.forEach((member, index) => {
      visit(member, { ...spot, path: joinPath(spot.path, index), group }, report);
    });
  } else if (isObject(value)) {
    for (const [name, member] of Object.entries(value)) {
      visit(member, { ...spot, path: joinPath(spot.path, name), group }, report);
    }
  }
}

function judge(key: string, value: unknown, { path, quiet }: Spot, support: Support, report: Report): void {
  if (support.use === 'used' || asksForNothing(value)) return;
  const asked = Array.isArray(value) ? value : [value];
  if (asked.every((item) => typeof item === 'string' && support.unless?.includes(item))) return;
  if (support.use === 'refused') report.refuse(path, `\`${key}\` ${support.why}.`, support.remedy);
  else if (!quiet) report.warn(path, `\`${key}\` ${support.why}.`, support.remedy);
}

function reportUnknown(key: string, path: string, group: string, report: Report): void {
  const known = supportTable[group] ?? {};
  if (key === 'x-flotilla') {
    report.refuse(
      path,
      '`x-flotilla` is read at the top of the document, of a service, a volume, a secret and a config only.',
      'Move it there.',
    );
    return;
  }
  const isMisspeltExtension = key.startsWith('x-');
  const nearest = isMisspeltExtension ? 'x-flotilla' : nearestWord(key, Object.keys(known));
  const home = homeOf(key, group);
  let remedy = `Remove it, or write one of ${listKeys(known)}.`;
  if (home !== undefined) remedy = `It belongs under \`${home}\`.`;
  else if (nearest !== undefined) remedy = `Did you mean \`${nearest}\`?`;
  report.refuse(path, `\`${key}\` is not a key that can stand here.`, remedy);
}

/** Where below `group` a key stands that was written too high: `replicas` of a service → `deploy`. Members of lists and probes are too deep to be meant. */
function homeOf(key: string, group: string): string | undefined {
  const prefix = group === '' ? '' : `${group}.`;
  const home = Object.keys(supportTable)
    .filter((name) => name !== group && name.startsWith(prefix) && !/probes|affinity/i.test(name))
    .find((name) => Object.hasOwn(supportTable[name] ?? {}, key));
  return home?.slice(prefix.length).replaceAll('.*', '.NAME');
}

/** Other tools' extensions are none of our business, but a misspelt `x-flotilla` must not vanish among them. */
const isForeignExtension = (key: string): boolean => key.startsWith('x-') && editDistance(key, 'x-flotilla') > 2;

/** `privileged: false`, `volumes: []`: what would be refused or ignored is not asked for. */
const asksForNothing = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === false ||
  value === 'false' ||
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.keys(value).length === 0);

/** At most eight, so that the sentence stays one. */
function listKeys(keys: Readonly<Record<string, Support>>): string {
  const names = Object.keys(keys).filter((key) => keys[key]?.use === 'used');
  const shown = names.slice(0, 8).map((name) => `\`${name}\``);
  return names.length > shown.length ? `${shown.join(', ')} …` : shown.join(', ');
}
