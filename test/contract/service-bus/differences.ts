/** What the embedded broker does otherwise than Azure: the list of `src/local/servicebus/DIFFERENCES.md`. */
import type { Difference } from '../service-bus.contract.ts';

const notOffered = (test: string, operation: string): Difference => ({
  test,
  reason: `refused by name: ${operation}`,
  refusal: new RegExp(`does not offer .*${operation}`),
});

export const brokerDifferences: readonly Difference[] = [
  notOffered('peeks without taking, locked messages included', 'peek-message'),
  notOffered('delivers a scheduled message when its time comes, unless it is cancelled', 'schedule-message'),
  notOffered('keeps a deferred message until it is asked for by its number', 'defer'),
  notOffered('removes a message as it is received with receiveAndDelete', 'receiveAndDelete'),
  notOffered('drops a message whose time to live is over', 'timeToLive'),
];
