/** The way out of a program that heeds no key: `~.` at the beginning of a line, as of ssh and nomad. Pure. */

const [tilde, dot, enter, newline] = [126, 46, 13, 10] as const;

/** Where typing stands: at the beginning of a line, behind a `~` there that is held back, or elsewhere. */
export type Place = 'lineStart' | 'tilde' | 'within';

export interface Typed {
  /** What goes to the program. */
  readonly keys: Uint8Array;
  readonly place: Place;
  /** `~.` was typed. */
  readonly leaves: boolean;
}

/** `~~` at the beginning of a line is one `~`. */
export function readKeys(typed: Uint8Array, from: Place): Typed {
  const keys: number[] = [];
  let place = from;
  for (const key of typed) {
    if (place === 'lineStart' && key === tilde) {
      place = 'tilde';
      continue;
    }
    if (place === 'tilde') {
      if (key === dot) return { keys: Uint8Array.from(keys), place, leaves: true };
      if (key !== tilde) keys.push(tilde);
    }
    keys.push(key);
    place = key === enter || key === newline ? 'lineStart' : 'within';
  }
  return { keys: Uint8Array.from(keys), place, leaves: false };
}
