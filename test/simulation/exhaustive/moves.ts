/** Everything that can happen to one service besides time and its passes: steps that are walked or lost, ARM, the containers, the sweep, the user. */

import { anAppRow, aTemplate } from '../../support/rows.ts';
import { tagsOf } from '../../support/snapshots.ts';
import { type Cell, circumstances, guardOf, rowOf, type Service, type ServiceName, waits, written } from './cell.ts';
import { observationOf } from './pass.ts';
import { type Bound, must, type Planner, Violation } from './planner.ts';

export interface Move {
  readonly label: string;
  readonly service: Service;
}

const template = aTemplate();
const app = anAppRow();

export function movesOf(planner: Planner, service: Service, name: ServiceName, bound: Bound): readonly Move[] {
  const spare = service.faults < bound.faults;
  const moves: Move[] = [];
  const put = (label: string, cell: Cell, next: Partial<Cell>, fault = false): void => {
    const replaced = service.cells.map((other) => (other === cell ? { ...cell, ...next } : other));
    const faults = service.faults + (fault ? 1 : 0);
    moves.push({ label: `${name}: ${label} (slot ${cell.slot})`, service: { ...service, faults, cells: replaced } });
  };
  for (const cell of service.cells) {
    if (cell.step) stepMoves(planner, service, cell, name, spare, put);
    worldMoves(service, cell, spare, put);
  }
  const swept = sweep(planner, service, name);
  if (swept !== service) moves.push({ label: `${name}: sweep`, service: swept });
  const rid = reaped(planner, service, name);
  if (rid !== service) moves.push({ label: `${name}: reap`, service: rid });
  if (service.changes < bound.changes) moves.push(...changesOf(service, name, bound));
  return moves;
}

type Put = (label: string, cell: Cell, next: Partial<Cell>, fault?: boolean) => void;

function stepMoves(planner: Planner, service: Service, cell: Cell, name: ServiceName, spare: boolean, put: Put): void {
  if (spare) put('the step is lost', cell, { step: false }, true);
  if (cell.state === 'deleting') {
    put('DELETE', cell, deletion(cell));
    if (cell.stale && cell.group !== 'none') put('DELETE finds nothing', cell, { step: false, stale: false });
    return;
  }
  const claim = cell.claim;
  if (claim === null || claim.started || claim.left === 0) {
    put('the step is stale', cell, { step: false });
    return;
  }
  put('PUT', cell, accepted(service, cell));
  if (!spare) return;
  const begun = { step: false, claim: { started: true, left: waits.lease } };
  put('PUT, no answer, still on its way', cell, { ...begun, put: cell.put === 'none' ? 'flying' : cell.put }, true);
  put('PUT, no answer, never arrives', cell, begun, true);
  put('PUT, no answer, lands', cell, { ...begun, ...landed(service, cell) }, true);
  const refusal = planner.failed(rowOf(cell, name), 'QuotaExceeded', '', circumstances.now, circumstances.settings);
  put('PUT refused', cell, { ...written({ ...cell, step: false }, { ...refusal.row, attempt: null }) }, true);
  put('PUT throttled', cell, { step: false, claim: { started: false, left: 1 }, reason: 'PoolUnavailable' }, true);
}

/** What the activity does: read, and delete what is there. */
function deletion(cell: Cell): Partial<Cell> {
  if (cell.group === 'none' || cell.group === 'deleting') return { step: false };
  const said = `slot ${cell.slot}, incarnation ${cell.incarnation}`;
  must(!cell.endpoint, 'DrainBeforeDelete', `${said} is in the endpoints`);
  must(cell.quiet === null || cell.quiet >= waits.drain, 'DrainBeforeDelete', `${said} left the endpoints just now`);
  return { step: false, group: 'deleting' };
}

function accepted(service: Service, cell: Cell): Partial<Cell> {
  return { ...landed(service, cell), step: false, state: 'starting', age: 0, claim: null, reason: null };
}

/** A PUT reaches ARM. Only one that is later than its claim may meet a group: ARM cannot be fenced. */
function landed(service: Service, cell: Cell): Partial<Cell> {
  const said = `slot ${cell.slot}, incarnation ${cell.incarnation}`;
  must(cell.group === 'none' || service.late, 'NoPutOnGroup', `${said}: the group is ${cell.group}`);
  return cell.group === 'none' ? { group: 'creating', stale: true } : {};
}

function worldMoves(service: Service, cell: Cell, spare: boolean, put: Put): void {
  if (cell.put !== 'none') {
    put('the PUT lands', cell, { put: 'none', ...landed(service, cell) });
    put('the PUT never arrives', cell, { put: 'none' });
  }
  if (cell.group === 'creating') put('the group comes up', cell, { group: 'running' });
  if (cell.group === 'failing') put('the container recovers', cell, { group: 'running' });
  if (cell.group === 'deleting') put('the group is gone', cell, { group: 'none', stale: true });
  if (!spare || cell.state === 'gone') return;
  if (cell.group === 'running') put('the container fails', cell, { group: 'failing' }, true);
  if (cell.group === 'running' || cell.group === 'creating') {
    put('somebody deletes the group', cell, { group: 'none', stale: true }, true);
  }
}

