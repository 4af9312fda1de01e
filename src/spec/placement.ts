/**
 * Where replicas may be put: `deploy.placement` and the spreads and affinities of `x-flotilla` → the rules of the scheduler. What contradicts itself
 * for every pool there could be is refused here; what no configured pool meets is refused where the pools are known.
 */
import {
  type Affinity,
  attributes,
  type Constraint,
  type PlacementSpec,
  type Spread,
  topologyOf,
} from '../model/placement.ts';
import { isObject, joinPath } from './json.ts';
import { readBoolean, readNumber } from './read.ts';
import type { Report } from './report.ts';
import { nearestWord } from './suggest.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** Undefined where the service states no rule. @param services names of the services of the app */
export function readPlacement(
  service: Mapping,
  path: string,
  services: ReadonlySet<string>,
  report: Report,
): PlacementSpec | undefined {
  const deploy = isObject(service['deploy']) ? service['deploy'] : {};
  const placement = isObject(deploy['placement']) ? deploy['placement'] : {};
  const extension = isObject(service['x-flotilla']) ? service['x-flotilla'] : {};
  const at = joinPath(path, 'deploy', 'placement');
  const own = joinPath(path, 'x-flotilla');
  const spec: PlacementSpec = {
    constraints: readConstraints(placement['constraints'], joinPath(at, 'constraints'), report),
    spread: [
      ...readPreferences(placement['preferences'], joinPath(at, 'preferences'), report),
      ...readSpreads(extension['spread'], joinPath(own, 'spread'), report),
    ],
    affinity: [
      ...readAffinities(extension['affinity'], joinPath(own, 'affinity'), false, services, report),
      ...readAffinities(extension['antiAffinity'], joinPath(own, 'antiAffinity'), true, services, report),
    ],
    limits: [],
  };
  return Object.values(spec).some((rules: readonly unknown[]) => rules.length > 0) ? spec : undefined;
}

const items = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Constraints of Swarm that every container group meets: files that run there need not be edited. */
const alwaysTrue = /^node\.platform\.(os\s*==\s*linux|arch\s*==\s*(x86_64|amd64))$/;

function readConstraints(value: unknown, path: string, report: Report): readonly Constraint[] {
  const read = items(value).flatMap((item, index) => {
    if (typeof item !== 'string' || alwaysTrue.test(item.trim())) return [];
    const at = joinPath(path, index);
    const constraint = parseConstraint(item, at, report);
    return constraint === null ? [] : [{ constraint, at }];
  });
  for (const [index, { constraint, at }] of read.entries()) {
    const clash = read.slice(0, index).find((earlier) => excludes(earlier.constraint, constraint));
    if (clash === undefined) continue;
    report.error(
      at,
      `\`${constraint.text}\` can never hold together with \`${clash.constraint.text}\` (\`${clash.at}\`).`,
      'Remove one of the two.',
    );
  }
  return read.map(({ constraint }) => constraint);
}

const constraintPattern = /^\s*([\w.-]+)\s*(==|!=|\bin\b)\s*(.+?)\s*$/;
const valuePattern = /^[\w.-]+$/;

function parseConstraint(text: string, at: string, report: Report): Constraint | null {
  const [, attribute = '', operator = '', rest = ''] = constraintPattern.exec(text) ?? [];
  const listed = /^\((.*)\)$/.exec(rest)?.[1];
  const values = operator === 'in' ? (listed ?? '').split(',').map((value) => value.trim()) : [rest];
  if (attribute === '' || !values.every((value) => valuePattern.test(value))) {
    const example = '`pool.region == eastus`, `pool.labels.tier != test` or `pool.name in (one, two)`';
    report.refuse(at, `\`${text}\` is not a constraint.`, `Write it as in ${example}.`);
    return null;
  }
  if (!isAttribute(attribute, at, report.refuse)) return null;
  return { attribute, operator: operator as Constraint['operator'], values, text: text.trim() };
}

/** Container hosts do not exist yet, and the zone of a container group cannot be chosen yet. */
const later: ReadonlySet<string> = new Set(['node.hostname', 'pool.zone']);
const usable = attributes.filter((attribute) => !later.has(attribute));

type Say = Report['refuse'];

/** A wish that nothing can meet is no reason to turn the app away. */
const ignoring =
  (report: Report): Say =>
  (at, problem) =>
    report.warn(at, `this preference is ignored: ${problem}`, 'Nothing to do; remove it to silence this warning.');

