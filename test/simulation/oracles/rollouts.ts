/**
 * S3, L2: a service has at most one rollout under way, and it is the one that its guard names. What came to an end stays as it was. A rollback leads to a
 * revision that was verified and is never rolled back; a revision is verified only with all of its replicas ready (the same transaction may begin to drain one,
 * in a restart that waited for it); a paused rollout replaces nothing. In the end every rollout is over, or says why it stopped.
 */
import type { Oracle, RawEntity, View } from '../types.ts';
import { guardOf, isReplica, isStanding, nameOf, replicasOf, rolloutOf } from './rows.ts';

const underWay = new Set(['progressing', 'baking', 'paused']);
/** Longer than any wait of a rollout in this world: watch, bake, start deadline and back-off, twice. */
const patienceMs = 60 * 60_000;

const isRollout = (row: RawEntity | null): row is RawEntity => row?.['kind'] === 'rollout';
const idOf = (row: RawEntity): string => `${row.partitionKey}/${row['service']}.${row['number']}`;

interface Change {
  readonly at: number;
  readonly before: RawEntity | null;
  readonly after: RawEntity;
}

export const rollouts: Oracle = {
  name: 'rollouts',
  invariant: 'S3',
  create() {
    /** Records and replicas that changed at the present instant: judged once the transaction is whole. */
    let changed: Change[] = [];
    let restored = false;
    const judgeAll = (view: View): void => {
      for (const { before, after } of restored ? [] : changed) {
        if (isRollout(after)) judgeRecord(view, before, after, changed);
        else judgeReplica(view, before, after);
      }
      changed = [];
    };
    return {
      onEvent(view, event) {
        if (event.type === 'fault' && event.fault === 'tableRestored') restored = true;
        if (changed.some(({ at }) => event.at > at)) judgeAll(view);
        if (event.type !== 'row' || event.foreign || event.after === null) return;
        const { at, before, after } = event;
        if (isRollout(after) || isReplica(after)) changed.push({ at, before, after });
      },
      onEnd(view) {
        if (restored) return;
        for (const row of view.rowsOf('rollout')) judgeEnd(view, row);
      },
    };
  },
};

function judgeRecord(view: View, before: RawEntity | null, after: RawEntity, changed: readonly Change[]): void {
  const { partitionKey: app } = after;
  const service = String(after['service']);
  const guard = guardOf(view, app, service);
  const all = view.rowsOf('rollout', app).filter((row) => row['service'] === service);
  const open = all.filter((row) => underWay.has(String(row['phase'])));
  if (open.length > 1) view.fail(`${open.map(idOf).join(' and ')} are under way at once`);
  if (open.some((row) => row['number'] !== guard?.['rollout']))
    view.fail(`${open.map(idOf).join()} is under way, and the guard names ${guard?.['rollout'] ?? 'none'}`);
  const phase = String(after['phase']);
  if (before !== null && !underWay.has(String(before['phase'])))
    view.fail(`${idOf(after)} was over, and is ${phase} now`);
  if (phase === 'failed' && after['purpose'] !== 'deploy')
    view.fail(`${idOf(after)}, a way back, is rolled back itself`);
  if ((phase === 'paused' || phase === 'failed') && after['reason'] === undefined)
    view.fail(`${idOf(after)} is ${phase} without a reason`);
  if (before === null && after['purpose'] === 'rollback') judgeTarget(view, after);
  if (phase === 'succeeded') judgeSuccess(view, after, guard, changed);
}

function judgeTarget(view: View, row: RawEntity): void {
  const target = view
    .rowsOf('revision', row.partitionKey)
    .find((one) => one['service'] === row['service'] && one['revision'] === row['to']);
  if (target?.['verifiedAt'] === undefined)
    view.fail(`${idOf(row)} leads back to revision ${row['to']}, which was never verified`);
}

function judgeSuccess(view: View, row: RawEntity, guard: RawEntity | undefined, changed: readonly Change[]): void {
  const ready = replicasOf(view, row.partitionKey, String(row['service'])).filter(
    (one) => one['revision'] === row['to'] && (one['state'] === 'ready' || wasReadyUntilNow(one, changed)),
  );
  const desired = Number(guard?.['desired'] ?? 0);
  if (ready.length < desired) view.fail(`${idOf(row)} is verified with ${ready.length} of ${desired} replicas ready`);
}

/** It was ready up to this transaction, which restarts it: that it is taken away says nothing against its revision. */
const wasReadyUntilNow = (row: RawEntity, changed: readonly Change[]): boolean =>
  row['state'] === 'draining' &&
  row['reason'] === 'Restarting' &&
  changed.some(
    ({ before, after }) =>
      after.partitionKey === row.partitionKey && after.rowKey === row.rowKey && before?.['state'] === 'ready',
  );

function judgeReplica(view: View, before: RawEntity | null, after: RawEntity): void {
  const rollout = rolloutOf(view, after.partitionKey, String(after['service']));
  const held =
    rollout?.['phase'] === 'paused' ? (view.json(rollout, 'held') as { replicas: number; of: number } | null) : null;
  const desired = Number(guardOf(view, after.partitionKey, String(after['service']))?.['desired'] ?? 0);
  // What was scaled meanwhile is another matter.
  if (rollout === undefined || held === null || held.of !== desired) return;
  const standing = replicasOf(view, after.partitionKey, String(after['service'])).filter(isStanding);
  const fresh = standing.filter((one) => one['revision'] === rollout['to']);
  if (before === null && after['revision'] === rollout['to'] && fresh.length > held.replicas)
    view.fail(`${nameOf(after)} is planned though ${idOf(rollout)} is paused with ${held.replicas} of its revision`);
}

function judgeEnd(view: View, row: RawEntity): void {
  const phase = String(row['phase']);
  if (!underWay.has(phase) || phase === 'paused' || row['reason'] === 'AwaitingPromotion') return;
  if (view.row(row.partitionKey, 'app')?.['frozen'] === true) return;
  const sinceMs = view.now - Math.max(Number(row['startedAt']), view.calmFrom);
  if (sinceMs > patienceMs) view.fail(`${idOf(row)} is still ${phase} after ${sinceMs} ms`);
}
