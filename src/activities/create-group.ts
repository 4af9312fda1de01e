/**
 * Creates the container group of one replica, at most once per attempt: the row says "started" before ARM hears of it, and whoever finds it started
 * only reads back. A group that is there already is never PUT again. What ARM answers goes into the row; what it did not answer is left to the
 * read-back of the next pass.
 */
import { groupSpec } from '../decide/group-spec.ts';
import { templateOf } from '../decide/run-template.ts';
import { event, failed } from '../decide/verdict.ts';
import { keyOf, keys } from '../model/keys.ts';
import type { PlannedEvent, Step } from '../model/plan.ts';
import type { Reason } from '../model/reasons.ts';
import { ok } from '../model/result.ts';
import type { AppRow, PoolRow, ReplicaRow, RevisionRow, Stored } from '../model/state.ts';
import { formatInstant } from '../model/units.ts';
import type { PortError } from '../ports/errors.ts';
import type { ActivityPorts, ActivitySettings } from './ports.ts';
import { readSecrets, unread } from './read-secrets.ts';
import { bare, eventRows } from './rows.ts';

export type CreateInput = Extract<Step, { kind: 'createGroup' }> & {
  /** Instance id of the calling workflow, the cause in the audit. */
  readonly workflow: string;
};

export interface StepResult {
  readonly outcome: 'done' | 'skipped' | 'refused' | 'unknown';
  readonly detail: string;
}

const skipped = (detail: string): StepResult => ({ outcome: 'skipped', detail });

export async function createGroup(
  ports: ActivityPorts,
  settings: ActivitySettings,
  input: CreateInput,
): Promise<StepResult> {
  const parts = await read(ports, input);
  if ('detail' in parts) return parts;
  const { replica, pool } = parts;
  const refusal = parts.app.frozen ? 'the app is frozen' : refusalOf(replica, input, ports.now());
  if (refusal !== null) return skipped(refusal);
  // A restored table may not remember the group it made: a PUT would restart its containers.
  const found = await ports.groups.get(pool, replica.group);
  if (!found.ok && found.error.kind !== 'NotFound') return await refused(ports, settings, input, replica, found.error);
  const template = templateOf(parts.revision.template, replica);
  const values = found.ok ? ok(unread) : await readSecrets(ports, input.app, template);
  if (!values.ok) {
    if (values.error.kind !== 'NotFound' && values.error.kind !== 'Invalid') return skipped(values.error.message);
    return await refused(ports, settings, input, replica, values.error);
  }
  const started = await claim(ports, settings, input, replica);
  if ('detail' in started) return started;
  if (found.ok) return skipped('a group of this name exists: the next pass reads it back');
  const spec = groupSpec({ ...settings, appUid: parts.app.uid }, replica, template, pool, values.value);
  const answer = await ports.groups.create(pool, spec);
  if (answer.ok) return await record(ports, input, accepted(started, ports.now()), 'done', 'ARM accepted the create.');
  return await refused(ports, settings, input, started, answer.error);
}

interface Parts {
  readonly app: AppRow;
  readonly replica: Stored<ReplicaRow>;
  readonly revision: RevisionRow;
  readonly pool: PoolRow;
}

async function read({ store }: ActivityPorts, input: CreateInput): Promise<Parts | StepResult> {
  const replica = await store.read<ReplicaRow>(keys.replica(input.app, input.service, input.slot, input.incarnation));
  if (!replica.ok) return skipped(replica.error.message);
  if (replica.value === null) return skipped('the replica has no row');
  const revision = await store.read<RevisionRow>(keys.revision(input.app, input.service, replica.value.revision));
  if (!revision.ok) return skipped(revision.error.message);
  const app = await store.read<AppRow>(keys.app(input.app));
  if (!app.ok) return skipped(app.error.message);
  const pool = await store.read<PoolRow>(keys.pool(replica.value.pool));
  if (!pool.ok) return skipped(pool.error.message);
  if (revision.value === null || app.value === null || pool.value === null) {
    return skipped('its revision, app or pool has no row');
  }
  return { app: app.value, replica: replica.value, revision: revision.value, pool: pool.value };
}

/** The step may be as old as its queue: only the very attempt it was planned for is carried out. */
function refusalOf(replica: ReplicaRow, step: CreateInput, now: number): string | null {
  if (replica.epoch !== step.epoch) return `superseded by epoch ${replica.epoch}`;
  if (replica.state !== 'creating') return `the replica is ${replica.state}`;
  if (replica.attempt?.id !== step.attempt) return 'another attempt has taken over';
  if (replica.attempt.startedAt !== null) return 'started before: the next pass reads back';
  return now < replica.attempt.expiresAt ? null : 'the claim expired';
}

