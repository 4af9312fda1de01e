/** Every operation of the API as data: path, method, what it takes and what it answers. The OpenAPI document follows from it. */
import type { ResourceName } from '../../model/api-schemas.ts';

export interface Operation {
  /** Below `/api/v1`; the API itself is `/`. */
  readonly path: string;
  readonly method: 'get' | 'put' | 'post' | 'delete';
  readonly id: string;
  readonly summary: string;
  readonly query?: readonly QueryParameter[];
  readonly body?: 'document' | 'command' | 'poolCommand' | 'exec' | 'bytes';
  /** Takes an Idempotency-Key. */
  readonly key?: true;
  readonly answers: readonly {
    readonly status: number;
    readonly text: string;
    /** Several = one of them. */
    readonly resource: ResourceName | readonly ResourceName[] | null;
    readonly many?: true;
  }[];
  /** Beside those that every operation may give. */
  readonly refusals: readonly number[];
}

export interface QueryParameter {
  readonly name: string;
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

const one = (resource: ResourceName, text: string) => [{ status: 200, text, resource }] as const;
const many = (resource: ResourceName, text: string) => [{ status: 200, text, resource, many: true }] as const;
/** 200 where the same command was sent before and is concluded. */
const accepted = [
  { status: 202, text: 'Accepted; `Location` is its operation.', resource: 'Operation' },
  { status: 200, text: 'The same command was concluded before.', resource: 'Operation' },
] as const;

const count = (name: string, max: number, standard: number, description: string): QueryParameter => ({
  name,
  description,
  schema: { type: 'integer', minimum: 1, maximum: max, default: standard },
});
const flag = (name: string, description: string): QueryParameter => ({
  name,
  description,
  schema: { type: 'boolean', default: false },
});
const words = (name: string, description: string): QueryParameter => ({
  name,
  description,
  schema: { type: 'string' },
});

export const operations: readonly Operation[] = [
  {
    path: '/',
    method: 'get',
    id: 'getInfo',
    summary: 'What answers here, and in which version.',
    answers: one('ApiInfo', 'The installation.'),
    refusals: [400],
  },
  {
    path: '/openapi.json',
    method: 'get',
    id: 'getOpenApi',
    summary: 'This document.',
    answers: [{ status: 200, text: 'OpenAPI 3.1.', resource: null }],
    refusals: [400],
  },
  {
    path: '/pools',
    method: 'get',
    id: 'listPools',
    summary: 'Where container groups can be placed, and what is left of it.',
    answers: many('Pool', 'In the order of preference.'),
    refusals: [400],
  },
  {
    path: '/pools/{pool}/commands',
    method: 'post',
    id: 'commandPool',
    summary: 'Cordon, uncordon or drain a pool. Saying it twice is saying it once.',
    body: 'poolCommand',
    answers: one('Pool', 'As it is from now on.'),
    refusals: [400, 404, 413, 415, 422],
  },
  {
    path: '/apps',
    method: 'get',
    id: 'listApps',
    summary: 'Apps by name, a page at a time.',
    query: [
      count('limit', 500, 100, 'At most so many; a page may hold fewer though there are more.'),
      words('after', '`next` of the page before.'),
    ],
    answers: one('AppList', 'A page.'),
    refusals: [400],
  },
  {
    path: '/apps/{app}',
    method: 'get',
    id: 'getApp',
    summary: 'An app with its services and replicas.',
    answers: one('App', 'As it is now.'),
    refusals: [400, 404],
  },
  {
    path: '/apps/{app}',
    method: 'put',
    id: 'applyApp',
    summary: 'Make the app what a document says; or with `dryRun`, say what that would change.',
    query: [
      flag('dryRun', 'Change nothing; answer 200 with an ApplyPreview.'),
      words(
        'plan',
        '`id` of an ApplyPreview: refused with 409 when the world is not the one any more that it was made from.',
      ),
    ],
    body: 'document',
    key: true,
    answers: [
      accepted[0],
      {
        status: 200,
        text: 'The same command was concluded before; or, with `dryRun`, the preview.',
        resource: ['Operation', 'ApplyPreview'],
      },
    ],
    refusals: [400, 409, 413, 415, 422],
  },
  {
    path: '/apps/{app}',
    method: 'delete',
    id: 'deleteApp',
    summary: 'Tear the app down.',
    query: [words('confirm', 'The name of the app once more; a protected app wants it.')],
    key: true,
    answers: accepted,
    refusals: [400, 404, 409, 422],
  },
  {
    path: '/apps/{app}/replicas/{service}/{slot}',
    method: 'get',
    id: 'explainReplica',
    summary: 'Why the replicas of a slot are as they are, by a look at them, and what comes next.',
    answers: many('Why', 'Those that are there, newest first; else the last one that was.'),
    refusals: [400, 404],
  },
  {
    path: '/apps/{app}/commands',
    method: 'post',
    id: 'commandApp',
    summary:
      'Scale, restart, stop, start, freeze or thaw; replace or forget one replica; pause, resume, promote, abort or undo a rollout; run a command, or end a run.',
    body: 'command',
    key: true,
    answers: accepted,
    refusals: [400, 404, 413, 415, 422],
  },
  {
    path: '/apps/{app}/operations/{id}',
    method: 'get',
    id: 'getOperation',
    summary: 'What became of a command; kept for 7 days.',
    answers: one('Operation', 'As it is now.'),
    refusals: [400, 404],
  },
  {
    path: '/apps/{app}/rollouts',
    method: 'get',
    id: 'listRollouts',
    summary: 'How services went from one revision to the next. Kept for good.',
    query: [words('service', 'Of this service only.'), count('limit', 500, 50, 'At most so many.')],
    answers: one('RolloutList', 'By service; the newest first.'),
    refusals: [400, 404],
  },
  {
    path: '/apps/{app}/rollouts/{rollout}',
    method: 'get',
    id: 'getRollout',
    summary: 'A rollout with its failures, and every decision with what it was made from.',
    answers: one('Rollout', 'As it is now.'),
    refusals: [400, 404],
  },
  {
    path: '/apps/{app}/revisions',
    method: 'get',
    id: 'listRevisions',
    summary: 'Revisions of services, and which were verified or rolled back.',
    query: [words('service', 'Of this service only.')],
    answers: one('RevisionList', 'By service; the newest first.'),
    refusals: [400, 404],
  },
  {
    path: '/apps/{app}/runs',
    method: 'get',
    id: 'listRuns',
    summary: 'One-off commands: those that are under way, and for 7 days those that are over.',
    query: [words('operation', 'Only the run that this operation asked for.')],
    answers: one('RunList', 'Newest first.'),
    refusals: [400, 404],
  },
  {
    path: '/apps/{app}/logs',
    method: 'get',
    id: 'getLogs',
    summary: 'The last log lines of at most 20 replicas.',
    query: [
      words('service', 'Of this service only.'),
      {
        name: 'slot',
        description: 'Of the replica in this slot of the service.',
        schema: { type: 'integer', minimum: 0, maximum: 9999 },
      },
      {
        name: 'run',
        description: 'Of this run of the service, by its number: also when it is over, for 7 days.',
        schema: { type: 'integer', minimum: 1, maximum: 999_999_999 },
      },
      words('container', 'Container of the group (default: the service).'),
      count('tail', 5000, 100, 'So many lines of each at most.'),
      { name: 'since', description: 'Of these, lines from then on.', schema: { type: 'string', format: 'date-time' } },
      flag('previous', 'Of the last replica of each slot that is gone, as kept for 7 days.'),
    ],
    answers: one('LogList', 'By service, slot and incarnation.'),
    refusals: [400, 404],
  },
  {
    path: '/apps/{app}/exec',
    method: 'post',
    id: 'openTerminal',
    summary: 'Start one program in a terminal inside a container that runs.',
    body: 'exec',
    answers: one('ExecSession', 'Where the terminal can be had, once; an event tells of it.'),
    refusals: [400, 404, 409, 413, 415, 422],
  },
  {
    path: '/apps/{app}/events',
    method: 'get',
    id: 'listEvents',
    summary: 'What happened, newest first.',
    query: [
      count('limit', 500, 50, 'At most so many.'),
      words('before', '`oldest` of an earlier page: what is older.'),
      words('after', '`newest` of an earlier page: what came since.'),
    ],
    answers: one('EventList', 'A page.'),
    refusals: [400, 404],
  },
  {
    path: '/apps/{app}/secrets',
    method: 'get',
    id: 'listSecrets',
    summary: 'Secrets and configs by name and version, never their values.',
    answers: many('Secret', 'All versions.'),
    refusals: [400, 404],
  },
  {
    path: '/apps/{app}/secrets/{name}',
    method: 'put',
    id: 'setSecret',
    summary: 'Store a value. No replica changes until a document that refers to it is applied.',
    query: [
      flag('managed', 'Uploaded from a Compose file, and removed once nothing needs it.'),
      flag('dryRun', 'Store nothing; answer the version that it would get.'),
    ],
    body: 'bytes',
    answers: one('Secret', 'The version that is stored.'),
    refusals: [400, 404, 413, 415],
  },
  {
    path: '/apps/{app}/secrets/{name}',
    method: 'delete',
    id: 'removeSecret',
    summary: 'Remove every version of a name.',
    answers: one('SecretRemoval', 'How many.'),
    refusals: [400, 404, 409],
  },
];
