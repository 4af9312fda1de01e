/** Tokens that cannot be made up, stretched or used elsewhere; an authority that is made once. */
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureAuthority } from '../../../src/local/ca.ts';
import { createTokenAuthority, TOKEN_LIFETIME_MS } from '../../../src/local/identity/tokens.ts';

const now = Date.UTC(2040, 0, 1);

describe('tokens', () => {
  const tokens = createTokenAuthority('secret');
  const { token, expiresAt } = tokens.issue('https://management.azure.com/', now);

  it('are valid for a day', () => {
    expect(expiresAt).toBe(now + TOKEN_LIFETIME_MS);
    expect(tokens.verify(`Bearer ${token}`, expiresAt - 1)).toBe(true);
    expect(tokens.verify(`Bearer ${token}`, expiresAt)).toBe(false);
  });

  it('are bound to their resource, with or without its last slash', () => {
    expect(tokens.verify(`Bearer ${token}`, now, ['https://management.azure.com'])).toBe(true);
    expect(tokens.verify(`Bearer ${token}`, now, ['https://storage.azure.com'])).toBe(false);
  });

  it.each([
    ['none', undefined],
    ['an empty one', ''],
    ['another scheme', `SharedKey ${token}`],
    ['a word', 'Bearer abc'],
    ['another signature', `Bearer ${token.replace(/\.(.)/, (_all, first) => (first === 'A' ? '.B' : '.A'))}`],
    [
      'another payload',
      `Bearer ${Buffer.from(JSON.stringify({ aud: 'x', exp: 9e15 })).toString('base64url')}.${token.split('.')[1]}`,
    ],
    [
      'that of another authority',
      `Bearer ${createTokenAuthority('other').issue('https://management.azure.com', now).token}`,
    ],
  ])('refuse %s', (_what, header) => {
    expect(tokens.verify(header, now)).toBe(false);
  });
});

describe('the certificate authority', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'flotilla-ca-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('is a real one, and its server certificate is for the loopback names', async () => {
    const { caPath, cert } = await ensureAuthority(dir);
    const ca = new X509Certificate(readFileSync(caPath));
    const server = new X509Certificate(cert);
    expect([ca.ca, server.ca]).toEqual([true, false]);
    expect(server.verify(ca.publicKey) && server.checkIssued(ca)).toBe(true);
    expect(server.checkHost('localhost')).toBe('localhost');
    expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(server.checkIP('::1')).toBe('::1');
  });

  it('is made once', async () => {
    expect(await ensureAuthority(dir)).toEqual(await ensureAuthority(dir));
  });

  it('is made again when it is about to end', async () => {
    const first = await ensureAuthority(dir, now);
    const end = new X509Certificate(first.cert).validToDate.getTime();
    expect(await ensureAuthority(dir, end - 40 * 86_400_000)).toEqual(first);
    expect((await ensureAuthority(dir, end - 20 * 86_400_000)).cert).not.toBe(first.cert);
  });

  it('is made again when a crash left half of it', async () => {
    const first = await ensureAuthority(dir);
    writeFileSync(join(dir, 'server.json'), '{"key":');
    const second = await ensureAuthority(dir);
    expect(second.cert).not.toBe(first.cert);
    const ca = new X509Certificate(readFileSync(second.caPath));
    expect(new X509Certificate(second.cert).verify(ca.publicKey)).toBe(true);
  });
});
