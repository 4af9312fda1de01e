/**
 * The health of a region by our own evidence: suspect → down → recovering → healthy. Only negative evidence counts, and only of the kind that an app cannot
 * cause: replicas of verified revisions that nothing answers for, and a control plane that fails. A circuit breaker: once open, it closes only after the
 * region has been well for some time (semantics, "Dead or cut off").
 */
import type { PoolHealth } from '../../model/state.ts';

/** What one sweep found in a region. */
export interface Evidence {
  /** Replicas of verified revisions that were asked over the network. */
  readonly probed: number;
  /** Of these, those that no connection could be made to: neither accepted nor refused. */
  readonly silent: number;
  /** Services that the probed ones belong to. */
  readonly services: number;
  /** `unknown`: it did not answer for a reason that says nothing of it, such as our own rights or rate. */
  readonly control: 'answering' | 'failing' | 'unknown';
}

/** Share of silent replicas that speaks for a dead region; once it does, it must fall clearly below to speak against. */
const deadShare = 0.55;
const livingShare = 0.45;
/** Fewer replicas, or of one service alone, are too small a sample by themselves. */
const sample = { replicas: 5, services: 2 };
const sweepsMin = 2;
const downAfterMs = { sampled: 120_000, few: 5 * 60_000 };
const trustedAfterMs = 60_000;
/** From recovering to healthy (semantics, defaults). */
const recoveredAfterMs = 10 * 60_000;

/** @param before null = healthy, and nothing to say against it. The value is null again once that holds. */
export function nextHealth(before: PoolHealth | null, evidence: Evidence, now: number): PoolHealth | null {
  // Time alone, without a look, proves nothing.
  if (evidence.control === 'unknown' && evidence.probed === 0) return before;
  const known = before ?? { ...healthy, since: now };
  const counted = count(known, evidence, now);
  const state = stateOf(counted, evidence, now);
  if (state === 'healthy' && counted.doubts === 0) return null;
  const since = state === known.state ? known.since : now;
  return { ...counted, state, since, message: state === 'healthy' ? '' : messageOf(evidence) };
}

const healthy: PoolHealth = { state: 'healthy', since: 0, doubts: 0, deadSince: null, wellSince: null, message: '' };

/** Consecutive sweeps: one in the other direction begins the count anew. */
function count(before: PoolHealth, evidence: Evidence, now: number): PoolHealth {
  const isDead = looksDead(evidence, before.deadSince !== null);
  const isDoubtful = isDead || evidence.control === 'failing' || silentShare(evidence) >= deadShare;
  return {
    ...before,
    doubts: isDoubtful ? before.doubts + 1 : 0,
    deadSince: isDead ? (before.deadSince ?? now) : null,
    wellSince: isDoubtful ? null : (before.wellSince ?? now),
  };
}

const silentShare = ({ probed, silent }: Evidence): number => (probed === 0 ? 0 : silent / probed);

const isSampled = ({ probed, services }: Evidence): boolean => probed >= sample.replicas && services >= sample.services;

function looksDead(evidence: Evidence, already: boolean): boolean {
  if (isSampled(evidence)) return silentShare(evidence) >= (already ? livingShare : deadShare);
  return evidence.probed > 0 && evidence.silent === evidence.probed && evidence.control === 'failing';
}

function stateOf(counted: PoolHealth, evidence: Evidence, now: number): PoolHealth['state'] {
  const { state, doubts, deadSince, wellSince } = counted;
  const deadForMs = deadSince === null ? -1 : now - deadSince;
  const wellForMs = wellSince === null ? -1 : now - wellSince;
  const enough = isSampled(evidence) ? downAfterMs.sampled : downAfterMs.few;
  if (doubts >= sweepsMin && deadForMs >= enough) return 'down';
  switch (state) {
    case 'down':
      return wellForMs >= trustedAfterMs ? 'recovering' : 'down';
    case 'recovering':
      // It has been dead before: what looks like it again is believed sooner.
      if (doubts >= sweepsMin && deadSince !== null) return 'down';
      return wellForMs >= recoveredAfterMs ? 'healthy' : 'recovering';
    case 'suspect':
      return wellForMs >= trustedAfterMs ? 'healthy' : 'suspect';
    case 'healthy':
      return doubts >= sweepsMin ? 'suspect' : 'healthy';
  }
}

function messageOf({ probed, silent, services, control }: Evidence): string {
  const probes =
    probed === 0
      ? 'no replica there can be probed'
      : `${silent} of ${probed} replicas of ${services === 1 ? 'one service' : `${services} services`} cannot be reached`;
  const plane = {
    answering: 'its control plane answers',
    failing: 'its control plane fails',
    unknown: 'its control plane was not heard',
  }[control];
  return `${probes}; ${plane}`;
}

/** Of several sweeps in one region, such as those of its pools. */
export function together(evidences: readonly (Evidence & { readonly serviceNames: ReadonlySet<string> })[]): Evidence {
  const sum = (of: (one: Evidence) => number): number => evidences.reduce((total, one) => total + of(one), 0);
  const planes = new Set(evidences.map(({ control }) => control));
  return {
    probed: sum(({ probed }) => probed),
    silent: sum(({ silent }) => silent),
    services: new Set(evidences.flatMap(({ serviceNames }) => [...serviceNames])).size,
    control: planes.has('answering') ? 'answering' : planes.has('failing') ? 'failing' : 'unknown',
  };
}
