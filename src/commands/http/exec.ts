/**
 * `POST …/exec`: a terminal inside a running replica. ACI answers with an address and a password; the client connects there by itself. The password
 * leaves only with an audit event that is committed before, and stands nowhere but in the answer.
 */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { z } from 'zod';
import { pickExecTarget } from '../../decide/exec-target.ts';
import type { ExecRequest, ExecResource } from '../../model/api.ts';
import { keys } from '../../model/keys.ts';
import { namePattern } from '../../model/limits.ts';
import type { Problem } from '../../model/problem.ts';
import { ok, type Result } from '../../model/result.ts';
import { isRun } from '../../model/run.ts';
import type { EventRow, ReplicaRow } from '../../model/state.ts';
import type { ContainerGroups, ExecSession } from '../../ports/container-groups.ts';
import type { PortError } from '../../ports/errors.ts';
import { faultOf } from '../messages.ts';
import type { CommandPorts } from '../ports.ts';
import { readDocument } from './request.ts';
import { json, noSuchApp, problem, unavailable } from './responses.ts';

export interface ExecPorts extends Pick<CommandPorts, 'store' | 'pools' | 'now' | 'ids'> {
  readonly groups: Pick<ContainerGroups, 'exec'>;
}

const length = z.int().min(1).max(65_535);

/** What `POST …/apps/{app}/exec` takes. */
export const execRequest = z.strictObject({
  service: z.string().regex(namePattern, 'must be a service name'),
  slot: z.int().min(0).max(9999).exactOptional(),
  container: z.string().min(1).max(63).exactOptional(),
  command: z
    .string()
    .max(1024)
    .regex(/^\S+$/, 'must be one program without arguments or blanks')
    .describe('Path or name of one program: ACI passes it no arguments.'),
  terminalSize: z
    .strictObject({ rows: length, cols: length })
    .exactOptional()
    .describe('For as long as the program runs: ACI has no way to change it.'),
}) satisfies z.ZodType<ExecRequest>;

export async function postExec(ports: ExecPorts, app: string, request: HttpRequest): Promise<HttpResponseInit> {
  const body = await readDocument(request);
  if (!body.ok) return body.error;
  const asked = execRequest.safeParse(body.value);
  if (!asked.success) return refusedRequest(asked.error.issues.map(faultOf));
  if (!namePattern.test(app)) return noSuchApp(app);
  const { service, slot = null, container = service, command, terminalSize } = asked.data;
  const [rows, pools] = await Promise.all([ports.store.readService(app, service), ports.pools()]);
  if (!rows.ok) return unavailable(rows.error);
  if (!pools.ok) return unavailable(pools.error);
  if (rows.value.app === null) return noSuchApp(app);
  const services = rows.value.guards.filter(({ removed }) => !removed).map((guard) => guard.service);
  if (!rows.value.guards.some((guard) => guard.service === service))
    return problem(
      'notFound',
      `The app ${app} has no service «${service}»; services: ${services.join(', ') || 'none'}.`,
    );
  const target = pickExecTarget(
    service,
    rows.value.replicas.filter((row) => !isRun(row)),
    slot,
  );
  if (!target.ok)
    return target.error.kind === 'noSuchSlot'
      ? problem('notFound', target.error.detail)
      : problem('notRunning', `${target.error.detail} ${whatElse(app, service)}`);
  const replica = target.value;
  const pool = pools.value.find((one) => one.pool === replica.pool);
  if (pool === undefined) return problem('notRunning', `Its pool ${replica.pool} is not configured any more.`);
  const session = await ports.groups.exec(pool, replica.group, container, {
    program: command,
    ...(terminalSize && { size: terminalSize }),
  });
  if (!session.ok) return refusedByArm(session.error, replica, container);
  const told = await tell(ports, replica, `${command} in container ${container} ${askedBy(request)}`);
  if (!told.ok) return unavailable(told.error);
  return json(200, answerOf(replica, container, session.value));
}

const answerOf = (
  { service, slot, incarnation, state }: ReplicaRow,
  container: string,
  { webSocketUri, password }: ExecSession,
): ExecResource => ({ service, slot, incarnation, container, state, webSocketUri, password });

const whatElse = (app: string, service: string): string =>
  `\`flotilla ps ${app}\` says why; \`flotilla logs ${app}.${service} --previous\` shows what one that is gone printed.`;

function refusedRequest(faults: readonly { readonly path: string; readonly problem: string }[]): HttpResponseInit {
  const problems = faults.map(
    ({ path, problem: fault }): Problem => ({
      severity: 'error',
      path,
      problem: `${fault}.`,
      remedy:
        path === 'command'
          ? 'Start a shell, `sh`, and type the line there, or pipe it in.'
          : 'Send {"service": "web", "command": "sh"}, and where wanted slot, container, terminalSize {rows, cols}.',
    }),
  );
  return problem('invalidDocument', `InvalidMessage: the request has ${faults.length} faults.`, { problems });
}

function refusedByArm(error: PortError, { service, slot, group }: ReplicaRow, container: string): HttpResponseInit {
  const { kind, code, message } = error;
  const replica = `${service}.${slot}`;
  if (code === 'ContainerNotFound')
    return problem('notFound', `${replica} has no container «${container}»; there is ${service}.`);
  if (kind === 'NotFound') return problem('notRunning', `The container group ${group} of ${replica} is gone.`);
  if (kind === 'Conflict') return problem('notRunning', `ARM refuses a terminal in ${replica}: ${message}`);
  if (kind === 'Invalid')
    return problem('invalidDocument', `InvalidMessage: ARM refuses the program.`, {
      problems: [{ severity: 'error', path: 'command', problem: message, remedy: 'Name another program, such as sh.' }],
    });
  return unavailable(error);
}

/** Written before the password leaves: who cannot be told of does not get in. */
async function tell(ports: ExecPorts, replica: ReplicaRow, what: string): Promise<Result<void, PortError>> {
  const { app, service, slot, incarnation } = replica;
  const [txId, at] = [ports.ids.next(), ports.now()];
  const row: EventRow = {
    kind: 'event',
    app,
    at,
    txId,
    n: 0,
    type: 'ExecOpened',
    service,
    replica: `${service}/${slot}/${incarnation}`,
    reason: null,
    message: `A terminal was opened: ${what}.`,
    cause: 'exec',
  };
  const changes = [{ type: 'insert', row } as const];
  const written = await ports.store.commit({ txId, changes, witness: keys.event(app, at, txId, 0) });
  return written.ok ? ok(undefined) : written;
}

/**
 * Whom Azure's front end says the request is from: the name where Easy Auth has checked one, and the address, which it adds behind those that the
 * client may have made up.
 */
function askedBy({ headers }: HttpRequest): string {
  const name = printable(headers.get('x-ms-client-principal-name'));
  const address = printable(headers.get('x-forwarded-for')?.split(',').at(-1) ?? null);
  return `by ${name || 'a client with a key of the API'}${address ? ` from ${address}` : ''}`;
}

const printable = (text: string | null): string =>
  (text ?? '')
    .replace(/[^\x20-\x7e]/g, '')
    .trim()
    .slice(0, 100);
