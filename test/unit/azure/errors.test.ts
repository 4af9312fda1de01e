import { describe, expect, it } from 'vitest';
import { toPortError } from '../../../src/azure/errors.ts';
import type { PortError } from '../../../src/ports/errors.ts';

interface Case {
  readonly name: string;
  readonly error: unknown;
  /** For a call that changes nothing, and for one that does. */
  readonly read: PortError['kind'];
  readonly effect: PortError['kind'];
}

const rest = (statusCode: number, code?: string, message = 'said so') => ({
  name: 'RestError',
  statusCode,
  code,
  message,
});
const plain = (name: string, code?: string) => Object.assign(new Error('said so'), { name, code });

describe('an error of an SDK', () => {
  it.each<Case>([
    { name: '404', error: rest(404, 'ResourceNotFound'), read: 'NotFound', effect: 'NotFound' },
    // Whoever is cut off from a subscription is told that it does not exist: that proves nothing about what is in it.
    {
      name: 'a subscription that cannot be seen',
      error: rest(404, 'SubscriptionNotFound'),
      read: 'Unavailable',
      effect: 'Unavailable',
    },
    {
      name: 'a tenant that cannot be seen',
      error: rest(404, 'InvalidSubscriptionId'),
      read: 'Unavailable',
      effect: 'Unavailable',
    },
    { name: '404 without a code of the service', error: rest(404), read: 'Unavailable', effect: 'Unknown' },
    { name: '409', error: rest(409, 'EntityAlreadyExists'), read: 'Conflict', effect: 'Conflict' },
    { name: '412', error: rest(412, 'UpdateConditionNotSatisfied'), read: 'Conflict', effect: 'Conflict' },
    { name: '429', error: rest(429, 'TooManyRequests'), read: 'Throttled', effect: 'Throttled' },
    { name: '400', error: rest(400, 'InvalidInput'), read: 'Invalid', effect: 'Invalid' },
    { name: '413', error: rest(413, 'RequestBodyTooLarge'), read: 'Invalid', effect: 'Invalid' },
    { name: '403', error: rest(403, 'AuthorizationFailed'), read: 'Unavailable', effect: 'Unavailable' },
    { name: '500', error: rest(500, 'InternalServerError'), read: 'Unavailable', effect: 'Unknown' },
    { name: '503 of a busy table', error: rest(503, 'ServerBusy'), read: 'Throttled', effect: 'Throttled' },
    { name: '503 of anything else', error: rest(503), read: 'Unavailable', effect: 'Unknown' },
    {
      name: 'a policy of the subscription',
      error: rest(403, 'RequestDisallowedByPolicy'),
      read: 'Invalid',
      effect: 'Invalid',
    },
    {
      name: 'a group in transition',
      error: rest(409, 'ContainerGroupTransitioning'),
      read: 'Conflict',
      effect: 'Conflict',
    },
    { name: 'a quota', error: rest(400, 'ContainerGroupQuotaReached'), read: 'QuotaExceeded', effect: 'QuotaExceeded' },
    {
      name: 'no capacity, which ACI calls ServiceUnavailable with 409',
      error: rest(409, 'ServiceUnavailable', 'The requested resource is not available in the location'),
      read: 'NoCapacity',
      effect: 'NoCapacity',
    },
    {
      name: 'a quota, which ACI also calls ServiceUnavailable with 409',
      error: rest(409, 'ServiceUnavailable', "container group quota 'ContainerGroups' exceeded"),
      read: 'QuotaExceeded',
      effect: 'QuotaExceeded',
    },
    {
      name: 'a refused connection',
      error: plain('RestError', 'ECONNREFUSED'),
      read: 'Unavailable',
      effect: 'Unavailable',
    },
    { name: 'a broken connection', error: plain('RestError', 'ECONNRESET'), read: 'Unavailable', effect: 'Unknown' },
    { name: 'a time-out of ours', error: plain('AbortError'), read: 'Unavailable', effect: 'Unknown' },
    { name: 'no token', error: plain('CredentialUnavailableError'), read: 'Unavailable', effect: 'Unavailable' },
    {
      name: 'a token endpoint that says 400',
      error: { ...rest(400), name: 'AuthenticationError' },
      read: 'Unavailable',
      effect: 'Unavailable',
    },
    {
      name: 'a busy namespace',
      error: plain('ServiceBusError', 'ServiceBusy'),
      read: 'Throttled',
      effect: 'Throttled',
    },
    {
      name: 'a message that is too long',
      error: plain('ServiceBusError', 'MessageSizeExceeded'),
      read: 'Invalid',
      effect: 'Invalid',
    },
    {
      name: 'a send that timed out',
      error: plain('ServiceBusError', 'ServiceTimeout'),
      read: 'Unavailable',
      effect: 'Unknown',
    },
    { name: 'text', error: 'said so', read: 'Unavailable', effect: 'Unknown' },
    { name: 'nothing', error: undefined, read: 'Unavailable', effect: 'Unknown' },
  ])('$name', ({ error, read, effect }) => {
    expect(toPortError(error, { what: 'look', effect: false }).kind).toBe(read);
    expect(toPortError(error, { what: 'write', effect: true }).kind).toBe(effect);
  });

  it('keeps the code of the service, also where the Tables client hides it', () => {
    const details = {
      odataError: { code: 'TableNotFound', message: { value: 'The table is not there.\nRequestId:1' } },
    };
    expect(
      toPortError({ statusCode: 404, message: '{"odata.error"', details }, { what: 'read', effect: false }),
    ).toEqual({
      kind: 'NotFound',
      code: 'TableNotFound',
      message: 'read: The table is not there.',
      retryAfterMs: null,
    });
  });

  it('keeps Retry-After in ms', () => {
    const response = { headers: new Headers({ 'retry-after': '3' }) };
    expect(toPortError({ ...rest(429), response }, { what: 'w', effect: true }).retryAfterMs).toBe(3_000);
  });

  it('cuts long messages', () => {
    expect(toPortError(new Error('x'.repeat(9_000)), { what: 'w', effect: true }).message.length).toBeLessThan(520);
  });
});
