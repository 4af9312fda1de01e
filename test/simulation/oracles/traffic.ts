/**
 * S12: an address is in the endpoints only while its group is the replica's and was seen serving; our own stops come after its removal and the drain,
 * so that a client which keeps an answer of DNS for its TTL never asks a group that we stopped; a loss that we did not cause is removed in time.
 */
import type { ArmGroup, EffectEvent, Oracle, RawEntity, RowEvent, View } from '../types.ts';
import { isReplica, isSkewed, isSuccess, nameOf } from './rows.ts';

/** Time to live of an answer (semantics, defaults). */
const ttlMs = 10_000;
/** Probe period, one repeat, reads and latencies at their worst. */
const freshMs = 60_000;
/** In calm weather: two resyncs, a repeat, two 404s in a row. */
const lossBoundMs = 150_000;

interface Memory {
  /** When a group last served, by name. */
  readonly servedAt: Map<string, number>;
  /** When a group left the endpoints, and whether by our own act. */
  readonly removedAt: Map<string, { readonly at: number; readonly ours: boolean }>;
  /** Since when an endpoint names what is not there. */
  readonly wrongSince: Map<string, number>;
  hasSkew: boolean;
}

export const traffic: Oracle = {
  name: 'traffic',
  invariant: 'S12',
  create() {
    const memory: Memory = { servedAt: new Map(), removedAt: new Map(), wrongSince: new Map(), hasSkew: false };
    return {
      onEvent(view, event) {
        if (isSkewed(event)) memory.hasSkew = true;
        if (event.type === 'row') noteEndpoint(view, event, memory);
        else if (event.type === 'effect') judgeDelete(view, event, memory);
        else if (event.type === 'tick') look(view, event.at, memory);
        else if (event.type === 'group' && event.group.serving && event.change !== 'gone')
          memory.servedAt.set(event.group.name, event.at);
      },
    };
  },
};

function look(view: View, at: number, { servedAt, wrongSince }: Memory): void {
  for (const group of view.groups()) if (group.serving) servedAt.set(group.name, at);
  if (at >= view.calmFrom) judgeLosses(view, at, wrongSince);
}

function judgeDelete(view: View, event: EffectEvent, { removedAt, hasSkew }: Memory): void {
  if (event.target !== 'arm' || event.method !== 'DELETE' || event.moment !== 'applied' || hasSkew) return;
  const removed = removedAt.get(event.group ?? '');
  if (!isSuccess(event.status) || !event.tags || !removed?.ours) return;
  const outFor = event.at - removed.at;
  if (outFor < ttlMs)
    view.fail(`${event.key}: deleted ${outFor} ms after it left the endpoints; clients know it for ${ttlMs} ms`);
}

function noteEndpoint(view: View, { at, before, after, foreign }: RowEvent, { servedAt, removedAt }: Memory): void {
  if (foreign) removedAt.clear();
  if (foreign || !isReplica(after)) return;
  const was = isReplica(before) && before['endpoint'] === true;
  const is = after['endpoint'] === true;
  // What failed or went unready left by its own doing: nobody is served by waiting.
  const ours = after['state'] === 'draining' || after['state'] === 'deleting';
  if (was && !is) removedAt.set(String(after['group']), { at, ours });
  if (is && after['state'] !== 'ready') view.fail(`${nameOf(after)} is ${after['state']} and in the endpoints`);
  if (is && !was) judgeEntry(view, after, at - (servedAt.get(String(after['group'])) ?? Number.NEGATIVE_INFINITY));
}

function judgeEntry(view: View, row: RawEntity, servedAgo: number): void {
  const truth = view.group(String(row['group']));
  const isThere = truth !== undefined && truth.ip === row['ip'] && isWell(view, row, truth);
  if (!isThere && servedAgo > freshMs)
    view.fail(
      `${nameOf(row)} joined the endpoints as ${row['ip']}, last seen serving ${servedAgo} ms ago: ${story(truth)}`,
    );
}

/** ACI reports no readiness: what is not asked for an answer is well while it listens, or merely runs. */
function isWell(view: View, row: RawEntity, group: ArmGroup): boolean {
  const key = `revision|${row['service']}|${String(row['revision']).padStart(6, '0')}`;
  const revision = view.row(row.partitionKey, key);
  const template = revision && (view.json(revision, 'template') as { readonly readiness: { readonly kind: string } });
  const kind = template?.readiness.kind;
  return kind === 'http' ? group.serving : kind === 'tcp' ? group.listening : true;
}

function judgeLosses(view: View, now: number, wrongSince: Map<string, number>): void {
  const wrong = new Set<string>();
  for (const row of view.rowsOf('replica')) {
    if (row['endpoint'] !== true) continue;
    const truth = view.group(String(row['group']));
    if (truth !== undefined && truth.ip === row['ip'] && !truth.deleting) continue;
    const name = nameOf(row);
    wrong.add(name);
    const since = wrongSince.get(name) ?? now;
    wrongSince.set(name, since);
    if (now - since > lossBoundMs)
      view.fail(`${name} is in the endpoints as ${row['ip']} since ${now - since} ms: ${story(truth)}`);
  }
  for (const name of wrongSince.keys()) if (!wrong.has(name)) wrongSince.delete(name);
}

const story = (group: ArmGroup | undefined): string =>
  group === undefined ? 'its group does not exist' : `its group has ${group.ip ?? 'no address'}`;