/** The claim is renewed with the start, so that it outlives the PUT whatever waited before it. */
async function claim(
  ports: ActivityPorts,
  { claimLeaseMs }: ActivitySettings,
  input: CreateInput,
  replica: Stored<ReplicaRow>,
): Promise<Stored<ReplicaRow> | StepResult> {
  const now = ports.now();
  const attempt = { id: input.attempt, startedAt: now, expiresAt: now + claimLeaseMs };
  const row: ReplicaRow = { ...bare(replica), attempt };
  const etag = await write(ports, input, row, replica.etag, [
    event('GroupCreating', row, `The container group ${row.group} is being created in ${row.pool}.`),
  ]);
  return etag === null ? skipped('the claim could not be written') : { ...row, etag };
}

interface Outcome {
  readonly before: Stored<ReplicaRow>;
  readonly row: ReplicaRow;
  readonly events: readonly PlannedEvent[];
}

function accepted(before: Stored<ReplicaRow>, now: number): Outcome {
  const row: ReplicaRow = { ...bare(before), state: 'starting', stateAt: now, attempt: null };
  return { before, row, events: [event('GroupCreated', row, 'ARM accepted the container group.')] };
}

const failures: Readonly<Partial<Record<PortError['kind'], Reason>>> = {
  Invalid: 'CreateRejected',
  NotFound: 'CreateRejected',
  QuotaExceeded: 'QuotaExceeded',
  NoCapacity: 'NoCapacity',
};

/** Codes that say more than the kind of their error. */
const failuresByCode: Readonly<Record<string, Reason>> = {
  InaccessibleImage: 'ImagePullFailed',
  SecretMissing: 'SecretMissing',
  SecretUnreadable: 'SecretUnreadable',
};

/** Waits when ARM names none. */
const refusedForNowMs = 10_000;

async function refused(
  ports: ActivityPorts,
  settings: ActivitySettings,
  input: CreateInput,
  before: Stored<ReplicaRow>,
  error: PortError,
): Promise<StepResult> {
  const now = ports.now();
  const reason = failuresByCode[error.code ?? ''] ?? failures[error.kind] ?? null;
  if (reason !== null) {
    // ARM refused before any effect: no group of this name can come of this attempt.
    const verdict = failed({ ...bare(before), attempt: null }, reason, error.message, now, settings);
    return await record(ports, input, { before, ...verdict }, 'refused', error.message);
  }
  if (error.kind === 'Throttled' || error.kind === 'Unavailable') {
    // Not reached, or turned away: the attempt counts as never started, and a new one is due when the wait is over.
    const expiresAt = now + Math.max(refusedForNowMs, error.retryAfterMs ?? 0);
    const attempt = { id: input.attempt, startedAt: null, expiresAt };
    const row: ReplicaRow = { ...bare(before), attempt, reason: 'PoolUnavailable', message: error.message };
    const events = [event('CreateRefused', row, refusalText(error, expiresAt))];
    return await record(ports, input, { before, row, events }, 'refused', error.message);
  }
  // The claim stays for the read-back; until then the row tells why nothing seems to happen.
  const row: ReplicaRow = { ...bare(before), reason: 'CreateUnconfirmed', message: error.message };
  return await record(ports, input, { before, row, events: [] }, 'unknown', error.message);
}

function refusalText({ code, message }: PortError, againAt: number): string {
  const named = code === null || message.includes(code) ? '' : ` (${code})`;
  return `ARM did not take the create: ${message.replace(/\.$/, '')}${named}. It is tried again at ${formatInstant(againAt)}.`;
}

/** When the row changed meanwhile, its new owner reads back; what ARM did is not lost. */
async function record(
  ports: ActivityPorts,
  input: CreateInput,
  { before, row, events }: Outcome,
  outcome: StepResult['outcome'],
  detail: string,
): Promise<StepResult> {
  const etag = await write(ports, input, row, before.etag, events);
  return etag === null ? { outcome: 'unknown', detail: `${detail} The row was not written.` } : { outcome, detail };
}

async function write(
  { store, ids, now }: ActivityPorts,
  input: CreateInput,
  row: ReplicaRow,
  etag: string,
  events: readonly PlannedEvent[],
): Promise<string | null> {
  const txId = ids.next();
  const occasion = { app: input.app, service: input.service, txId, at: now(), cause: input.workflow };
  const written = await store.commit({
    txId,
    changes: [
      { type: 'update', row, etag },
      ...eventRows(events, occasion).map((audit) => ({ type: 'insert' as const, row: audit })),
    ],
  });
  if (!written.ok) return null;
  const told = written.value.etags.get(keyOf(row).row);
  if (told !== undefined) return told;
  // The commit was found by its event: the row is read for its tag, and only if it is still the one written.
  const read = await store.read<ReplicaRow>(keyOf(row));
  return read.ok && read.value?.attempt?.id === row.attempt?.id && read.value?.epoch === row.epoch
    ? read.value.etag
    : null;
}
