/**
 * The control API (`CONTROL.md`): how tests and users make the world behave badly, and see what it did. It acts on the store through the
 * same functions as time does; it is no part of any Azure service and listens on loopback only.
 */

import { endProcess, hangProcess, maintain } from '../aci/container-course.ts';
import type { ArmCore } from '../aci/core.ts';
import { addFault, listFaults, regionStates, removeFaults, setRegionState } from '../aci/faults.ts';
import { release } from '../aci/lifecycle.ts';
import type { ContainerRecord, GroupRecord } from '../aci/model.ts';
import type { AciStore } from '../aci/store.ts';
import { groupState } from '../aci/view.ts';
import type { Core, CoreRequest, CoreResponse } from '../core.ts';
import type { EventGrid } from '../eventgrid/grid.ts';
import { controlEvents } from './control-events.ts';
import { parseFault, parseRegion } from './control-input.ts';
import { activeFaults, clearFaults, describeCatalogue, inject } from './faults/console.ts';
import type { Done } from './faults/fault.ts';
import type { TableFaults } from './faults/table-draw.ts';

export interface ControlOptions {
  readonly store: AciStore;
  readonly arm: ArmCore;
  readonly tables: TableFaults;
  readonly events: EventGrid;
}

type Answer = CoreResponse;
type Handler = (options: ControlOptions, parts: readonly string[], body: unknown, now: number, url: URL) => Answer;

const ROUTES: readonly (readonly [method: string, path: RegExp, handler: Handler])[] = [
  ['GET', /^\/control\/state$/, state],
  ['GET', /^\/control\/audit$/, audit],
  ['GET', /^\/control\/faults$/, ({ store }) => ok(listFaults(store))],
  ['POST', /^\/control\/faults$/, postFault],
  ['DELETE', /^\/control\/faults$/, ({ store }) => done(removeFaults(store))],
  ['DELETE', /^\/control\/faults\/(\d+)$/, ({ store }, [id]) => done(removeFaults(store, Number(id)))],
  ['GET', /^\/control\/console$/, (o) => ok({ catalogue: describeCatalogue(o), active: activeFaults(o) })],
  ['POST', /^\/control\/console$/, (o, _parts, body, now) => injectWords(o, body, now)],
  ['DELETE', /^\/control\/console$/, (o, _parts, _body, now) => told(clearFaults(o, undefined, now))],
  ['DELETE', /^\/control\/console\/([^/]+)$/, (o, [id], _body, now) => told(clearFaults(o, id, now))],
  ['GET', /^\/control\/regions$/, ({ store }) => ok(regionStates(store))],
  ['PUT', /^\/control\/regions\/([a-z0-9]+)$/, putRegion],
  [
    'POST',
    /^\/control\/groups\/([^/]+)\/kill$/,
    (o, [name], _body, now) => onGroup(o, name, now, (g) => maintain(g, now, o.arm.time.surroundings)),
  ],
  [
    'POST',
    /^\/control\/groups\/([^/]+)\/address$/,
    (o, [name], _body, now) => onGroup(o, name, now, (g) => newAddress(o, g)),
  ],
  ['POST', /^\/control\/groups\/([^/]+)\/vanish$/, vanish],
  [
    'POST',
    /^\/control\/groups\/([^/]+)\/release$/,
    (o, [name], _body, now) => onGroup(o, name, now, (group) => release(group, now)),
  ],
  ['POST', /^\/control\/groups\/([^/]+)\/containers\/([^/]+)\/crash$/, crash],
  ['POST', /^\/control\/groups\/([^/]+)\/containers\/([^/]+)\/hang$/, hang],
  ['POST', /^\/control\/maintenance$/, ({ arm }, _parts, _body, now) => done(arm.maintenance(now))],
];

export function createControlCore(options: ControlOptions): Core {
  return {
    handle(request, now) {
      options.arm.advance(now);
      const url = new URL(request.url, 'http://control.invalid');
      if (!isLoopback(request.headers['host'])) return problem(403, 'The Host header names no loopback address.');
      if (url.pathname.startsWith(eventsPath)) return onEvents(options.events, request, url, now);
      for (const [method, path, handler] of ROUTES) {
        const match = path.exec(url.pathname);
        if (!match || method !== request.method) continue;
        const body = parse(request);
        if (body === undefined) return problem(400, 'The body is not JSON.');
        return handler(options, match.slice(1).map(decodeURIComponent), body, now, url);
      }
      return problem(404, `No control operation ${request.method} ${url.pathname}; see CONTROL.md.`);
    },
  };
}

const ok = (body: unknown): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const done = (_nothing: unknown): Answer => ({ status: 204, headers: {}, body: '' });
const problem = (status: number, message: string): Answer => ({ ...ok({ error: message }), status });

/** A web page in a browser must not reach it by a name of its own (DNS rebinding). */
function isLoopback(host: string | undefined): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(host ?? '');
}

const eventsPath = '/control/events';

