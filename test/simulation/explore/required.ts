/**
 * Pairs of fault and workflow phase without which a campaign proves little: every way in which a call's outcome can be lost, in every phase that changes
 * something. A campaign that was to be complete fails when one never occurred.
 */
const lost = ['crashBefore', 'crashAfter', 'replyLost', 'replyNever', 'errorAfter'];
const acting = ['accept', 'assess', 'start', 'settle', 'pass', 'create', 'delete', 'finish', 'resync'];

const pairs: readonly string[] = [
  ...lost.flatMap((fault) => acting.map((phase) => `${fault} × ${phase}`)),
  ...['refused', 'unavailable', 'throttled', 'slow'].flatMap((fault) =>
    ['accept', 'pass', 'create', 'delete', 'resync'].map((phase) => `${fault} × ${phase}`),
  ),
  ...['staleRead × pass', 'staleRead × delete', 'staleRead × resync', 'shortList × resync'],
];

export const missingPairs = (seen: ReadonlyMap<string, number>): readonly string[] =>
  pairs.filter((pair) => !seen.has(pair));
