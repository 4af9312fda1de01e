/** Seeded numbers: a hash for named draws, and a generator for whatever asks `Math.random` or for a UUID. Pure. */

/** 32-bit hash of a text under a seed (MurmurHash3's mixing over UTF-16 code units). */
export function hash32(seed: number, text: string): number {
  let h = seed | 0;
  for (let i = 0; i < text.length; i++) {
    let k = Math.imul(text.charCodeAt(i), 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  return finish(h ^ text.length);
}

function finish(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}

/** In [0, 1): the value of the `nth` use of a key under a seed. */
export function keyedUnit(seed: number, key: string, nth: number): number {
  return finish(hash32(seed, key) + Math.imul(nth, 0x9e3779b1)) / 2 ** 32;
}

export interface Generator {
  /** In [0, 1). */
  next(): number;
  bytes(target: Uint8Array): void;
  /** A UUID whose version nibble is 8: a real one (4) in a trace is thereby a leak. */
  uuid(): string;
}

const byteHex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const hex = (value: number): string =>
  `${byteHex[value >>> 24]}${byteHex[(value >>> 16) & 0xff]}${byteHex[(value >>> 8) & 0xff]}${byteHex[value & 0xff]}`;

/** sfc32 by Chris Doty-Humphrey. */
export function createGenerator(seed: number): Generator {
  let a = hash32(seed, 'a') | 0;
  let b = hash32(seed, 'b') | 0;
  let c = hash32(seed, 'c') | 0;
  let counter = 1;
  const word = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) word();
  const bytes = (target: Uint8Array): void => {
    for (let i = 0; i < target.length; i++) target[i] = word() & 0xff;
  };
  return {
    next: () => word() / 2 ** 32,
    bytes,
    uuid() {
      const [one, two, three, four] = [hex(word()), hex(word()), hex(word()), hex(word())];
      return `${one}-${two.slice(0, 4)}-8${two.slice(5)}-a${three.slice(1, 4)}-${three.slice(4)}${four}`;
    },
  };
}
