/** What the world seals: who can open it, and what it gives away. */
import { describe, expect, it } from 'vitest';
import { createVault } from '../../../src/local/vault.ts';

const key = 'a key of thirty-two characters or more';
const other = 'another key of thirty-two characters!!';
const vault = createVault(key);
const sealed = vault.seal('hunter2 ünïcode', 'here');
const damaged = `${sealed.slice(0, -6)}${sealed.at(-6) === 'A' ? 'B' : 'A'}${sealed.slice(-5)}`;

describe('a sealed value', () => {
  it.each([
    { name: 'the key', by: key, text: sealed, place: 'here', opened: 'hunter2 ünïcode' },
    {
      name: 'an old key behind a new one',
      by: `${other}, ${key}`,
      text: sealed,
      place: 'here',
      opened: 'hunter2 ünïcode',
    },
    { name: 'another key', by: other, text: sealed, place: 'here', opened: undefined },
    { name: 'the key at another place', by: key, text: sealed, place: 'there', opened: undefined },
    { name: 'the key after a change', by: key, text: damaged, place: 'here', opened: undefined },
    { name: 'the key when it is cut off', by: key, text: sealed.slice(0, 20), place: 'here', opened: undefined },
  ])('under $name is $opened', ({ by, text, place, opened }) => {
    expect(createVault(by).open(text, place)).toBe(opened);
  });

  it('is another text each time', () => {
    expect(vault.seal('x', 'here')).not.toBe(vault.seal('x', 'here'));
  });
});

describe('a fingerprint', () => {
  it('is equal for equal values of one place under one key, and only then', () => {
    const prints = [
      vault.fingerprint('x', 'here'),
      vault.fingerprint('y', 'here'),
      vault.fingerprint('x', 'there'),
      createVault(other).fingerprint('x', 'here'),
    ];
    expect(new Set(prints).size).toBe(4);
    expect(createVault(`${key},${other}`).fingerprint('x', 'here')).toBe(prints[0]);
  });
});
