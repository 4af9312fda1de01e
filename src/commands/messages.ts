/**
 * Commands as other systems give them, by the queue or by HTTP: the same schemas for both. And what arrives on the queue besides: our own hints.
 * Strict: what is not understood is refused.
 */
import { z } from 'zod';
import { defaults } from '../model/defaults.ts';
import { limits, namePattern } from '../model/limits.ts';
import type { CommandOutcome } from '../model/outcome.ts';
import { err, ok, type Result } from '../model/result.ts';
import { runIdPattern } from '../model/run.ts';

const app = z.string().regex(namePattern, 'must be an app name').describe('Name of the app.');
/** Printable ASCII without blanks, as for the HTTP header. */
export const idempotencyKeyPattern = /^[\x21-\x7e]{1,128}$/;
const idempotencyKey = z
  .string()
  .regex(idempotencyKeyPattern, 'must be 1-128 printable ASCII characters')
  .describe(
    'Chosen by the sender. The same command sent again under it takes effect once; another one under it is rejected.',
  );

const hint = z.strictObject({ app, operationId: z.string().regex(/^[0-9a-f]{32}$/, 'must be an operation id') });
const service = z.string().regex(namePattern, 'must be a service name');
const replicas = z.int().min(0).max(limits.replicasPerService);
/** Left out = all services of the app. */
const services = z.array(service).min(1).max(limits.servicesPerApp).optional();

const scale = z.strictObject({
  command: z.literal('scale'),
  services: z.record(service, replicas).refine((named) => Object.keys(named).length > 0, 'must name a service'),
});
const restart = z.strictObject({ command: z.literal('restart'), services });
const stop = z.strictObject({ command: z.literal('stop'), services });
const start = z.strictObject({ command: z.literal('start'), services });
const pause = z.strictObject({ command: z.literal('pause'), services });
const resume = z.strictObject({ command: z.literal('resume'), services });
const promote = z.strictObject({ command: z.literal('promote'), services });
const abort = z.strictObject({ command: z.literal('abort'), services });
const undo = z
  .strictObject({
    command: z.literal('undo'),
    services,
    to: z
      .int()
      .min(1)
      .optional()
      .describe('Revision to go to, of one service. Left out: the last verified one before.'),
  })
  .refine(({ services: named, to }) => to === undefined || named?.length === 1, {
    path: ['to'],
    message: 'is a revision of one service: name it in services',
  });
const freeze = z.strictObject({ command: z.literal('freeze') });
const thaw = z.strictObject({ command: z.literal('thaw') });
const replica = z
  .strictObject({
    service,
    slot: z.int().min(0).max(limits.replicasPerService),
    incarnation: z.int().min(1),
  })
  .describe('One replica; its incarnation, so that a command that comes late does not hit its successor.');
const replaceReplica = z.strictObject({ command: z.literal('replaceReplica'), replica });
const forgetReplica = z.strictObject({ command: z.literal('forgetReplica'), replica });

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const run = z.strictObject({
  command: z.literal('run'),
  service: service.describe(
    'What is run is its newest revision: image, environment, secrets, volumes, size and places.',
  ),
  program: z
    .array(z.string().max(limits.runBytes))
    .max(200)
    .optional()
    .describe('Replaces ENTRYPOINT and CMD of the image. Left out: what the service runs.'),
  environment: z
    .record(z.string().regex(variableName, 'must be the name of a variable'), z.string())
    .optional()
    .describe('Over that of the service. Values are kept in the table: give secrets to the service instead.'),
  name: z.string().regex(namePattern, 'must be a name').optional().describe('For people; it need not be unique.'),
  timeoutMs: z
    .int()
    .min(1_000)
    .max(limits.runMs)
    .optional()
    .describe(`From its acceptance; then it is ended. Default: ${defaults.runTimeoutMs}.`),
});
const cancel = z.strictObject({
  command: z.literal('cancel'),
  run: z.string().regex(runIdPattern, 'must be the id of a run, such as web.7'),
});

export type RunBody = Omit<z.infer<typeof run>, 'command'>;
export type CancelBody = Omit<z.infer<typeof cancel>, 'command'>;

