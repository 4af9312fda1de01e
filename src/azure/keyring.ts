/**
 * Seals values with the keys of the installation (`FLOTILLA_SECRETS_KEY`): AES-256-GCM with a random nonce, bound to the place where the value belongs,
 * so that a sealed value copied elsewhere does not open. The first key seals, every key opens: a new one is put in front of the old.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { err, ok, type Result } from '../model/result.ts';
import type { SealedValue } from '../model/state.ts';

export interface Keyring {
  /** @param place what the value is bound to */
  seal(value: Uint8Array, place: string): SealedValue;
  /** An error says why it cannot be opened, and never what is in it. */
  open(sealed: SealedValue, place: string): Result<Uint8Array, string>;
  /** 16 hex digits that are equal for equal values of one place, and that tell nobody without the key anything about the value. */
  fingerprint(value: Uint8Array, place: string): string;
}

interface Key {
  /** First 16 hex digits of a hash of the key: tells a wrong key from a damaged value. */
  readonly id: string;
  readonly sealing: Buffer;
  readonly hashing: Buffer;
}

/** A key of 32 random bytes has 43 characters in base64; shorter text is guessable or cut off. */
const keyCharsMin = 32;
const remedy = 'set FLOTILLA_SECRETS_KEY to the output of `openssl rand -base64 32`, or to a Key Vault reference to it';

/** @param text one key, or several with commas between them, the one to seal with first. */
export function createKeyring(text: string): Result<Keyring, string> {
  const written = text.split(',').map((key) => key.trim());
  if (text.trim() === '') return err(`this installation has no key for secrets: ${remedy}`);
  if (text.startsWith('@Microsoft.KeyVault(')) {
    return err(
      'the platform could not resolve the Key Vault reference in FLOTILLA_SECRETS_KEY: the identity of the Function App needs the role Key Vault Secrets User on that secret',
    );
  }
  if (written.some((key) => key.length < keyCharsMin)) {
    return err(`a key in FLOTILLA_SECRETS_KEY has fewer than ${keyCharsMin} characters: ${remedy}`);
  }
  const keys = written.map(deriveKey);
  const [first] = keys as [Key, ...Key[]];
  return ok({
    seal: (value, place) => seal(first, value, place),
    open(sealed, place) {
      const key = keys.find(({ id }) => id === sealed.key);
      if (key !== undefined) return open(key, sealed, place);
      return err(
        `it was sealed with the key ${sealed.key}, and FLOTILLA_SECRETS_KEY holds ${keys.map(({ id }) => id).join(', ')}: add the old key behind the new one, or store the value again`,
      );
    },
    fingerprint: (value, place) =>
      createHmac('sha256', first.hashing).update(place).update('\0').update(value).digest('hex').slice(0, 16),
  });
}

/** One key for each purpose. The text is random, so one round of HMAC is enough: stretching is for passwords. */
function deriveKey(text: string): Key {
  const derive = (purpose: string): Buffer =>
    createHmac('sha256', text).update(`flotilla secrets 1 ${purpose}`).digest();
  const id = createHash('sha256').update(derive('id')).digest('hex').slice(0, 16);
  return { id, sealing: derive('seal'), hashing: derive('version') };
}

const nonceBytes = 12;

function seal({ id, sealing }: Key, value: Uint8Array, place: string): SealedValue {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', sealing, nonce).setAAD(Buffer.from(place));
  const data = Buffer.concat([cipher.update(value), cipher.final()]);
  const base64 = (bytes: Buffer): string => bytes.toString('base64');
  return { format: 1, key: id, nonce: base64(nonce), tag: base64(cipher.getAuthTag()), data: base64(data) };
}

function open({ sealing }: Key, sealed: SealedValue, place: string): Result<Uint8Array, string> {
  if (sealed.format !== 1) return err(`it has the format ${String(sealed.format)}, which this version does not know`);
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', sealing, bytes(sealed.nonce), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(place)).setAuthTag(bytes(sealed.tag));
    return ok(Buffer.concat([decipher.update(bytes(sealed.data)), decipher.final()]));
  } catch {
    return err('it was changed after it was sealed, or belongs elsewhere: store the value again');
  }
}
