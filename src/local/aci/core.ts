/**
 * ARM for container groups, as a core: authentication, routing, brakes and faults around the operations of `operations.ts`, and the
 * passage of time. It opens no socket: `endpoints()` says what should be listening, whoever has sockets keeps them in step.
 */
import type { Core, CoreRequest, CoreResponse, Draw } from '../core.ts';
import { operationsBegun } from './call.ts';
import { maintain } from './container-course.ts';
import type { Containers } from './containers-port.ts';
import { type Endpoint, endpointsOf } from './endpoints.ts';
import { type ArmError, armError, badRequest, json, notModelled, toResponse } from './errors.ts';
import { type Act, regionStates, type Strike, strike } from './faults.ts';
import type { Observation } from './observe.ts';
import { createOperations, type Operations } from './operations.ts';
import type { Provider } from './provider.ts';
import { normalLocation } from './request.ts';
import { type Emit, resourceEvent, writeOf } from './resource-events.ts';
import { API_VERSION, groupKey, type Operation, type Route, routeOf } from './routes.ts';
import { type ArmSettings, DEFAULT_SETTINGS } from './settings.ts';
import type { AciStore } from './store.ts';
import { claimTerminal, type TerminalSession } from './terminals.ts';
import { bucketKind, takeToken } from './throttle.ts';
import { type WantedGroup, wantedOf } from './wanted.ts';
import { createWorldTime, type WorldTime } from './world-time.ts';

export interface ArmOptions {
  readonly store: AciStore;
  /** Is this `Authorization` header one of ours, and still valid? */
  readonly authorize: (authorization: string | undefined, now: number) => boolean;
  readonly containers: Containers;
  readonly settings?: Partial<ArmSettings>;
  /** Gets the events of writes; default: there are none. */
  readonly emit?: Emit;
  /** What else this ARM serves. */
  readonly providers?: readonly Provider[];
}

export interface ArmCore extends Core {
  /** Works off everything up to `now`; `handle` does so by itself. */
  advance(now: number): void;
  /** The next instant at which the world changes by itself, epoch ms. */
  nextAt(): number | undefined;
  /** What should be listening now. */
  endpoints(): readonly Endpoint[];
  /** What the machine said to opening a port: a cause, or undefined once it is open. */
  reportBinding(report: { groupKey: string; container: string; port: number; cause?: string }, now: number): void;
  /** What a container engine should have of the real groups. */
  wanted(): readonly WantedGroup[];
  /** What it saw of one of them. Nothing happens when the group, or that run of the container, is not the current one. */
  observe(uid: string, observation: Observation, now: number): void;
  /** What a connection to a terminal is for, once; undefined = it has no business here. */
  claimTerminal(asked: Parameters<typeof claimTerminal>[2], now: number): TerminalSession | undefined;
  /** All running containers are taken down by the platform and started again, as after maintenance of its hosts. */
  maintenance(now: number): void;
  readonly time: WorldTime;
  readonly settings: ArmSettings;
}

export function createArmCore(options: ArmOptions): ArmCore {
  const { store, containers } = options;
  const settings: ArmSettings = { ...DEFAULT_SETTINGS, ...options.settings };
  const time = createWorldTime(store, containers, settings, options.emit);
  const operations = createOperations(store, containers, settings, time);
  return {
    settings,
    time,
    handle(request, now, draw) {
      time.advance(now);
      if (!options.authorize(request.headers['authorization'], now)) return toResponse(unauthenticated());
      const url = new URL(request.url, 'https://arm.invalid');
      const provider = options.providers?.find(({ serves }) => serves.test(url.pathname));
      if (provider) return answerOf(provider, { store, settings }, request, url, now, draw);
      return answer({ store, settings, operations, emit: options.emit }, request, url, now, draw);
    },
    advance: (now) => time.advance(now),
    nextAt: () => store.nextAt(),
    endpoints: () => endpointsOf(store.groups(), regionStates(store)),
    wanted: () => wantedOf(store.groups(), regionStates(store)),
    observe: (uid, observation, now) => time.observe(uid, observation, now),
    reportBinding: (report, now) => time.reportBinding(report, now),
    claimTerminal: (asked, now) => claimTerminal(store, settings.terminalKey, asked, now),
    maintenance(now) {
      time.advance(now);
      for (const group of store.groups())
        time.change(group.key, now, (draft) => maintain(draft, now, time.surroundings));
    },
  };
}