/** What `POST …/apps/{app}/commands` takes: the app is in the path, the key in a header. */
export const imperative = z.discriminatedUnion('command', [
  scale,
  restart,
  stop,
  start,
  freeze,
  thaw,
  replaceReplica,
  forgetReplica,
  pause,
  resume,
  promote,
  abort,
  undo,
  run,
  cancel,
]);
export type Imperative = z.infer<typeof imperative>;
export type ReplicaBody = Pick<z.infer<typeof forgetReplica>, 'replica'>;
export type ScaleBody = Pick<z.infer<typeof scale>, 'services'>;

const address = { app, idempotencyKey };
/** What other systems may send; `docs/schemas/command.json` is generated from it. */
export const wholeCommand = z.discriminatedUnion('command', [
  z.strictObject({
    command: z.literal('apply'),
    ...address,
    document: z.unknown().describe('The app document: what `flotilla config` prints, as JSON. Its `name` is the app.'),
  }),
  z.strictObject({
    command: z.literal('delete'),
    ...address,
    confirm: z
      .string()
      .max(64)
      .optional()
      .describe('Name of the app once more; an app with `x-flotilla.protected: true` is not deleted without it.'),
  }),
  scale.extend(address),
  restart.extend(address),
  stop.extend(address),
  start.extend(address),
  freeze.extend(address),
  thaw.extend(address),
  replaceReplica.extend(address),
  forgetReplica.extend(address),
  pause.extend(address),
  resume.extend(address),
  promote.extend(address),
  abort.extend(address),
  undo.safeExtend(address),
  run.extend(address),
  cancel.extend(address),
]);
/** Enough of a malformed command to record it in an operation that its sender can ask for. */
const addressed = z.object({ app, idempotencyKey });

type Hint = z.infer<typeof hint>;
export type WholeCommand = z.infer<typeof wholeCommand>;

export type Message =
  | { readonly kind: 'hint'; readonly hint: Hint }
  | { readonly kind: 'command'; readonly command: WholeCommand };

export interface Poison {
  /** What is wrong with it, without its values: they may be secret. */
  readonly faults: readonly { readonly path: string; readonly problem: string }[];
  readonly addressed: { readonly app: string; readonly idempotencyKey: string } | null;
}

/** `body` as the trigger hands it over: an object, or text that was not JSON. */
export function readMessage(body: unknown): Result<Message, Poison> {
  const isCommand = typeof body === 'object' && body !== null && !('operationId' in body);
  const parsed = isCommand ? wholeCommand.safeParse(body) : hint.safeParse(body);
  if (!parsed.success) {
    const address = addressed.safeParse(body);
    return err({ faults: parsed.error.issues.map(faultOf), addressed: address.success ? address.data : null });
  }
  return ok(
    'operationId' in parsed.data ? { kind: 'hint', hint: parsed.data } : { kind: 'command', command: parsed.data },
  );
}

/** What an operation keeps of a command until it is applied. */
export function bodyOf(command: WholeCommand | Imperative): unknown {
  if (command.command === 'apply') return command.document;
  const { command: _, app: _app, idempotencyKey: _key, ...body } = command as Readonly<Record<string, unknown>>;
  const said = Object.entries(body).filter(([, value]) => value !== undefined);
  return said.length === 0 ? null : Object.fromEntries(said);
}

export const faultOf = ({ path, message }: z.core.$ZodIssue) => ({
  path: path.map(String).join('.'),
  problem: message,
});

/** What the sender of a command is told; `docs/schemas/outcome.json` is generated from it. */
export const commandOutcome = z.strictObject({
  app: z.string().nullable().describe('null: the message named no app that could be read.'),
  operationId: z
    .string()
    .nullable()
    .describe('For `GET /api/v1/apps/{app}/operations/{id}`. null: the command has no operation of its own.'),
  state: z
    .enum(['applied', 'rejected', 'superseded'])
    .describe(
      'applied: it took effect. rejected: it has no effect. superseded: a command accepted later took effect first, so this one never will.',
    ),
  generation: z.int().nullable().describe('App generation that the command made; null unless it was applied.'),
  reason: z.string().nullable().describe('Why it was not applied, a stable PascalCase word; null when it was.'),
  problems: z
    .array(
      z.strictObject({
        severity: z.enum(['error', 'warning']),
        path: z.string().describe('Place in the document, `services.web.ports[0]`; empty for all of it.'),
        problem: z.string(),
        remedy: z.string(),
      }),
    )
    .max(100)
    .readonly(),
  problemsOmitted: z.int().min(0).describe('How many more problems there are.'),
}) satisfies z.ZodType<CommandOutcome>;
