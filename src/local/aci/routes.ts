/** Paths of the resource provider to operation names. What is known but not modelled keeps its name, so that the refusal can say it. */
/** The version `@azure/arm-containerinstance` 9.1.0 speaks. */
export const API_VERSION = '2023-05-01';

export type Operation =
  | 'ContainerGroups_List'
  | 'ContainerGroups_ListByResourceGroup'
  | 'ContainerGroups_Get'
  | 'ContainerGroups_CreateOrUpdate'
  | 'ContainerGroups_Update'
  | 'ContainerGroups_Delete'
  | 'ContainerGroups_Start'
  | 'ContainerGroups_Stop'
  | 'ContainerGroups_Restart'
  | 'ContainerGroups_GetOutboundNetworkDependenciesEndpoints'
  | 'Containers_ListLogs'
  | 'Containers_ExecuteCommand'
  | 'Containers_Attach'
  | 'Location_ListUsage'
  | 'Location_ListCachedImages'
  | 'Location_ListCapabilities'
  | 'OperationStatus'
  | 'OperationResult';

export interface Route {
  readonly operation: Operation;
  readonly subscriptionId: string;
  readonly resourceGroup?: string;
  readonly group?: string;
  readonly container?: string;
  readonly location?: string;
  readonly operationId?: string;
}

interface Pattern {
  readonly method: string;
  readonly path: RegExp;
  readonly operation: Operation | { readonly notModelled: string };
}

const SUBSCRIPTION = '/subscriptions/(?<subscriptionId>[^/]+)';
const PROVIDER = '/providers/Microsoft\\.ContainerInstance';
const IN_PROVIDER = `${SUBSCRIPTION}/resourceGroups/(?<resourceGroup>[^/]+)${PROVIDER}`;
const IN_GROUP = `${IN_PROVIDER}/containerGroups`;
const GROUP = `${IN_GROUP}/(?<group>[^/]+)`;
const CONTAINER = `${GROUP}/containers/(?<container>[^/]+)`;
const LOCATION = `${SUBSCRIPTION}${PROVIDER}/locations/(?<location>[^/]+)`;

const pattern = (method: string, path: string, operation: Pattern['operation']): Pattern => ({
  method,
  path: new RegExp(`^${path}/?$`, 'i'),
  operation,
});

/** The usual operations of a resource type that is known and not served. */
function notModelled(path: string, type: string, actions: Readonly<Record<string, string>>): readonly Pattern[] {
  const one = `${path}/[^/]+`;
  const refused = (method: string, at: string, name: string) => pattern(method, at, { notModelled: `${type}_${name}` });
  return [
    refused('GET', path, 'ListByResourceGroup'),
    refused('GET', one, 'Get'),
    refused('PUT', one, 'CreateOrUpdate'),
    refused('PATCH', one, 'Update'),
    refused('DELETE', one, 'Delete'),
    ...Object.entries(actions).map(([action, name]) => refused('POST', `${one}/${action}`, name)),
  ];
}

const PATTERNS: readonly Pattern[] = [
  pattern('GET', `${SUBSCRIPTION}${PROVIDER}/containerGroups`, 'ContainerGroups_List'),
  pattern('GET', IN_GROUP, 'ContainerGroups_ListByResourceGroup'),
  pattern('GET', GROUP, 'ContainerGroups_Get'),
  pattern('PUT', GROUP, 'ContainerGroups_CreateOrUpdate'),
  pattern('DELETE', GROUP, 'ContainerGroups_Delete'),
  pattern('GET', `${CONTAINER}/logs`, 'Containers_ListLogs'),
  pattern('GET', `${LOCATION}/usages`, 'Location_ListUsage'),
  pattern('GET', `${LOCATION}/operations/(?<operationId>[^/]+)`, 'OperationStatus'),
  pattern('GET', `${LOCATION}/operationresults/(?<operationId>[^/]+)`, 'OperationResult'),
  pattern('PATCH', GROUP, 'ContainerGroups_Update'),
  pattern('POST', `${GROUP}/start`, 'ContainerGroups_Start'),
  pattern('POST', `${GROUP}/stop`, 'ContainerGroups_Stop'),
  pattern('POST', `${GROUP}/restart`, 'ContainerGroups_Restart'),
  pattern(
    'GET',
    `${GROUP}/outboundNetworkDependenciesEndpoints`,
    'ContainerGroups_GetOutboundNetworkDependenciesEndpoints',
  ),
  pattern('POST', `${CONTAINER}/exec`, 'Containers_ExecuteCommand'),
  pattern('POST', `${CONTAINER}/attach`, 'Containers_Attach'),
  pattern('GET', `${LOCATION}/cachedImages`, 'Location_ListCachedImages'),
  pattern('GET', `${LOCATION}/capabilities`, 'Location_ListCapabilities'),
  ...notModelled(`${IN_PROVIDER}/ngroups`, 'NGroups', { start: 'Start', stop: 'Stop', restart: 'Restart' }),
  ...notModelled(`${IN_PROVIDER}/containerGroupProfiles`, 'ContainerGroupProfiles', {}),
  pattern('GET', `${SUBSCRIPTION}${PROVIDER}/ngroups`, { notModelled: 'NGroups_List' }),
  pattern('GET', `${SUBSCRIPTION}${PROVIDER}/containerGroupProfiles`, {
    notModelled: 'ContainerGroupProfiles_ListBySubscription',
  }),
  pattern(
    'DELETE',
    `${SUBSCRIPTION}/resourceGroups/[^/]+/providers/Microsoft\\.Network/.*/serviceAssociationLinks/.*`,
    {
      notModelled: 'SubnetServiceAssociationLink_Delete',
    },
  ),
  pattern('GET', `${PROVIDER}/operations`, { notModelled: 'Operations_List' }),
];

/** Names of all operations of the resource provider that are known: served, and refused by name. */
export const operationNames = (): { readonly served: readonly string[]; readonly refused: readonly string[] } => ({
  served: PATTERNS.flatMap(({ operation }) => (typeof operation === 'string' ? [operation] : [])),
  refused: PATTERNS.flatMap(({ operation }) => (typeof operation === 'string' ? [] : [operation.notModelled])),
});

/** The operation, or the name of what is not modelled. */
export function routeOf(method: string, path: string): Route | { readonly notModelled: string } {
  for (const { method: wanted, path: expression, operation } of PATTERNS) {
    if (method !== wanted) continue;
    const match = expression.exec(path);
    if (!match) continue;
    if (typeof operation !== 'string') return operation;
    const parts = Object.fromEntries(
      Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]),
    );
    return { operation, subscriptionId: parts['subscriptionId'] ?? '', ...parts };
  }
  return { notModelled: `${method} ${path}` };
}

/** The resource id of the route's group in lower case. */
export function groupKey(route: Pick<Route, 'subscriptionId' | 'resourceGroup' | 'group'>): string {
  return `/subscriptions/${route.subscriptionId}/resourcegroups/${route.resourceGroup}/providers/microsoft.containerinstance/containergroups/${route.group}`.toLowerCase();
}
