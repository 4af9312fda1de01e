/**
 * S9 and L4: a replica is called lost only while its region really loses packets; nothing is done to the container group of a lost one, nor to any while
 * every region that holds replicas is down by the table; and once a region is back, nothing stays lost.
 */
import type { EffectEvent, Oracle, RowEvent, View } from '../types.ts';
import { guardOf, healthOf, isReplica, nameOf } from './rows.ts';

/** The longest outage of this world, and what its end takes to be believed. */
const memoryMs = 15 * 60_000 + 5 * 60_000;
/** What was decided before may still be carried out. */
const underwayMs = 120_000;
/** A region that is back is seen in a few sweeps, however late they come. */
const backWithinMs = 10 * 60_000;

export const regions: Oracle = {
  name: 'regions',
  invariant: 'S9',
  create() {
    const outageAt = new Map<string, number>();
    const lostAt = new Map<string, number>();
    let cutOffSince: number | null = null;
    let isRestored = false;
    return {
      onEvent(view, event) {
        if (event.type === 'fault' && event.fault === 'regionDown')
          outageAt.set(event.detail.split(' ')[0] ?? '', event.at);
        if (event.type === 'row') {
          // A restored table may call lost what was lost then.
          isRestored ||= event.foreign;
          if (!event.foreign) noteLoss(view, event, outageAt, lostAt);
          cutOffSince = isCutOff(view) ? (cutOffSince ?? event.at) : null;
        }
        if (event.type === 'effect' && !isRestored) judgeEffect(view, event, lostAt, cutOffSince);
      },
      onEnd(view) {
        for (const row of view.rowsOf('replica'))
          if (row['state'] === 'lost' && view.now - view.calmFrom > backWithinMs)
            view.fail(`${nameOf(row)} is lost after the calm, though every region is back`);
      },
    };
  },
};

function noteLoss(
  view: View,
  { at, before, after }: RowEvent,
  outageAt: ReadonlyMap<string, number>,
  lostAt: Map<string, number>,
): void {
  if (!isReplica(before) || !isReplica(after)) return;
  const name = nameOf(after);
  if (after['state'] !== 'lost') return void lostAt.delete(name);
  if (before['state'] === 'lost') return;
  lostAt.set(name, at);
  const region = view.pools.find(({ pool }) => pool === after['pool'])?.region ?? '';
  const since = outageAt.get(region);
  if (since === undefined || at - since > memoryMs)
    view.fail(`${name} is called lost though its region ${region} has not been down`);
  if (isCutOff(view)) view.fail(`${name} is called lost while every region that holds replicas is down`);
}

function isCutOff(view: View): boolean {
  const holding = view.rows('~pools').filter((pool) => {
    const reservations = view.json(pool, 'reservations') as readonly unknown[] | null;
    return (reservations?.length ?? 0) > 0 || Number(pool['listedGroups'] ?? 0) > 0;
  });
  return holding.length > 0 && holding.every((pool) => healthOf(view, pool) === 'down');
}

function judgeEffect(
  view: View,
  event: EffectEvent,
  lostAt: ReadonlyMap<string, number>,
  cutOffSince: number | null,
): void {
  if (event.target !== 'arm' || event.moment !== 'sent' || !['PUT', 'DELETE'].includes(event.method)) return;
  const owner = event.key.replace(/^arm (PUT|DELETE) /, '');
  const [app = '', service = ''] = owner.split('/');
  const lost = lostAt.get(owner);
  if (lost !== undefined && event.at - lost > underwayMs && guardOf(view, app, service)?.['removed'] !== true)
    view.fail(`${event.key} though it is lost since ${event.at - lost} ms`);
  if (cutOffSince !== null && event.at - cutOffSince > underwayMs)
    view.fail(`${event.key} though every region that holds replicas is down since ${event.at - cutOffSince} ms`);
}
