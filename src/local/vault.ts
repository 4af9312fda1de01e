/**
 * Seals what a stand-in for Azure must keep and nobody may read in its files: AES-256-GCM with a random nonce, bound to the place where the value
 * belongs. The keys are those of the data directory (`secrets-key.ts`).
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

export interface Vault {
  /** @param place what the value is bound to */
  seal(text: string, place: string): string;
  /** Undefined = it was sealed with another key or for another place, or was changed. */
  open(sealed: string, place: string): string | undefined;
  /** 16 hex digits, equal for equal texts of one place, that tell nobody without the key anything about the text. */
  fingerprint(text: string, place: string): string;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param keys one text, or several with commas between them: the first seals, all open. */
export function createVault(keys: string): Vault {
  const derive = (key: string, purpose: string) => createHmac('sha256', key.trim()).update(purpose).digest();
  const all = keys.split(',').map((key) => ({
    sealing: derive(key, 'flotilla world seal'),
    hashing: derive(key, 'flotilla world fingerprint'),
  }));
  const [first] = all as [(typeof all)[number]];
  return {
    seal(text, place) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, first.sealing, nonce).setAAD(Buffer.from(place));
      const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), data]).toString('base64');
    },
    open(sealed, place) {
      const bytes = Buffer.from(sealed, 'base64');
      for (const { sealing } of all) {
        const text = opened(sealing, bytes, place);
        if (text !== undefined) return text;
      }
      return undefined;
    },
    fingerprint: (text, place) =>
      createHmac('sha256', first.hashing).update(`${place}\0${text}`).digest('hex').slice(0, 16),
  };
}

function opened(key: Buffer, bytes: Buffer, place: string): string | undefined {
  const head = NONCE_BYTES + TAG_BYTES;
  if (bytes.length < head) return undefined;
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(NONCE_BYTES, head));
    return Buffer.concat([decipher.update(bytes.subarray(head)), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
