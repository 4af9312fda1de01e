/**
 * Bodies of the control API: checked and typed, or refused with the path of every problem. By hand, because a schema library costs this
 * process several MiB.
 */
import { ACTS, type Fault, type FaultEffect, type RegionState } from '../aci/faults.ts';
import { isObject, type Json } from '../aci/json.ts';

type Check = (value: unknown) => string | undefined;

const text: Check = (value) => (typeof value === 'string' && value !== '' ? undefined : 'give a text');
const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'give true or false');
const atLeast =
  (least: number): Check =>
  (value) =>
    Number.isInteger(value) && Number(value) >= least ? undefined : `give a whole number from ${least} on`;
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(String(value)) ? undefined : `give one of ${words.join(', ')}`;
const cores: Check = (value) => (typeof value === 'number' && value >= 0 ? undefined : 'give a number from 0 on');
const status: Check = (value) =>
  Number.isInteger(value) && Number(value) >= 400 && Number(value) <= 599 ? undefined : 'give a status from 400 to 599';
const times: Check = (value) => (value === null ? undefined : atLeast(1)(value));

const FAULT = { act: oneOf(...ACTS), name: text, location: text, times, effect: () => undefined };
const EFFECTS: Readonly<Record<FaultEffect['kind'], Readonly<Record<string, Check>>>> = {
  latency: { ms: atLeast(0) },
  error: { status, code: text, message: text, retryAfterSeconds: atLeast(0), after: flag },
  drop: { after: flag },
  mishap: { mishap: () => undefined },
  stuck: {},
};
const MISHAP = { code: text, message: text, afterMs: atLeast(0), runsAfterMs: atLeast(0) };
const REGION = {
  arm: oneOf('unavailable', 'noCapacity'),
  containersDown: flag,
  quotas: () => undefined,
  cores,
  zones: () => undefined,
};
const ZONE = { down: flag, cores };
const QUOTAS = { containerGroups: atLeast(0), standardCores: cores, standardSpotCores: cores };

/** The fault with its defaults, or what is wrong with it. */
export function parseFault(body: unknown): Omit<Fault, 'id'> | string {
  if (!isObject(body)) return 'the body: give an object';
  const effect = parseEffect(body['effect']);
  const problems = [...check('', body, FAULT), ...(Array.isArray(effect) ? effect : [])];
  if (problems.length > 0) return problems.join('; ');
  return { times: 1, ...body, effect } as Omit<Fault, 'id'>;
}

/** The region's new settings, or what is wrong with them. */
export function parseRegion(body: unknown): RegionState | string {
  if (!isObject(body)) return 'the body: give an object';
  const quotas = body['quotas'] === undefined ? [] : checkObject('quotas', body['quotas'], QUOTAS);
  const problems = [...check('', body, REGION), ...quotas, ...zoneProblems(body['zones'])];
  return problems.length > 0 ? problems.join('; ') : (body as RegionState);
}

function zoneProblems(zones: unknown): string[] {
  if (zones === undefined) return [];
  if (!isObject(zones)) return ['zones: give an object'];
  return Object.entries(zones).flatMap(([name, zone]) => checkObject(`zones.${name}`, zone, ZONE));
}

function parseEffect(effect: unknown): Json | string[] {
  if (!isObject(effect)) return ['effect: give an object'];
  const { kind, ...fields } = effect;
  const checks = Object.hasOwn(EFFECTS, String(kind)) ? EFFECTS[kind as FaultEffect['kind']] : undefined;
  if (!checks) return [`effect.kind: give one of ${Object.keys(EFFECTS).join(', ')}`];
  const required = REQUIRED[kind as FaultEffect['kind']];
  const problems = check('effect.', fields, checks);
  if (required !== undefined && fields[required] === undefined) problems.push(`effect.${required}: missing`);
  if (kind === 'mishap' && fields['mishap'] !== undefined) {
    problems.push(...checkObject('effect.mishap', fields['mishap'], MISHAP));
  }
  return problems.length > 0 ? problems : { ...DEFAULTS[kind as FaultEffect['kind']], ...effect, ...mishapOf(fields) };
}

const REQUIRED: Readonly<Record<FaultEffect['kind'], string | undefined>> = {
  latency: 'ms',
  error: 'status',
  drop: undefined,
  mishap: 'mishap',
  stuck: undefined,
};

const DEFAULTS: Readonly<Record<FaultEffect['kind'], Json>> = {
  latency: {},
  error: { code: 'InjectedFault', message: 'Injected by the control API.', after: false },
  drop: { after: false },
  mishap: {},
  stuck: {},
};

function mishapOf(fields: Json): Json {
  if (!isObject(fields['mishap'])) return {};
  const code = 'InsufficientCapacity.';
  const message = 'There is not enough capacity in the location.';
  return { mishap: { code, message, ...fields['mishap'] } };
}

function checkObject(path: string, value: unknown, checks: Readonly<Record<string, Check>>): string[] {
  return isObject(value) ? check(`${path}.`, value, checks) : [`${path}: give an object`];
}

function check(prefix: string, value: Json, checks: Readonly<Record<string, Check>>): string[] {
  return Object.entries(value).flatMap(([name, field]) => {
    const known = Object.hasOwn(checks, name) ? checks[name] : undefined;
    const problem = known ? known(field) : `unknown; there are ${Object.keys(checks).join(', ')}`;
    return problem === undefined ? [] : [`${prefix}${name}: ${problem}`];
  });
}
