/**
 * The resources of src/model/api.ts as schemas, for the OpenAPI document and for whoever checks what an API answers. The compiler holds both against each
 * other: a field that stands in only one of them does not compile.
 */
import { z } from 'zod';
import type * as api from './api.ts';
import { commandNames } from './state.ts';

const text = z.string();
const maybe = text.nullable();
const count = z.int().min(0);
const instant = z.string().meta({ format: 'date-time', description: 'ISO 8601' });

const problemSchema = z.object({
  severity: z.enum(['error', 'warning']),
  path: text.meta({ description: 'Place in the document: `services.web.ports[0]`.' }),
  problem: text,
  remedy: text,
  file: text.exactOptional(),
  line: z.int().exactOptional(),
  column: z.int().exactOptional(),
});

const apiInfo = z.object({ name: z.literal('flotilla'), version: text, installation: text });

const apiProblem = z.object({
  type: text,
  title: text,
  status: z.int(),
  detail: text,
  problems: z.array(problemSchema).exactOptional(),
});

const operationResource = z.object({
  id: text,
  app: text,
  seq: count,
  command: z.enum(commandNames),
  state: z.enum(['accepted', 'applied', 'rejected', 'superseded']),
  generation: count.nullable(),
  reason: maybe,
  problems: z.array(problemSchema),
  acceptedAt: instant,
  finishedAt: instant.nullable(),
});

const change = z.enum(['added', 'removed', 'revised', 'scaled', 'unchanged']);
const side = z.object({ revision: count, image: maybe, replicas: count });

const servicePlan = z.object({
  service: text,
  change,
  from: side.nullable(),
  to: side.nullable(),
  fields: z.array(z.object({ field: text, from: maybe, to: maybe })),
  keep: count,
  replace: count,
  remove: count,
  create: count,
  reasons: z.array(z.object({ reason: text, count })),
  notes: z.array(text),
});

const room = z.object({ groups: z.number(), cores: z.number() });
const forecast = z.object({
  durationMs: z.number().nullable(),
  services: z.array(z.object({ service: text, lowestReady: count, startMs: z.number(), startMeasured: z.boolean() })),
  pools: z.array(z.object({ pool: text, create: count, delete: count, peak: room, quota: room })),
  costPerHour: z.object({ before: z.number(), peak: z.number(), after: z.number() }).nullable(),
  waits: z.array(z.object({ service: text, reason: maybe, message: maybe })),
});

const applyPreview = z.object({
  id: text,
  app: text,
  changes: z.array(z.object({ service: text, change, fields: z.array(text) })),
  services: z.array(servicePlan),
  warnings: z.array(problemSchema),
  pending: count,
  forecast,
});

const appSummary = z.object({
  name: text,
  state: z.enum(['active', 'deleting', 'deleted']),
  generation: count,
  observedGeneration: count,
  converged: z.boolean(),
  frozen: z.boolean(),
  stopped: z.boolean(),
  services: count,
  ready: count,
  desired: count,
});

const replicaState = z.enum([
  'planned',
  'creating',
  'starting',
  'ready',
  'unready',
  'lost',
  'failed',
  'draining',
  'deleting',
  'gone',
]);

const replicaResource = z.object({
  slot: count,
  incarnation: count,
  revision: count,
  state: replicaState,
  since: instant,
  reason: maybe,
  message: maybe,
  pool: text,
  region: maybe,
  group: text,
  addresses: z.array(text),
  restartCount: count,
  logTail: maybe,
});

const rolloutSummary = z.object({
  id: text,
  service: text,
  purpose: z.enum(['deploy', 'rollback', 'undo']),
  from: count.nullable(),
  to: count,
  strategy: text,
  phase: z.enum(['progressing', 'baking', 'paused', 'succeeded', 'failed', 'aborted', 'superseded']),
  reason: maybe,
  message: maybe,
  cause: text,
  why: text,
  generation: count,
  startedAt: instant,
  endedAt: instant.nullable(),
  desired: count,
  ready: count,
  old: count,
  failed: count,
  strikes: count,
  successor: maybe,
});

const rolloutResource = rolloutSummary.extend({
  failures: z.array(z.object({ at: instant, replica: text, reason: maybe, message: maybe, restarts: count })),
  decisions: z.array(
    z.object({
      at: instant,
      what: text,
      because: text,
      facts: z.object({
        desired: count,
        fresh: count,
        ready: count,
        old: count,
        failed: count,
        strikes: count,
        step: count,
      }),
    }),
  ),
});
const rolloutList = z.object({ rollouts: z.array(rolloutSummary) });

const revisionList = z.object({
  revisions: z.array(
    z.object({
      service: text,
      revision: count,
      image: text,
      createdAt: instant,
      cause: maybe,
      isCurrent: z.boolean(),
      verifiedAt: instant.nullable(),
      rolledBackAt: instant.nullable(),
      fields: z.record(text, text),
    }),
  ),
});

const serviceResource = z.object({
  name: text,
  image: maybe,
  revision: count,
  desired: count,
  ready: count,
  converged: z.boolean(),
  removed: z.boolean(),
  stopped: z.boolean(),
  scaledTo: count.nullable(),
  reason: maybe,
  message: maybe,
  workflow: maybe,
  rollout: rolloutSummary.nullable(),
  replicas: z.array(replicaResource),
});