function isAttribute(attribute: string, at: string, say: Say): boolean {
  if (later.has(attribute)) {
    const names = attribute === 'pool.zone' ? 'zones' : 'hosts';
    say(at, `\`${attribute}\` is not supported yet: pools have no ${names}.`, 'Name a pool, a region or a label.');
    return false;
  }
  if (attribute === 'pool.kind' || topologyOf(attribute) !== null) return true;
  const nearest = nearestWord(attribute, usable);
  const known = `${usable.join(', ')} and pool.labels.NAME`;
  const isSwarm = attribute.startsWith('node.') || attribute.startsWith('engine.');
  say(
    at,
    `there is no attribute \`${attribute}\`${isSwarm ? ': there are no nodes, only pools' : ''}.`,
    nearest === undefined || isSwarm ? `Write one of ${known}.` : `Did you mean \`${nearest}\`?`,
  );
  return false;
}

/** True when no value of the attribute satisfies both. */
function excludes(a: Constraint, b: Constraint): boolean {
  if (a.attribute !== b.attribute) return false;
  if (a.operator === '!=' && b.operator === '!=') return false;
  if (a.operator === '!=') return b.values.every((value) => a.values.includes(value));
  if (b.operator === '!=') return a.values.every((value) => b.values.includes(value));
  return !a.values.some((value) => b.values.includes(value));
}

/** Swarm's `preferences: [{spread: ATTRIBUTE}]`. */
function readPreferences(value: unknown, path: string, report: Report): readonly Spread[] {
  return items(value).flatMap((item, index): Spread[] => {
    const attribute = isObject(item) ? item['spread'] : undefined;
    if (typeof attribute !== 'string') return [];
    const at = joinPath(path, index, 'spread');
    if (!isAttribute(attribute, at, ignoring(report))) return [];
    const topology = topologyOf(attribute);
    if (topology !== null) return [{ topology, maxSkew: null }];
    ignoring(report)(at, `replicas cannot be spread over \`${attribute}\`.`, '');
    return [];
  });
}

const skewRange = { min: 1, max: 100, of: 'replicas' };

/** `[{topology, maxSkew, required}]`, as Kubernetes' topologySpreadConstraints: required unless it says otherwise. */
function readSpreads(value: unknown, path: string, report: Report): readonly Spread[] {
  return readRules(value, path, report).flatMap(({ rule, at }): Spread[] => {
    const required = readBoolean(rule['required'], true, joinPath(at, 'required'), report);
    const topology = readTopology(rule['topology'], joinPath(at, 'topology'), required, report);
    const maxSkew = readNumber(rule['maxSkew'] ?? 1, joinPath(at, 'maxSkew'), skewRange, report);
    return topology === null || maxSkew === undefined ? [] : [{ topology, maxSkew: required ? maxSkew : null }];
  });
}

const weightRange = { min: 1, max: 100, of: 'points' };

function readAffinities(
  value: unknown,
  path: string,
  anti: boolean,
  services: ReadonlySet<string>,
  report: Report,
): readonly Affinity[] {
  return readRules(value, path, report).flatMap(({ rule, at }): Affinity[] => {
    const required = readBoolean(rule['required'], true, joinPath(at, 'required'), report);
    const topology = readTopology(rule['topology'], joinPath(at, 'topology'), required, report);
    const weight = readNumber(rule['weight'] ?? weightRange.max, joinPath(at, 'weight'), weightRange, report);
    const service = readServiceName(rule['service'], joinPath(at, 'service'), services, report);
    if (topology === null || service === null || weight === undefined) return [];
    return [{ service, topology, anti, required, weight }];
  });
}

function readServiceName(value: unknown, at: string, services: ReadonlySet<string>, report: Report): string | null {
  if (typeof value === 'string' && services.has(value)) return value;
  const nearest = typeof value === 'string' ? nearestWord(value, [...services]) : undefined;
  report.refuse(
    at,
    typeof value === 'string' ? `there is no service \`${value}\`.` : 'must be the name of a service.',
    nearest === undefined ? `Write one of ${[...services].sort().join(', ')}.` : `Did you mean \`${nearest}\`?`,
  );
  return null;
}

function readRules(
  value: unknown,
  path: string,
  report: Report,
): readonly { readonly rule: Mapping; readonly at: string }[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    report.refuse(path, 'must be a list.', 'Write `[{topology: region, …}]`.');
    return [];
  }
  return value.flatMap((rule, index) => (isObject(rule) ? [{ rule, at: joinPath(path, index) }] : []));
}

const topologies = ['region', 'pool'] as const;

/** `region`, `pool`, or `labels.NAME`. */
function readTopology(value: unknown, at: string, required: boolean, report: Report): string | null {
  if (typeof value === 'string' && (topologies.some((known) => known === value) || /^labels\..+/.test(value))) {
    return value;
  }
  const missing = value === 'zone' || value === 'host';
  const say = missing && !required ? ignoring(report) : report.refuse;
  say(
    at,
    missing ? `\`${value}\` is not supported yet: pools have no ${value}s.` : 'must be a topology.',
    'Write `region`, `pool` or `labels.NAME`.',
  );
  return null;
}
