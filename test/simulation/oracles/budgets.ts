/** S14: without foreign use, no request of ours is throttled by ARM and none exceeds a quota that it could have known. */
import type { Oracle } from '../types.ts';

/** After these somebody else's use or a smaller quota may be in the way. */
const excuses = new Set([
  'foreignGroups',
  'forgedTags',
  'secondInstallation',
  'quotaShrunk',
  'tableRestored',
  'throttled',
]);

export const budgets: Oracle = {
  name: 'budgets',
  invariant: 'S14',
  create() {
    let excused = false;
    return {
      onEvent(view, event) {
        if (event.type === 'fault') excused ||= excuses.has(event.fault);
        if (event.type !== 'effect' || event.target !== 'arm' || event.moment !== 'applied') return;
        if (event.status === 429 && event.fault === null && !excused)
          view.fail(`${event.key} was throttled by our own use alone`);
      },
    };
  },
};
