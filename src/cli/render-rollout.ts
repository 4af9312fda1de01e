/** Rollouts and revisions as lines of text. Pure; `now` in epoch ms. */
import type { RevisionResource, RolloutResource, RolloutSummary } from '../model/api.ts';
import { compareText } from '../spec/json.ts';
import { elapsed } from './render.ts';
import { table } from './table.ts';

const revisionsOf = ({ from, to }: RolloutSummary): string => `${from === null ? '' : `r${from} → `}r${to}`;

const secondsOf = (instant: string): string => instant.replace(/\.\d+Z$/, 'Z');

/** A block for each: what it is, where it stands, and why. */
export function renderStatus(rollouts: readonly RolloutSummary[], now: number): string[] {
  if (rollouts.length === 0) return ['no rollouts yet'];
  return rollouts.flatMap((rollout, n) => [...(n === 0 ? [] : ['']), ...statusOf(rollout, now)]);
}

function statusOf(rollout: RolloutSummary, now: number): readonly string[] {
  const { id, purpose, strategy, phase, reason, message, ready, desired, old, failed, strikes, successor } = rollout;
  const endedAt = rollout.endedAt === null ? now : Date.parse(rollout.endedAt);
  const took = elapsed(Math.max(0, endedAt - Date.parse(rollout.startedAt)));
  const counts = [
    `${ready}/${desired} new ready`,
    ...(old > 0 ? [`${old} old left`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(strikes > 0 ? [`${strikes} strikes`] : []),
  ];
  return [
    `${id}  ${purpose} ${revisionsOf(rollout)}  ${strategy}  ${phase}${reason === null ? '' : ` (${reason})`}  ${took}`,
    `  ${counts.join(', ')}`,
    ...(message === null ? [] : [`  ${message}`]),
    `  why: ${rollout.why} (${rollout.cause})`,
    ...(successor === null ? [] : [`  followed by ${successor}`]),
  ];
}

export function renderHistory(rollouts: readonly RolloutSummary[]): string[] {
  if (rollouts.length === 0) return ['no rollouts yet'];
  const rows = rollouts.map((rollout) => [
    rollout.id,
    secondsOf(rollout.startedAt),
    revisionsOf(rollout),
    rollout.purpose,
    rollout.reason === null ? rollout.phase : `${rollout.phase} (${rollout.reason})`,
    rollout.why,
  ]);
  return table(['ROLLOUT', 'STARTED', 'REVISIONS', 'FOR', 'PHASE', 'WHY'], rows);
}

export function renderRollout(rollout: RolloutResource): string[] {
  const failures = rollout.failures.map(({ at, replica, reason, restarts, message }) => [
    secondsOf(at),
    replica,
    reason ?? '-',
    String(restarts),
    message ?? '',
  ]);
  const decisions = rollout.decisions.map(({ at, what, facts, because }) => [
    secondsOf(at),
    what,
    `${facts.ready}/${facts.desired} ready, ${facts.old} old, ${facts.failed} failed, ${facts.strikes} strikes`,
    because,
  ]);
  return [
    ...statusOf(rollout, Date.parse(rollout.endedAt ?? rollout.startedAt)),
    ...(decisions.length === 0 ? [] : ['', ...table(['DECIDED', 'WHAT', 'FROM', 'BECAUSE'], decisions)]),
    ...(failures.length === 0 ? [] : ['', ...table(['COUNTED', 'REPLICA', 'REASON', 'RESTARTS', 'MESSAGE'], failures)]),
  ];
}

export function renderDifference(from: RevisionResource, to: RevisionResource): string[] {
  const names = [...new Set([...Object.keys(from.fields), ...Object.keys(to.fields)])].sort(compareText);
  const changed = names.filter((name) => from.fields[name] !== to.fields[name]);
  if (changed.length === 0) return [`r${from.revision} and r${to.revision} are made of the same.`];
  const rows = changed.map((name) => [name, from.fields[name] ?? '-', to.fields[name] ?? '-']);
  return table(['FIELD', `r${from.revision}`, `r${to.revision}`], rows);
}
