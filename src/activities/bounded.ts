/** Work over many items with bounds: so many at a time, for so long, and not always the same ones first. */

/** Runs `work` over all items, at most `width` at a time; results in the order of the items. */
export const mapBounded = async <T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> => (await mapWhile(items, width, () => true, work)) as readonly R[];

/** The same, but begins nothing more once `mayBegin` says no; `undefined` stands for what was not begun. */
export async function mapWhile<T, R>(
  items: readonly T[],
  width: number,
  mayBegin: () => boolean,
  work: (item: T) => Promise<R>,
): Promise<readonly (R | undefined)[]> {
  const results = new Array<R | undefined>(items.length).fill(undefined);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length && mayBegin()) {
      const index = next++;
      results[index] = await work(items[index] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}

const goldenRatio = 0.618_033_988_749_895;

/** A place among `count` to begin at: instants of any regular series fall all over it. */
export const placeAt = (now: number, count: number): number => Math.floor((((now / 1_000) * goldenRatio) % 1) * count);

/** The same items, beginning with number `start` modulo their count: with a bound, each has its turn. */
export function rotated<T>(items: readonly T[], start: number): readonly T[] {
  const first = items.length === 0 ? 0 : start % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
