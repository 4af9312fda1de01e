/** HTTP API: paths and handlers. Every path wants a key, and takes every method, so that the handler refuses a wrong one with `Allow`. */
import { app, type HttpMethod } from '@azure/functions';
import { flotilla } from '../src/wiring.ts';

const methods: HttpMethod[] = ['GET', 'PUT', 'DELETE', 'POST', 'PATCH', 'HEAD', 'OPTIONS'];
const common = { methods, authLevel: 'function' } as const;

app.http('apiInfo', { ...common, route: 'v1', handler: (request) => flotilla().http.info(request) });
app.http('apiOpenApi', {
  ...common,
  route: 'v1/openapi.json',
  handler: (request) => flotilla().http.openApi(request),
});
app.http('apiPools', { ...common, route: 'v1/pools', handler: (request) => flotilla().http.pools(request) });
app.http('apiPoolCommands', {
  ...common,
  route: 'v1/pools/{pool}/commands',
  handler: (request) => flotilla().http.poolCommands(request),
});
app.http('apiApps', { ...common, route: 'v1/apps', handler: (request) => flotilla().http.apps(request) });
app.http('apiApp', { ...common, route: 'v1/apps/{app}', handler: (request) => flotilla().http.app(request) });
app.http('apiCommands', {
  ...common,
  route: 'v1/apps/{app}/commands',
  handler: (request) => flotilla().http.commands(request),
});
app.http('apiOperation', {
  ...common,
  route: 'v1/apps/{app}/operations/{id}',
  handler: (request) => flotilla().http.operation(request),
});
app.http('apiEvents', {
  ...common,
  route: 'v1/apps/{app}/events',
  handler: (request) => flotilla().http.events(request),
});
app.http('apiLogs', {
  ...common,
  route: 'v1/apps/{app}/logs',
  handler: (request) => flotilla().http.logs(request),
});
app.http('apiExec', {
  ...common,
  route: 'v1/apps/{app}/exec',
  handler: (request) => flotilla().http.exec(request),
});
app.http('apiReplica', {
  ...common,
  route: 'v1/apps/{app}/replicas/{service}/{slot}',
  handler: (request) => flotilla().http.replica(request),
});
app.http('apiRollouts', {
  ...common,
  route: 'v1/apps/{app}/rollouts',
  handler: (request) => flotilla().http.rollouts(request),
});
app.http('apiRollout', {
  ...common,
  route: 'v1/apps/{app}/rollouts/{rollout}',
  handler: (request) => flotilla().http.rollout(request),
});
app.http('apiRevisions', {
  ...common,
  route: 'v1/apps/{app}/revisions',
  handler: (request) => flotilla().http.revisions(request),
});
app.http('apiRuns', {
  ...common,
  route: 'v1/apps/{app}/runs',
  handler: (request) => flotilla().http.runs(request),
});
app.http('apiSecrets', {
  ...common,
  route: 'v1/apps/{app}/secrets',
  handler: (request) => flotilla().http.secrets(request),
});
app.http('apiSecret', {
  ...common,
  route: 'v1/apps/{app}/secrets/{name}',
  handler: (request) => flotilla().http.secret(request),
});
app.http('apiUnknown', { ...common, route: 'v1/{*rest}', handler: (request) => flotilla().http.unknown(request) });
