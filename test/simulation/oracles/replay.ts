/**
 * S15: a recorded history replays to the same actions. The engine replays every history at every turn and fails an instance whose code did something else;
 * a new workflow then takes over, so that nothing else would show it.
 */
import type { Oracle } from '../types.ts';

export const replay: Oracle = {
  name: 'replay',
  invariant: 'S15',
  create() {
    let hasOtherCode = false;
    /** The worker died in a turn of these: an answer without actions is not what they did before. */
    const lost = new Set<string>();
    return {
      onEvent(view, event) {
        // A deploy may bring workflows that take other steps; what becomes of theirs is for the other rules.
        if (event.type === 'fault') hasOtherCode ||= event.fault === 'deploy';
        if (event.type === 'fault' && event.fault === 'turnLost') lost.add(event.detail.replace('durable turn ', ''));
        if (event.type !== 'instance' || event.status !== 'Failed' || hasOtherCode) return;
        if (/non-deterministic/i.test(event.output) && !lost.has(event.instance))
          view.fail(`${event.instance} did not do what it had done before: ${event.output.slice(0, 300)}`);
      },
    };
  },
};
