import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Claims, readClaim } from '../../../../src/local/servicebus/cbs.ts';

const key = { name: 'policy', value: 'secret' };
const nowMs = 1_000_000;

function sas(resource: string, expiresAtS: number, { name, value } = key): string {
  const sr = encodeURIComponent(resource);
  const signature = createHmac('sha256', value).update(`${sr}\n${expiresAtS}`).digest('base64');
  return `SharedAccessSignature sr=${sr}&sig=${encodeURIComponent(signature)}&se=${expiresAtS}&skn=${name}`;
}

const put = (token: string, audience = 'sb://host/orders', tokenType = 'servicebus.windows.net:sastoken') =>
  readClaim({ audience, tokenType, token }, key, nowMs);

describe('a token put to $cbs', () => {
  it('grants the path of its audience until it expires', () => {
    expect(put(sas('sb://host/orders', 1_001))).toEqual({ ok: true, value: { path: 'orders', expiresAt: 1_001_000 } });
  });

  it.each<{ name: string; resource: string; audience: string; granted: boolean }>([
    { name: 'the whole namespace', resource: 'sb://host/', audience: 'sb://host/orders', granted: true },
    {
      name: 'the queue, in other letters',
      resource: 'sb://host/Orders',
      audience: 'amqps://host/oRDERS',
      granted: true,
    },
    {
      name: 'a part of the queue',
      resource: 'sb://host/orders',
      audience: 'sb://host/orders/$management',
      granted: true,
    },
    { name: 'another queue', resource: 'sb://host/orders', audience: 'sb://host/bills', granted: false },
    {
      name: 'a queue whose name begins alike',
      resource: 'sb://host/orders',
      audience: 'sb://host/orders2',
      granted: false,
    },
    { name: 'more than the resource', resource: 'sb://host/orders', audience: 'sb://host/', granted: false },
  ])('reaches as far as its resource: $name', ({ resource, audience, granted }) => {
    expect(put(sas(resource, 2_000), audience).ok).toBe(granted);
  });

  it.each<{ name: string; token: string; says: RegExp }>([
    { name: 'is expired', token: sas('sb://host/orders', 1_000), says: /ExpiredToken/ },
    { name: 'has no number as its end', token: sas('sb://host/orders', Number.NaN), says: /ExpiredToken/ },
    {
      name: 'names another key',
      token: sas('sb://host/', 2_000, { ...key, name: 'other' }),
      says: /no key named 'other'/,
    },
    {
      name: 'is signed with another key',
      token: sas('sb://host/', 2_000, { ...key, value: 'x' }),
      says: /InvalidSignature/,
    },
    { name: 'has no signature', token: 'SharedAccessSignature sr=a&se=2000&skn=policy', says: /InvalidSignature/ },
    { name: 'is no SAS token', token: 'Bearer abc', says: /MalformedToken/ },
    { name: 'is wrongly encoded', token: 'SharedAccessSignature skn=%E0%A4%A', says: /InvalidSignature/ },
  ])('is refused when it $name', ({ token, says }) => {
    expect(put(token)).toMatchObject({
      ok: false,
      refusal: { condition: 'amqp:unauthorized-access', description: expect.stringMatching(says) },
    });
  });

  it('is refused by name when it is of another type', () => {
    expect(put('ey…', 'sb://host/orders', 'jwt')).toMatchObject({
      ok: false,
      refusal: { condition: 'amqp:not-implemented', description: expect.stringContaining("'jwt'") },
    });
  });
});

describe('the claims of a connection', () => {
  it('allow what is at or below a granted path, until its token expires', () => {
    const claims = new Claims();
    claims.add({ path: 'orders', expiresAt: 2_000 });
    expect(['orders', 'Orders/$Management', 'orders2', 'bills'].map((path) => claims.allow(path, 1_999))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(claims.allow('orders', 2_000)).toBe(false);
  });
});