/** The world behaves: what is on its way arrives, what was planned is carried out, what is slow or sick gets done and well, and the timers look. */
export function behaved(planner: Planner, service: Service, name: ServiceName): Service {
  let next = service;
  const each = (change: (cell: Cell, service: Service) => Partial<Cell>): void => {
    for (const cell of next.cells) {
      const over = change(cell, next);
      next = { ...next, cells: next.cells.map((other) => (other === cell ? { ...cell, ...over } : other)) };
    }
  };
  each((cell, now) => (cell.put === 'none' ? {} : { ...landed(now, cell), put: 'none' }));
  each((cell, now) => (cell.step ? walked(now, cell) : {}));
  each(({ group }) => ({ stale: false, group: group === 'none' || group === 'deleting' ? 'none' : 'running' }));
  return reaped(planner, sweep(planner, next, name), name);
}

function walked(service: Service, cell: Cell): Partial<Cell> {
  if (cell.state === 'deleting') return deletion(cell);
  return cell.claim === null || cell.claim.started || cell.claim.left === 0 ? { step: false } : accepted(service, cell);
}

/** What the 30-second timer finds: ready replicas by the listing and a probe, and read in full where these look wrong. */
function sweep(planner: Planner, service: Service, name: ServiceName): Service {
  const cells = service.cells.map((cell) => {
    if (cell.state !== 'ready') return cell;
    const row = rowOf(cell, name);
    const listed =
      cell.group === 'none'
        ? undefined
        : { name: row.group, tags: tagsOf(row), provisioningState: 'Succeeded', ip: '10.0.0.4' };
    const probe = cell.group === 'running' ? 'passed' : 'failed';
    const suspicion = planner.suspicionOf(row, template, { listed, probe, shared: false }, circumstances.identity);
    if (suspicion === null) return cell;
    const facts = { ...circumstances, peersReady: false };
    const verdict = planner.watch(row, template, suspicion, observationOf(cell, name, 'true'), facts);
    return verdict === null ? cell : written(cell, verdict.row);
  });
  return cells.every((cell, index) => cell === service.cells[index]) ? service : { ...service, cells };
}

function changesOf(service: Service, name: ServiceName, bound: Bound): readonly Move[] {
  const changed = (label: string, over: Partial<Service>): Move => ({
    label: `${name}: ${label}`,
    service: { ...service, changes: service.changes + 1, ...over },
  });
  if (service.removed) {
    const afresh = { removed: false, desired: bound.slots, met: null, healthy: false };
    return [changed('the service comes back', afresh)];
  }
  // What others depend on cannot leave the app before they do.
  const removal = name === 'store' ? [] : [changed('the service is removed', { removed: true, desired: 0 })];
  const counts = Array.from({ length: bound.slots + 1 }, (_, count) => count);
  return [
    changed('a new revision', { revision: service.revision + 1, healthy: false }),
    ...removal,
    ...counts
      .filter((count) => count !== service.desired)
      .map((desired) => changed(`scaled to ${desired}`, { desired })),
  ];
}

/** Something takes longer than a tick: a step to be walked, a group to come up or to go. */
const isSlow = ({ step, group, state, age, claim }: Cell): boolean =>
  (step && (state !== 'creating' || claim?.left === 1)) || (age > 0 && (group === 'creating' || group === 'deleting'));

/** A tick of time; null if faults were needed for it that are spent. That everything is slow together is one fault. */
export function tick(service: Service, bound: Bound): Service | null {
  let { faults, late } = service;
  if (service.cells.some(isSlow)) {
    if (faults >= bound.faults) return null;
    faults += 1;
  }
  const cells: Cell[] = [];
  for (const cell of service.cells) {
    const left = Math.max(0, (cell.claim?.left ?? 0) - 1);
    let flight = cell.put;
    if (flight === 'flying' && left === 0) {
      if (!bound.late) return null;
      flight = 'late';
      late = true;
    }
    cells.push({
      ...cell,
      age: cell.age + 1,
      claim: cell.claim && { ...cell.claim, left },
      drainLeft: cell.drainLeft && cell.drainLeft - 1,
      redeleted: false,
      quiet: cell.quiet === null ? null : cell.quiet + 1,
      put: flight,
      stale: false,
    });
  }
  return { ...service, faults, late, cells };
}

/** Two complete listings in a row: the reaper must take what no live row owns, and nothing else. */
function reaped(planner: Planner, service: Service, name: ServiceName): Service {
  const standing = service.cells.filter(({ group }) => group !== 'none');
  const rows = standing.map((cell) => rowOf(cell, name));
  const reaping = planner.reap(
    {
      installation: circumstances.identity.installation,
      installationEpoch: 1,
      groups: rows.map((row) => ({ name: row.group, tags: tagsOf(row), provisioningState: 'Succeeded', ip: null })),
      owners: new Map([
        ['shop', { app, guards: [guardOf(service, name)], replicas: service.cells.map((c) => rowOf(c, name)) }],
      ]),
      sightings: rows.map((row) => ({ group: row.group, firstSeenAt: circumstances.now - 60_000 })),
      orphanGraceMs: 60_000,
    },
    circumstances.now,
  );
  const taken = new Set(reaping.deletions.map(({ group }) => group));
  const orphans = new Set(rows.filter((row) => row.state === 'gone').map((row) => row.group));
  for (const group of taken) if (!orphans.has(group)) throw new Violation('ReapOrphansOnly', `${group} is owned`);
  if (taken.size < orphans.size) throw new Violation('ReapOrphansOnly', 'an orphan is left');
  if (taken.size === 0) return service;
  const cells = service.cells.map(
    (cell): Cell => (taken.has(rowOf(cell, name).group) ? { ...cell, group: 'none' } : cell),
  );
  return { ...service, cells };
}
