/**
 * Answers the HTTP API of src/model/api.ts. One handler per path, which takes every method, so that a wrong one is refused with `Allow` instead of a
 * bare 404. Commands are accepted here and take effect behind the queue.
 */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { protectionText } from '../../decide/commands/plan-delete.ts';
import type { ApiInfo } from '../../model/api.ts';
import { keys } from '../../model/keys.ts';
import { namePattern } from '../../model/limits.ts';
import type { OperationRow } from '../../model/state.ts';
import { version } from '../../model/version.ts';
import { accept, announce, type Command, confirmation, type Refusal } from '../accept.ts';
import { checkDocument, type DocumentFault } from '../check-document.ts';
import { bodyOf, faultOf, imperative } from '../messages.ts';
import { planDocument } from '../plan-document.ts';
import type { CommandPorts } from '../ports.ts';
import { type ExecPorts, postExec } from './exec.ts';
import { listApps } from './list-apps.ts';
import { getLogs, type LogPorts } from './logs.ts';
import { openApiDocument } from './openapi.ts';
import { getPools, postPoolCommand } from './pools.ts';
import {
  readApplyQuery,
  readAppQuery,
  readConfirmation,
  readDocument,
  readEventQuery,
  readIdempotencyKey,
  refuseUnknown,
} from './request.ts';
import { json, noSuchApp, problem, unavailable } from './responses.ts';
import { getRevisions, getRollout, getRollouts } from './rollouts.ts';
import { getRuns } from './runs.ts';
import { deleteSecret, getSecrets, putSecret } from './secrets.ts';
import { appOf, eventsOf, operationOf } from './views.ts';
import { getWhy, type WhyPorts } from './why.ts';

type Handler = (request: HttpRequest) => Promise<HttpResponseInit>;

export interface HttpHandlers {
  /** `v1` */
  readonly info: Handler;
  /** `v1/openapi.json` */
  readonly openApi: Handler;
  /** `v1/pools` */
  readonly pools: Handler;
  /** `v1/pools/{pool}/commands` */
  readonly poolCommands: Handler;
  /** `v1/apps` */
  readonly apps: Handler;
  /** `v1/apps/{app}` */
  readonly app: Handler;
  /** `v1/apps/{app}/commands` */
  readonly commands: Handler;
  /** `v1/apps/{app}/operations/{id}` */
  readonly operation: Handler;
  /** `v1/apps/{app}/events` */
  readonly events: Handler;
  /** `v1/apps/{app}/replicas/{service}/{slot}` */
  readonly replica: Handler;
  /** `v1/apps/{app}/secrets` */
  readonly secrets: Handler;
  /** `v1/apps/{app}/secrets/{name}` */
  readonly secret: Handler;
  /** `v1/apps/{app}/logs` */
  readonly logs: Handler;
  /** `v1/apps/{app}/runs` */
  readonly runs: Handler;
  /** `v1/apps/{app}/exec` */
  readonly exec: Handler;
  /** `v1/apps/{app}/rollouts` */
  readonly rollouts: Handler;
  /** `v1/apps/{app}/rollouts/{rollout}` */
  readonly rollout: Handler;
  /** `v1/apps/{app}/revisions` */
  readonly revisions: Handler;
  /** Everything else below `v1`. */
  readonly unknown: Handler;
}

export function createHttpHandlers(
  ports: CommandPorts & LogPorts & ExecPorts & WhyPorts,
  installation: string,
): HttpHandlers {
  const info: ApiInfo = { name: 'flotilla', version, installation };
  const path = (methods: Readonly<Record<string, Handler>>): Handler => guarded(ports, dispatch(methods));
  return {
    info: path({ GET: withoutQuery(async () => json(200, info)) }),
    openApi: path({ GET: withoutQuery(async () => json(200, openApiDocument())) }),
    pools: path({ GET: withoutQuery(() => getPools(ports)) }),
    poolCommands: path({ POST: withoutQuery((request) => postPoolCommand(ports, request)) }),
    apps: path({ GET: (request) => getApps(ports, request.query) }),
    app: path({
      GET: withoutQuery((request) => getApp(ports, appParameter(request))),
      PUT: (request) => putApp(ports, appParameter(request), request),
      DELETE: (request) => deleteApp(ports, appParameter(request), request),
    }),
    commands: path({ POST: withoutQuery((request) => postCommand(ports, appParameter(request), request)) }),
    operation: path({ GET: withoutQuery((request) => getOperation(ports, request)) }),
    events: path({ GET: (request) => getEvents(ports, appParameter(request), request) }),
    replica: path({
      GET: withoutQuery((request) =>
        getWhy(ports, installation, {
          app: appParameter(request),
          service: request.params['service'] ?? '',
          slot: request.params['slot'] ?? '',
        }),
      ),
    }),
    secrets: path({ GET: withoutQuery((request) => getSecrets(ports, appParameter(request))) }),
    secret: path({
      PUT: (request) => putSecret(ports, appParameter(request), request),
      DELETE: withoutQuery((request) => deleteSecret(ports, appParameter(request), request.params['name'] ?? '')),
    }),
    logs: path({ GET: (request) => getLogs(ports, appParameter(request), request.query) }),
    runs: path({ GET: (request) => getRuns(ports, appParameter(request), request.query) }),
    exec: path({ POST: withoutQuery((request) => postExec(ports, appParameter(request), request)) }),
    rollouts: path({ GET: (request) => getRollouts(ports, appParameter(request), request.query) }),
    rollout: path({
      GET: withoutQuery((request) => getRollout(ports, appParameter(request), request.params['rollout'] ?? '')),
    }),
    revisions: path({ GET: (request) => getRevisions(ports, appParameter(request), request.query) }),
    unknown: guarded(ports, async ({ url }) => problem('notFound', `There is nothing at ${new URL(url).pathname}.`)),
  };
}

