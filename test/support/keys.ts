/** Keys of secrets that everybody may know. */
import { createKeyring, type Keyring } from '../../src/azure/keyring.ts';

/** A key of 44 characters made of one letter. */
export const testKey = (letter: string): string => letter.repeat(44);

/** Of the keys named by letters, the first to seal with. */
export function keyringFor(...letters: readonly string[]): Keyring {
  const keyring = createKeyring(letters.map(testKey).join(','));
  if (!keyring.ok) throw new Error(keyring.error);
  return keyring.value;
}