const appList = z.object({ apps: z.array(appSummary), next: maybe });
const appResource = appSummary.extend({
  serviceList: z.array(serviceResource),
  pendingOperations: z.array(text),
});

const why = z.object({
  app: text,
  service: text,
  slot: count,
  incarnation: count,
  state: replicaState,
  since: instant,
  reason: maybe,
  message: maybe,
  pool: text,
  group: text,
  evidence: z.array(z.object({ at: instant, source: z.enum(['read', 'probe', 'group', 'row', 'event']), text })),
  sees: text,
  because: text,
  next: z.array(z.object({ what: text, at: instant.nullable() })),
  workflow: z.object({ id: text, wakeAt: instant.nullable() }).nullable(),
});
const runResource = z.object({
  id: text,
  service: text,
  name: maybe,
  operation: text,
  revision: count,
  state: z.enum(['waiting', 'starting', 'running', 'succeeded', 'failed']),
  exitCode: z.int().nullable(),
  reason: maybe,
  message: maybe,
  pool: maybe,
  group: maybe,
  createdAt: instant,
  startedAt: instant.nullable(),
  endedAt: instant.nullable(),
  deadlineAt: instant,
  cleanedUp: z.boolean(),
});
const runList = z.object({ runs: z.array(runResource) });

const logList = z.object({
  logs: z.array(
    z.object({
      service: text,
      slot: count,
      incarnation: count,
      container: text,
      state: replicaState,
      lines: z.array(z.object({ at: maybe, text })),
      truncated: z.boolean(),
      problem: maybe,
      retryAfterMs: z.number().nullable(),
    }),
  ),
  omitted: count,
});

const execResource = z.object({
  service: text,
  slot: count,
  incarnation: count,
  container: text,
  state: replicaState,
  webSocketUri: text.meta({
    description: 'Of ACI. Connect, send `password` as the first frame; typed and shown bytes follow.',
  }),
  password: text.meta({ description: 'A secret, good for one connection.' }),
});

const secretResource = z.object({
  kind: z.enum(['secret', 'config']),
  name: text,
  version: text,
  newest: z.boolean(),
  sizeBytes: count,
  managed: z.boolean(),
  setAt: instant,
  usedBy: z.array(text),
});
const secretRemoval = z.object({ removed: count });

const poolResource = z.object({
  name: text,
  kind: z.literal('aci'),
  region: text,
  quota: room,
  used: room,
  labels: z.record(text, text),
  price: z.object({ coreHour: z.number(), gibHour: z.number() }).nullable(),
  cordoned: z.boolean(),
  draining: z.boolean(),
  reason: maybe,
  message: maybe,
});

const eventResource = z.object({
  at: instant,
  // New types are added now and then: a client must not choke on one.
  type: text.meta({ description: 'PascalCase, in the past tense; new ones may be added.' }),
  service: maybe,
  replica: maybe,
  reason: maybe,
  message: text,
  cause: text,
});
const eventList = z.object({ events: z.array(eventResource), newest: maybe, oldest: maybe });

/** By the names that the OpenAPI document gives them. */
export const resourceSchemas = {
  ApiInfo: apiInfo,
  Problem: apiProblem,
  Operation: operationResource,
  ApplyPreview: applyPreview,
  AppList: appList,
  App: appResource,
  Why: why,
  RunList: runList,
  LogList: logList,
  ExecSession: execResource,
  Secret: secretResource,
  SecretRemoval: secretRemoval,
  Pool: poolResource,
  EventList: eventList,
  RolloutList: rolloutList,
  Rollout: rolloutResource,
  RevisionList: revisionList,
} as const satisfies Readonly<Record<string, z.ZodType>>;

/** Names of the resources that operations answer with. */
export type ResourceName = keyof typeof resourceSchemas;

type DeepReadonly<T> = T extends readonly (infer U)[]
  ? readonly DeepReadonly<U>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : { extra: B }) : { wrong: A };
type Fits<S extends z.ZodType, R> = Same<DeepReadonly<z.output<S>>, R>;

type Loose<E extends { readonly type: unknown }> = Omit<E, 'type'> & { readonly type: string };

/** Compiles only while every schema describes exactly its resource. */
type Checked = readonly [
  Fits<typeof apiInfo, api.ApiInfo>,
  Fits<typeof apiProblem, api.ApiProblem>,
  Fits<typeof operationResource, api.OperationResource>,
  Fits<typeof applyPreview, api.ApplyPreview>,
  Fits<typeof appList, api.AppList>,
  Fits<typeof appResource, api.AppResource>,
  Fits<typeof why, api.WhyResource>,
  Fits<typeof runList, api.RunList>,
  Fits<typeof logList, api.LogList>,
  Fits<typeof execResource, api.ExecResource>,
  Fits<typeof secretResource, api.SecretResource>,
  Fits<typeof secretRemoval, api.SecretRemoval>,
  Fits<typeof poolResource, api.PoolResource>,
  Fits<typeof rolloutList, api.RolloutList>,
  Fits<typeof rolloutResource, api.RolloutResource>,
  Fits<typeof revisionList, api.RevisionList>,
  Fits<typeof eventResource, Loose<api.EventResource>>,
];
true satisfies Checked extends readonly true[] ? true : Checked;