const dispatch =
  (methods: Readonly<Record<string, Handler>>): Handler =>
  async (request) => {
    const handler = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined;
    if (handler) return await handler(request);
    const allow = Object.keys(methods).join(', ');
    return problem('methodNotAllowed', `${request.method} is not possible here, only ${allow}.`, {
      headers: { allow },
    });
  };

/** A fault of ours is logged in full and told in general. */
const guarded =
  ({ log }: CommandPorts, handler: Handler): Handler =>
  async (request) => {
    try {
      return await handler(request);
    } catch (error) {
      log.error('A request failed.', { method: request.method, url: request.url, error: (error as Error).stack });
      return problem('internal', 'The request failed by a fault of Flotilla itself; its log says more.');
    }
  };

const withoutQuery =
  (handler: Handler): Handler =>
  async (request) =>
    refuseUnknown(request.query, []) ?? (await handler(request));

const appParameter = (request: HttpRequest): string => request.params['app'] ?? '';

async function getApps({ store }: CommandPorts, query: URLSearchParams): Promise<HttpResponseInit> {
  const page = readAppQuery(query);
  if (!page.ok) return page.error;
  const apps = await listApps(store, page.value);
  return apps.ok ? json(200, apps.value) : unavailable(apps.error);
}

async function getApp({ store, pools: readPools }: CommandPorts, app: string): Promise<HttpResponseInit> {
  if (!namePattern.test(app)) return noSuchApp(app);
  const [rows, pools] = await Promise.all([store.readApp(app), readPools()]);
  if (!rows.ok) return unavailable(rows.error);
  if (!pools.ok) return unavailable(pools.error);
  if (rows.value.app === null) return noSuchApp(app);
  return json(200, appOf({ ...rows.value, app: rows.value.app }, pools.value));
}

async function putApp(ports: CommandPorts, app: string, request: HttpRequest): Promise<HttpResponseInit> {
  const wish = readApplyQuery(request.query);
  if (!wish.ok) return wish.error;
  const { dryRun, plan } = wish.value;
  const key = readIdempotencyKey(request, ports.ids.next);
  if (!key.ok) return key.error;
  const document = await readDocument(request);
  if (!document.ok) return document.error;
  if (!namePattern.test(app)) return badName(app);
  if (dryRun) return await preview(ports, app, document.value);
  return await run(ports, { app, command: 'apply', document: document.value, idempotencyKey: key.value, plan });
}

async function deleteApp(ports: CommandPorts, app: string, request: HttpRequest): Promise<HttpResponseInit> {
  const confirm = readConfirmation(request.query);
  if (!confirm.ok) return confirm.error;
  const key = readIdempotencyKey(request, ports.ids.next);
  if (!key.ok) return key.error;
  if (!namePattern.test(app)) return noSuchApp(app);
  return await run(ports, { app, command: 'delete', document: confirmation(confirm.value), idempotencyKey: key.value });
}

async function postCommand(ports: CommandPorts, app: string, request: HttpRequest): Promise<HttpResponseInit> {
  const key = readIdempotencyKey(request, ports.ids.next);
  if (!key.ok) return key.error;
  const body = await readDocument(request);
  if (!body.ok) return body.error;
  if (!namePattern.test(app)) return noSuchApp(app);
  const command = imperative.safeParse(body.value);
  if (!command.success) return badCommand(command.error.issues.map(faultOf));
  const document = bodyOf(command.data);
  return await run(ports, { app, command: command.data.command, document, idempotencyKey: key.value });
}

