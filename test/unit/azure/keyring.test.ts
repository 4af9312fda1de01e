import { describe, expect, it } from 'vitest';
import { createKeyring } from '../../../src/azure/keyring.ts';
import { keyringFor, testKey } from '../../support/keys.ts';

const value = Buffer.from('correct horse');
const opened = (result: ReturnType<ReturnType<typeof keyringFor>['open']>): string =>
  result.ok ? Buffer.from(result.value).toString() : result.error;

describe('a keyring', () => {
  it('opens what it sealed, at its own place', () => {
    const keyring = keyringFor('a');
    expect(opened(keyring.open(keyring.seal(value, 'shop db'), 'shop db'))).toBe('correct horse');
  });

  it('never seals a value twice alike, and shows nothing of it', () => {
    const keyring = keyringFor('a');
    const [one, two] = [keyring.seal(value, 'p'), keyring.seal(value, 'p')];
    expect(one.nonce).not.toBe(two.nonce);
    expect(one.data).not.toBe(two.data);
    expect(JSON.stringify(one)).not.toContain(value.toString('base64').slice(0, 8));
  });

  it('opens nothing that was moved to another place', () => {
    const keyring = keyringFor('a');
    expect(opened(keyring.open(keyring.seal(value, 'shop db'), 'other db'))).toMatch(/belongs elsewhere/);
  });

  it.each(['nonce', 'tag', 'data'] as const)('opens nothing whose %s was changed', (part) => {
    const keyring = keyringFor('a');
    const sealed = keyring.seal(value, 'p');
    const bytes = Buffer.from(sealed[part], 'base64');
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    expect(opened(keyring.open({ ...sealed, [part]: bytes.toString('base64') }, 'p'))).toMatch(/changed after it was/);
  });

  it('takes no shortened tag for a whole one', () => {
    const keyring = keyringFor('a');
    const sealed = keyring.seal(value, 'p');
    const short = Buffer.from(sealed.tag, 'base64').subarray(0, 4).toString('base64');
    expect(opened(keyring.open({ ...sealed, tag: short }, 'p'))).toMatch(/changed after it was/);
  });

  it('opens with every key, and seals with the first: a new key goes in front', () => {
    const old = keyringFor('a').seal(value, 'p');
    const both = keyringFor('b', 'a');
    expect(opened(both.open(old, 'p'))).toBe('correct horse');
    expect(both.seal(value, 'p').key).not.toBe(old.key);
    expect(opened(keyringFor('b').open(old, 'p'))).toMatch(/sealed with the key [0-9a-f]{16}.*add the old key/);
  });

  it('refuses a format of a later version instead of guessing', () => {
    const keyring = keyringFor('a');
    const sealed = { ...keyring.seal(value, 'p'), format: 2 as never };
    expect(opened(keyring.open(sealed, 'p'))).toMatch(/format 2/);
  });

  it('gives equal values of a place one fingerprint, which differs with value, place and key', () => {
    const print = keyringFor('a').fingerprint(value, 'p');
    expect(print).toMatch(/^[0-9a-f]{16}$/);
    expect(keyringFor('a').fingerprint(value, 'p')).toBe(print);
    expect(keyringFor('a').fingerprint(Buffer.from('correct Horse'), 'p')).not.toBe(print);
    expect(keyringFor('a').fingerprint(value, 'q')).not.toBe(print);
    expect(keyringFor('b').fingerprint(value, 'p')).not.toBe(print);
  });

  it.each([
    ['', /no key for secrets: set FLOTILLA_SECRETS_KEY to the output of `openssl rand -base64 32`/],
    ['short', /fewer than 32 characters/],
    [`${testKey('a')},short`, /fewer than 32 characters/],
    [
      '@Microsoft.KeyVault(VaultName=kv;SecretName=s)',
      /could not resolve the Key Vault reference.*Key Vault Secrets User/,
    ],
  ])('is not made of %j', (text, why) => {
    const keyring = createKeyring(text);
    expect(keyring.ok).toBe(false);
    expect(keyring.ok ? '' : keyring.error).toMatch(why);
    if (text.length > 10) expect(keyring.ok ? '' : keyring.error).not.toContain(testKey('a'));
  });
});
