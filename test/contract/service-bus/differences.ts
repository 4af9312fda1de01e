/** What the embedded broker does otherwise than Azure: the list of `src/local/servicebus/DIFFERENCES.md`. */
import type { Difference } from '../service-bus.contract.ts';

const notOffered = (test: string, operation: string): Difference => ({
  test,
  reason: `refused by name: ${operation}`,
  refusal: new RegExp(`does not offer .*${operation}`),
});

export const brokerDifferences: readonly Difference[] = [
  notOffered('removes a message as it is received with receiveAndDelete', 'receiveAndDelete'),
  notOffered('drops a message whose time to live is over', 'timeToLive'),
];