type Scope = Pick<Route, 'subscriptionId' | 'resourceGroup'>;

interface Parts {
  readonly store: AciStore;
  readonly settings: ArmSettings;
  readonly operations: Operations;
  readonly emit: Emit | undefined;
}

/** ARM's own part in front of another provider: the same order of checks as for container groups. */
function answerOf(
  provider: Provider,
  { store, settings }: Pick<Parts, 'store' | 'settings'>,
  request: CoreRequest,
  url: URL,
  now: number,
  draw: Draw,
): CoreResponse {
  const { subscriptionId = '', resourceGroup } = provider.serves.exec(url.pathname)?.groups ?? {};
  const scope = { subscriptionId, ...(resourceGroup !== undefined && { resourceGroup }) };
  const refused = badVersion(url, provider.apiVersions, provider.resourceType) ?? unknownSubscription(settings, scope);
  if (refused) return toResponse(refused);
  const token = takeToken(store, subscriptionId, bucketKind(request.method), now);
  if (token.refused) return withHeaders(toResponse(token.refused), token.headers);
  const missing = unknownResourceGroup(settings, scope);
  if (missing) return withHeaders(toResponse(missing), token.headers);
  const hit = strike(store, { act: provider.act, name: url.pathname.split('/').at(-1) ?? '' }, draw);
  const act = () => {
    const origin = `https://${request.headers['host'] ?? 'localhost'}`;
    const { method, headers, body } = request;
    return provider.handle({ method, url, origin, headers, body, now });
  };
  return withHeaders(struck(hit, act), token.headers);
}

function answer(parts: Parts, request: CoreRequest, url: URL, now: number, draw: Draw): CoreResponse {
  const route = routeOf(request.method, url.pathname);
  if ('notModelled' in route) return toResponse(notModelled(route.notModelled));
  const refused = badVersion(url, [API_VERSION], 'containerGroups') ?? unknownSubscription(parts.settings, route);
  if (refused) return toResponse(refused);
  const token = takeToken(parts.store, route.subscriptionId, bucketKind(request.method), now);
  if (token.refused) return withHeaders(toResponse(token.refused), token.headers);
  const missing = unknownResourceGroup(parts.settings, route);
  if (missing) return withHeaders(toResponse(missing), token.headers);
  const hit = strike(parts.store, targetOf(parts.store, route, request), draw);
  return withHeaders(
    struck(hit, () => perform(parts, route, url, request, now, hit, draw)),
    token.headers,
  );
}

/** The answer to a request that a fault strikes: it may or may not take effect, and may be late, another one, or none. */
function struck(hit: Strike, act: () => CoreResponse | ArmError): CoreResponse {
  const result = hit.takesEffect ? act() : undefined;
  const answered = result && ('code' in result ? toResponse(result) : result);
  const response = hit.error ? toResponse(hit.error) : (answered ?? json(503, {}));
  return { ...response, ...(hit.delayMs > 0 && { delayMs: hit.delayMs }), ...(hit.drop && { dropped: true }) };
}

function perform(
  parts: Parts,
  route: Route,
  url: URL,
  request: CoreRequest,
  now: number,
  hit: Strike,
  draw: Draw,
): CoreResponse | ArmError {
  const origin = `https://${request.headers['host'] ?? 'localhost'}`;
  const call = {
    route,
    url,
    origin,
    body: request.body,
    now,
    draw,
    ...(hit.mishap && { mishap: hit.mishap }),
    ...(hit.stuck && { stuck: true }),
  };
  const before = operationsBegun(parts.store);
  const result = parts.operations[route.operation](call);
  // What has begun an operation ends with it.
  if (operationsBegun(parts.store) === before) tell(parts, route, request.method, result.status, now);
  return result;
}

