/** What `infra/` does once the Function App is there: subscribes its function to the events of container groups, and waits for the handshake. */
import { setTimeout as sleep } from 'node:timers/promises';
import { names } from '../model/names.ts';
import { DEFAULT_SETTINGS } from './aci/settings.ts';
import { eventGridPath } from './host/event-grid.ts';

export interface EventSubscriptionOptions {
  readonly controlUrl: string;
  readonly hostUrl: string;
  /** System key of the host's Event Grid webhook. */
  readonly key: string;
  readonly signal?: AbortSignal;
}

/** As in `infra/app/event-subscription.bicep`: `npm run check:infra` compares. */
export const eventTypes: readonly string[] = [
  'Microsoft.Resources.ResourceWriteSuccess',
  'Microsoft.Resources.ResourceWriteFailure',
  'Microsoft.Resources.ResourceDeleteSuccess',
  'Microsoft.Resources.ResourceActionSuccess',
];
const HANDSHAKE_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 50;

/** @throws Error when the webhook does not shake hands in time. */
export async function subscribeToEvents(options: EventSubscriptionOptions): Promise<void> {
  const { controlUrl, hostUrl, key, signal = new AbortController().signal } = options;
  const endpoint = new URL(eventGridPath, hostUrl);
  endpoint.searchParams.set('functionName', names.groupEvents);
  endpoint.searchParams.set('code', key);
  const [subscriptionId] = DEFAULT_SETTINGS.subscriptionIds;
  const body = JSON.stringify({
    endpoint: endpoint.href,
    eventTypes,
    subjectBeginsWith: `/subscriptions/${subscriptionId}/`,
  });
  const at = `${controlUrl}/control/events`;
  const asked = await fetch(`${at}/subscriptions/${subscriptionName}`, { method: 'PUT', body, signal });
  if (!asked.ok) throw new Error(`the event subscription was refused: ${await asked.text()}`);
  for (const until = performance.now() + HANDSHAKE_WITHIN_MS; performance.now() < until; ) {
    const { subscriptions } = (await (await fetch(at, { signal })).json()) as Overview;
    const own = subscriptions.find(({ name }) => name === subscriptionName);
    if (own?.state === 'succeeded') return;
    if (own?.state === 'failed') throw new Error(`the event subscription was not created: ${own.problem}`);
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
  throw new Error(`the event subscription was not created within ${HANDSHAKE_WITHIN_MS / 1000} s`);
}

const subscriptionName = 'container-groups';

interface Overview {
  readonly subscriptions: readonly { readonly name: string; readonly state: string; readonly problem?: string }[];
}
