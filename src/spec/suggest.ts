/** Proposals for what someone probably meant: the nearest known word, and a legal name. */

import { compareText } from './json.ts';

/** The known word within a third of its length (at least two edits, swaps counting as one) that is nearest to `written`; ties alphabetical. */
export function nearestWord(written: string, known: Iterable<string>): string | undefined {
  const ranked = [...known]
    .map((word) => ({ word, distance: editDistance(written.toLowerCase(), word.toLowerCase()) }))
    .filter(({ word, distance }) => distance <= Math.max(2, Math.floor(word.length / 3)) && distance < word.length)
    .sort((left, right) => left.distance - right.distance || compareText(left.word, right.word));
  return ranked[0]?.word;
}

/** Edits (insert, delete, replace, swap neighbours) between two words; words beyond 64 characters count as unlike. */
export function editDistance(left: string, right: string): number {
  if (left.length > 64 || right.length > 64) return Number.POSITIVE_INFINITY;
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= left.length; row += 1) {
    const current: number[] = [row];
    rows.push(current);
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current.push(
        Math.min(
          at(row - 1, column) + 1,
          (current[column - 1] ?? Number.POSITIVE_INFINITY) + 1,
          at(row - 1, column - 1) + (same ? 0 : 1),
          swapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
  }
  return at(left.length, right.length);
}

/** The nearest legal app or service name, or undefined where nothing legal remains: `My_App` → `my-app`. Proposed, never applied. */
export function proposeName(written: string): string | undefined {
  const proposed = written
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return proposed === '' ? undefined : proposed;
}
