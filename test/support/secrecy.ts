/** Looks for a value in everything that lies in a directory, also in the forms in which it travels. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** As text, in base64 at each of the three offsets that it may have there, and in hex. */
const formsOf = (value: string): readonly Buffer[] => [
  Buffer.from(value),
  ...[0, 1, 2].map((skipped) => Buffer.from(Buffer.from(value.slice(skipped)).toString('base64').slice(0, -4))),
  Buffer.from(Buffer.from(value).toString('hex')),
];

export const tells = (text: string | Buffer, value: string): boolean =>
  formsOf(value).some((form) => Buffer.from(text).includes(form));

/** Files in the directory and below that have the value in them. @param value at least 12 characters */
export function filesTelling(directory: string, value: string): readonly string[] {
  const files = readdirSync(directory, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name)).filter((path) => tells(readFileSync(path), value));
}
