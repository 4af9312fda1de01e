/**
 * S14: every group that may exist is paid for in its pool's ledger, from before its create until it is confirmed gone; and without foreign use no request
 * of ours is throttled.
 */
import type { EffectEvent, Oracle, RawEntity, View } from '../types.ts';
import { nameOf } from './rows.ts';

/** After these somebody else's use or a smaller quota may be in the way. */
const excuses = new Set([
  'foreignGroups',
  'forgedTags',
  'secondInstallation',
  'quotaShrunk',
  'tableRestored',
  'lateCreate',
]);
/** Until the recount of the next resyncs has repaired a ledger that came out of an old copy of the table. */
const unpaidMs = 120_000;

export const budgets: Oracle = {
  name: 'budgets',
  invariant: 'S14',
  create() {
    let excused = false;
    let isRestored = false;
    const unpaidSince = new Map<string, number>();
    return {
      onEvent(view, event) {
        if (event.type === 'fault') excused ||= excuses.has(event.fault);
        if (event.type === 'row') isRestored ||= event.foreign;
        if (event.type === 'tick') judgeLedger(view, event.at, unpaidSince);
        if (event.type !== 'effect' || event.target !== 'arm') return;
        if (event.moment === 'applied' && event.status === 429 && event.fault === null && !excused)
          view.fail(`${event.key} was throttled by our own use alone`);
        if (event.moment === 'sent' && event.method === 'PUT' && !isRestored) judgeCreate(view, event);
      },
    };
  },
};

function judgeCreate(view: View, { key }: EffectEvent): void {
  const owner = key.replace(/^arm PUT /, '');
  if (!heldIn(view).has(owner)) view.fail(`${owner} is created without a reservation`);
}

function judgeLedger(view: View, now: number, unpaidSince: Map<string, number>): void {
  const held = heldIn(view);
  const unpaid = view
    .rowsOf('replica')
    .filter((row) => row['state'] !== 'gone' && row['pool'] !== '')
    .map((row: RawEntity) => nameOf(row))
    .filter((owner) => !held.has(owner));
  for (const owner of unpaidSince.keys()) if (!unpaid.includes(owner)) unpaidSince.delete(owner);
  for (const owner of unpaid) {
    const since = unpaidSince.get(owner) ?? now;
    unpaidSince.set(owner, since);
    if (now >= view.calmFrom && now - since > unpaidMs) view.fail(`${owner} is in no ledger since ${now - since} ms`);
  }
}

function heldIn(view: View): ReadonlySet<string> {
  return new Set(
    view
      .rows('~pools')
      .flatMap((pool) => (view.json(pool, 'reservations') as readonly { readonly owner: string }[] | null) ?? [])
      .map(({ owner }) => owner),
  );
}