const badCommand = (faults: readonly { readonly path: string; readonly problem: string }[]): HttpResponseInit =>
  problem('invalidDocument', `InvalidMessage: the command has ${faults.length} faults.`, {
    problems: faults.map(({ path, problem: fault }) => ({
      severity: 'error',
      path,
      problem: `${fault}.`,
      remedy:
        'Send {"command": "scale", "services": {"web": 3}}, or restart, stop, start, freeze, thaw, replaceReplica, forgetReplica, pause, resume, promote, abort, undo, run or cancel.',
    })),
  });

/** Changes nothing: what would `PUT` do. */
async function preview(ports: CommandPorts, app: string, document: unknown): Promise<HttpResponseInit> {
  const checked = await checkDocument(ports, app, document, 'preview');
  if (!checked.ok) return refusedDocument(checked.error);
  const [rows, pools] = await Promise.all([ports.store.readApp(app), ports.pools()]);
  if (!rows.ok) return unavailable(rows.error);
  if (!pools.ok) return unavailable(pools.error);
  return json(200, planDocument(app, rows.value, pools.value, checked.value, ports.now()));
}

async function run(ports: CommandPorts, command: Command): Promise<HttpResponseInit> {
  const accepted = await accept(ports, command);
  if (!accepted.ok) return refused(command.app, accepted.error);
  const operation = accepted.value;
  const isOpen = operation.state === 'accepted';
  if (isOpen) await announce(ports, operation);
  return json(isOpen ? 202 : 200, operationOf(operation), {
    location: `/api/v1/apps/${command.app}/operations/${operation.id}`,
    'idempotency-key': command.idempotencyKey,
    ...(isOpen && { 'retry-after': '1' }),
  });
}

function refused(app: string, refusal: Refusal): HttpResponseInit {
  switch (refusal.kind) {
    case 'appNotFound':
      return noSuchApp(app);
    case 'protected':
      return problem('protected', protectionText(app));
    case 'planOutdated':
      return problem(
        'planOutdated',
        `Since that plan was made, ${app}, its replicas, the document or what the pools offer has changed. Make a new plan.`,
      );
    case 'keyReused': {
      const detail = `This Idempotency-Key belongs to operation ${refusal.operationId}, another command of ${app}.`;
      return problem('keyReused', detail);
    }
    default:
      return refusedDocument(refusal);
  }
}

function refusedDocument(fault: DocumentFault | Extract<Refusal, { kind: 'invalid' | 'port' }>): HttpResponseInit {
  if (fault.kind === 'port') return unavailable(fault.error);
  const errors = fault.problems.filter(({ severity }) => severity === 'error').length;
  const detail = `${fault.reason}: the document has ${errors} ${errors === 1 ? 'fault' : 'faults'}.`;
  return problem('invalidDocument', detail, { problems: fault.problems });
}

const badName = (app: string): HttpResponseInit =>
  problem('invalidDocument', 'InvalidDocument: the path does not hold an app name.', {
    problems: [
      {
        severity: 'error',
        path: 'name',
        problem: `«${app}» is not an app name.`,
        remedy: 'Use 1 to 40 of a-z, 0-9 and -, with a letter or digit at both ends.',
      },
    ],
  });

async function getOperation({ store }: CommandPorts, request: HttpRequest): Promise<HttpResponseInit> {
  const app = appParameter(request);
  const id = request.params['id'] ?? '';
  const none = problem('notFound', `There is no operation «${id}» of app «${app}»; they are kept for 7 days.`);
  if (!namePattern.test(app) || !/^[0-9a-f]{32}$/.test(id)) return none;
  const operation = await store.read<OperationRow>(keys.operation(app, id));
  if (!operation.ok) return unavailable(operation.error);
  if (operation.value === null) return none;
  const headers: Record<string, string> = operation.value.state === 'accepted' ? { 'retry-after': '1' } : {};
  return json(200, operationOf(operation.value), headers);
}

async function getEvents({ store }: CommandPorts, app: string, request: HttpRequest): Promise<HttpResponseInit> {
  const query = readEventQuery(request.query);
  if (!query.ok) return query.error;
  if (!namePattern.test(app)) return noSuchApp(app);
  const [row, events] = await Promise.all([store.read(keys.app(app)), store.readEvents(app, query.value)]);
  if (!row.ok) return unavailable(row.error);
  if (!events.ok) return unavailable(events.error);
  return row.value === null ? noSuchApp(app) : json(200, eventsOf(events.value));
}
