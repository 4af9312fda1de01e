/** Version of the app as a value, because code that the Functions host loads finds no package.json at a known place. */
export const version = '0.1.0';

/** By numbers, part by part. `null`, of a row that names no version, is older than any. */
export function isOlder(one: string | null, other: string): boolean {
  if (one === null) return true;
  const [a, b] = [numbersOf(one), numbersOf(other)];
  for (let n = 0; n < Math.max(a.length, b.length); n += 1) {
    const difference = (a[n] ?? 0) - (b[n] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

const numbersOf = (text: string): readonly number[] => text.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0);
