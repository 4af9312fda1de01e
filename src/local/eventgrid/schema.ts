/** An event in the form in which a subscription gets it, and the request that carries it. Source: the schema pages of Event Grid (read 2026-11-24). */
import type { Delivery, PublishedEvent, Schema, Subscription } from './model.ts';

export interface WebhookRequest {
  readonly method: 'POST' | 'OPTIONS';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export function toEventGridEvent(event: PublishedEvent) {
  const { id, topic, subject, type, at, data, dataVersion } = event;
  const eventTime = new Date(at).toISOString();
  return { id, topic, subject, eventType: type, eventTime, data, dataVersion, metadataVersion: '1' };
}

export function toCloudEvent({ id, topic, subject, type, at, data }: PublishedEvent) {
  return { specversion: '1.0', id, source: topic, subject, type, time: new Date(at).toISOString(), data };
}

const CONTENT_TYPES: Readonly<Record<Schema, string>> = {
  EventGridSchema: 'application/json; charset=utf-8',
  CloudEventSchemaV1_0: 'application/cloudevents+json; charset=utf-8',
};

/** One event per request, as Event Grid sends by default: an array of one in its own schema, the object itself as a CloudEvent. */
export function notification({ schema, name }: Subscription, { event, attempts }: Delivery): WebhookRequest {
  return {
    method: 'POST',
    headers: {
      'content-type': CONTENT_TYPES[schema],
      'aeg-event-type': 'Notification',
      'aeg-subscription-name': name.toUpperCase(),
      'aeg-delivery-count': String(attempts),
      'aeg-data-version': event.dataVersion,
      'aeg-metadata-version': '1',
    },
    body: JSON.stringify(schema === 'EventGridSchema' ? [toEventGridEvent(event)] : toCloudEvent(event)),
  };
}

/** What is asked before the first delivery, and whether the answer lets events through. */
export interface Handshake {
  readonly request: WebhookRequest;
  readonly accepts: (answer: { readonly status: number; readonly headers: Headers; readonly body: string }) => boolean;
}

const ORIGIN = 'eventgrid.azure.net';

export function handshakeOf({ schema, name }: Subscription, code: string, now: number): Handshake {
  if (schema === 'CloudEventSchemaV1_0') {
    return {
      request: { method: 'OPTIONS', headers: { 'webhook-request-origin': ORIGIN } },
      accepts: ({ status, headers }) =>
        status === 200 && ['*', ORIGIN].includes(headers.get('webhook-allowed-origin') ?? ''),
    };
  }
  const event = toEventGridEvent({
    id: code,
    type: 'Microsoft.EventGrid.SubscriptionValidationEvent',
    topic: `/eventSubscriptions/${name}`,
    subject: '',
    at: now,
    data: { validationCode: code },
    dataVersion: '2',
  });
  const headers = { 'content-type': CONTENT_TYPES.EventGridSchema, 'aeg-event-type': 'SubscriptionValidation' };
  return {
    request: { method: 'POST', headers, body: JSON.stringify([event]) },
    accepts: ({ status, body }) => status === 200 && codeIn(body) === code,
  };
}

function codeIn(body: string): unknown {
  try {
    return (JSON.parse(body) as { readonly validationResponse?: unknown }).validationResponse;
  } catch {
    return undefined;
  }
}
