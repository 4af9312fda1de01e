/** What the embedded broker does otherwise than Azure: the list of `src/local/servicebus/DIFFERENCES.md`. */
import type { Difference } from '../service-bus.contract.ts';

export const brokerDifferences: readonly Difference[] = [];
