/** One name for all states that no rule can tell apart: what does not matter any more is forgotten, and numbers are given anew in their order. */
import { type Cell, type Service, waits } from './cell.ts';

export function canonical(service: Service): Service {
  const kept = service.cells.filter((cell) => matters(cell, service)).sort(bySlot);
  const incarnations = ranks(kept.map(({ incarnation }) => incarnation));
  const revisions = ranks([service.revision, ...(service.met === null ? [] : [service.met]), ...kept.map(revisionOf)]);
  return {
    ...service,
    revision: revisions.get(service.revision) ?? 0,
    met: service.met === null ? null : (revisions.get(service.met) ?? null),
    cells: kept.map((cell) => ({
      ...trimmed(cell),
      incarnation: incarnations.get(cell.incarnation) ?? 0,
      revision: revisions.get(cell.revision) ?? 0,
    })),
  };
}

const bySlot = (a: Cell, b: Cell): number => a.slot - b.slot || a.incarnation - b.incarnation;
const revisionOf = ({ revision }: Cell): number => revision;

function ranks(numbers: readonly number[]): ReadonlyMap<number, number> {
  return new Map([...new Set(numbers)].sort((a, b) => a - b).map((number, index) => [number, index + 1]));
}

/** A gone replica is remembered for its group, if one is still to come or to go, and for the failures that its successor inherits. */
function matters(cell: Cell, service: Service): boolean {
  if (cell.state !== 'gone' || cell.group !== 'none' || cell.put !== 'none') return true;
  if (cell.reason === 'Surplus' || cell.failures === 0) return false;
  if (cell.revision !== service.revision && cell.revision !== service.met) return false;
  return !service.cells.some(
    (other) => other.slot === cell.slot && other.revision === cell.revision && other.incarnation > cell.incarnation,
  );
}

const ageMax: Readonly<Partial<Record<Cell['state'], number>>> = {
  starting: waits.deadline,
  unready: Math.max(waits.deadline, waits.drain),
  deleting: 1,
  gone: waits.backoff,
};

const lives: ReadonlySet<Cell['state']> = new Set(['ready', 'unready']);

/** States in which only the presence of the group matters. */
const leaves: ReadonlySet<Cell['state']> = new Set(['failed', 'draining', 'deleting', 'gone']);

function trimmed(cell: Cell): Cell {
  const ended = cell.state === 'gone' || cell.state === 'deleting';
  const age = Math.min(cell.age, cell.state === 'gone' && cell.failures === 0 ? 0 : (ageMax[cell.state] ?? 0));
  return {
    ...cell,
    age,
    claim: cell.state === 'creating' || (cell.state === 'deleting' && isPending(cell)) ? cell.claim : null,
    redeleted: cell.state === 'deleting' && cell.redeleted && age > 0,
    reason: ended || cell.state === 'draining' || cell.state === 'failed' || waitsForArm(cell) ? cell.reason : null,
    // The back-off reaches its cap after one failure, so that more make no difference.
    failures: Math.min(cell.failures, 1),
    missing: cell.state === 'gone' ? 0 : Math.min(cell.missing, 2),
    wasReady: lives.has(cell.state) && cell.wasReady,
    quiet: cell.quiet === null || cell.group === 'none' ? null : Math.min(cell.quiet, waits.drain),
    step: cell.step && isUndone(cell),
    group: leaves.has(cell.state) && ['creating', 'failing'].includes(cell.group) ? 'running' : cell.group,
  };
}

const isUndone = ({ state, group }: Cell): boolean =>
  state === 'creating' || (state === 'deleting' && group !== 'none' && group !== 'deleting');
const isPending = ({ claim }: Cell): boolean => claim?.started === true && claim.left > 0;
const waitsForArm = (cell: Cell): boolean => cell.state === 'creating' && cell.reason === 'PoolUnavailable';

export function keyOf(service: Service): string {
  const { cells, ...rest } = service;
  const head = `${rest.desired}${+rest.removed}${rest.revision}${rest.met ?? '-'}${+rest.healthy}${rest.faults}${rest.changes}${+rest.late}`;
  return cells.reduce((text, cell) => `${text}|${cellKey(cell)}`, head);
}

const cellKey = (c: Cell): string =>
  `${c.slot}.${c.incarnation}.${c.revision}.${c.pool}${c.state}${c.age}${c.claim ? `${+c.claim.started}${c.claim.left}` : '-'}` +
  `${c.drainLeft}${+c.redeleted}${c.reason ?? '-'}${c.failures}${c.missing}${+c.wasReady}${+c.endpoint}${c.quiet ?? '-'}` +
  `${+c.step}${c.put}${c.group}${+c.stale}`;