function tell({ store, emit }: Parts, route: Route, method: string, status: number, now: number): void {
  const end = emit && status !== 429 ? writeOf(method, route, status < 400) : undefined;
  if (end) emit?.(resourceEvent(store, end, now), now);
}

const ACT_OF: Readonly<Record<Operation, Act>> = {
  ContainerGroups_List: 'list',
  ContainerGroups_ListByResourceGroup: 'list',
  ContainerGroups_Get: 'get',
  ContainerGroups_CreateOrUpdate: 'create',
  ContainerGroups_Update: 'update',
  ContainerGroups_Delete: 'delete',
  ContainerGroups_Start: 'start',
  ContainerGroups_Stop: 'stop',
  ContainerGroups_Restart: 'restart',
  ContainerGroups_GetOutboundNetworkDependenciesEndpoints: 'get',
  Containers_ListLogs: 'logs',
  Containers_ExecuteCommand: 'exec',
  Containers_Attach: 'exec',
  Location_ListUsage: 'usage',
  Location_ListCachedImages: 'usage',
  Location_ListCapabilities: 'usage',
  OperationStatus: 'poll',
  OperationResult: 'poll',
};

function targetOf(store: AciStore, route: Route, request: CoreRequest) {
  const operation = route.operationId ? store.operation(route.operationId) : undefined;
  const name = route.group ?? operation?.groupKey.split('/').at(-1);
  const group = route.group ? store.group(groupKey(route)) : undefined;
  const location = route.location ?? group?.location ?? locationIn(request.body);
  return {
    act: ACT_OF[route.operation],
    ...(name !== undefined && { name }),
    ...(location !== undefined && { location: normalLocation(location) }),
  };
}

/** Where a create wants to be; undefined when the body does not say. */
function locationIn(body: string): string | undefined {
  if (body === '') return undefined;
  try {
    const { location } = JSON.parse(body) as { location?: unknown };
    return typeof location === 'string' ? location : undefined;
  } catch {
    return undefined; // the operation itself refuses it
  }
}

function withHeaders(response: CoreResponse, headers: Readonly<Record<string, string>>): CoreResponse {
  return { ...response, headers: { ...headers, ...response.headers } };
}

function unauthenticated(): ArmError {
  return {
    ...armError(
      401,
      'InvalidAuthenticationToken',
      'The access token is missing, expired or was not issued for this service.',
    ),
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  };
}

function badVersion(url: URL, supported: readonly string[], resourceType: string): ArmError | undefined {
  const version = url.searchParams.get('api-version');
  if (version !== null && supported.includes(version)) return undefined;
  if (version === null) {
    return badRequest(
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.',
    );
  }
  return badRequest(
    'NoRegisteredProviderFound',
    `No registered resource provider found for API version '${version}' for type '${resourceType}'. The supported api-versions are '${supported.join(', ')}'.`,
  );
}

function unknownSubscription(settings: ArmSettings, route: Scope): ArmError | undefined {
  if (settings.subscriptionIds.some((id) => id.toLowerCase() === route.subscriptionId.toLowerCase())) return undefined;
  return armError(404, 'SubscriptionNotFound', `The subscription '${route.subscriptionId}' could not be found.`);
}

function unknownResourceGroup(settings: ArmSettings, route: Scope): ArmError | undefined {
  const wanted = route.resourceGroup?.toLowerCase();
  if (wanted === undefined || settings.resourceGroups.some((name) => name.toLowerCase() === wanted)) return undefined;
  return armError(404, 'ResourceGroupNotFound', `Resource group '${route.resourceGroup}' could not be found.`);
}