function onEvents(events: EventGrid, request: CoreRequest, { pathname }: URL, now: number): Answer {
  const body = parse(request);
  if (body === undefined) return problem(400, 'The body is not JSON.');
  const answer = controlEvents(events, request.method, pathname.slice(eventsPath.length), body, now);
  if (typeof answer === 'string') return problem(400, answer);
  if (answer === undefined) return problem(404, `No control operation ${request.method} ${pathname}; see CONTROL.md.`);
  return answer.body === undefined
    ? { ...done(undefined), status: answer.status }
    : { ...ok(answer.body), status: answer.status };
}

function parse(request: CoreRequest): unknown {
  if (request.body === '') return {};
  try {
    return JSON.parse(request.body) ?? {};
  } catch {
    return undefined;
  }
}

function state({ store }: ControlOptions): Answer {
  return ok({
    groups: store.groups().map((group) => ({
      id: group.id,
      name: group.name,
      location: group.location,
      tags: group.tags,
      provisioningState: group.provisioningState,
      state: groupState(group),
      ip: group.ip ?? null,
      containers: group.containers.map((container) => ({
        name: container.name,
        image: container.image,
        state: container.current,
        condition: container.condition,
        restartCount: container.restartCount,
        unbound: container.unbound,
      })),
    })),
    regions: regionStates(store),
    faults: listFaults(store),
  });
}

function audit({ store }: ControlOptions, _parts: readonly string[], _body: unknown, _now: number, url: URL): Answer {
  const from = Number(url.searchParams.get('from') ?? 0);
  if (!Number.isFinite(from)) return problem(400, 'from: give an instant in epoch ms.');
  return ok(store.audit(from));
}

function postFault({ store }: ControlOptions, _parts: readonly string[], body: unknown): Answer {
  const fault = parseFault(body);
  return typeof fault === 'string' ? problem(400, fault) : { ...ok(addFault(store, fault)), status: 201 };
}

function injectWords(options: ControlOptions, body: unknown, now: number): Answer {
  const { words } = body as { words?: unknown };
  if (!Array.isArray(words) || words.some((word) => typeof word !== 'string')) {
    return problem(400, 'words: give the name of a fault and its arguments as a list of texts.');
  }
  return told(inject(options, words, now));
}

const told = (result: Done): Answer => ('problem' in result ? problem(400, result.problem) : ok(result));

function putRegion({ store, arm }: ControlOptions, [location = '']: readonly string[], body: unknown): Answer {
  if (!arm.settings.regions.includes(location))
    return problem(404, `No region ${location}; there are ${arm.settings.regions.join(', ')}.`);
  const region = parseRegion(body);
  if (typeof region === 'string') return problem(400, region);
  setRegionState(store, location, region);
  return ok(regionStates(store)[location]);
}

function onGroup(
  { store, arm }: ControlOptions,
  name: string | undefined,
  now: number,
  act: (draft: GroupRecord) => void,
): Answer {
  const group = store.groups().find((one) => one.name === name);
  if (!group) return problem(404, `No container group ${name}.`);
  arm.time.change(group.key, now, act);
  return done(undefined);
}

function newAddress({ arm }: ControlOptions, group: GroupRecord): void {
  const address = group.ip === undefined ? undefined : arm.time.freeAddress(group);
  if (address === undefined) return;
  group.ip = address;
  for (const container of group.containers) container.unbound = [];
}

/** The group is gone, and nobody asked for it: what the portal or another installation may do. */
function vanish({ store }: ControlOptions, [name]: readonly string[], _body: unknown, now: number): Answer {
  const group = store.groups().find((one) => one.name === name);
  if (!group) return problem(404, `No container group ${name}.`);
  const { id, subscriptionId, location } = group;
  store.removeGroup(group.key);
  store.appendAudit({ at: now, action: 'gone', id, name: group.name, subscriptionId, location });
  return done(undefined);
}

function onContainer(
  options: ControlOptions,
  [groupName, name]: readonly string[],
  now: number,
  act: (group: GroupRecord, container: ContainerRecord) => void,
): Answer {
  const group = options.store.groups().find((one) => one.name === groupName);
  const container = group?.containers.find((one) => one.name === name);
  if (!container) return problem(404, `No container ${name} in a container group ${groupName}.`);
  if (container.current.state !== 'Running')
    return problem(409, `The container ${name} is ${container.current.state}, not Running.`);
  return onGroup(options, groupName, now, (draft) => {
    const found = draft.containers.find((one) => one.name === name);
    if (found) act(draft, found);
  });
}

function crash(options: ControlOptions, parts: readonly string[], body: unknown, now: number): Answer {
  const exitCode = (body as { exitCode?: unknown }).exitCode ?? 1;
  if (!Number.isInteger(exitCode)) return problem(400, 'exitCode: give a whole number.');
  const { surroundings } = options.arm.time;
  return onContainer(options, parts, now, (group, container) =>
    endProcess(group, container, now, Number(exitCode), surroundings),
  );
}

function hang(options: ControlOptions, parts: readonly string[], _body: unknown, now: number): Answer {
  return onContainer(options, parts, now, (group, container) => hangProcess(group, container, now));
}
