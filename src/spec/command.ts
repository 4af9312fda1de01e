/** `entrypoint` and `command` → ACI's one `command` list. ACI's list replaces both ENTRYPOINT and CMD of the image. */

import { joinPath } from './json.ts';
import { readStrings } from './read.ts';
import type { Report } from './report.ts';

/** @returns the words to start; empty = what the image says. */
export function readCommand(
  service: Readonly<Record<string, unknown>>,
  path: string,
  report: Report,
): readonly string[] {
  const entrypoint = readWords(service['entrypoint'], joinPath(path, 'entrypoint'), report);
  const command = readWords(service['command'], joinPath(path, 'command'), report);
  if (entrypoint === undefined && command !== undefined) {
    const isEmpty = command.length === 0;
    report.warn(
      joinPath(path, 'command'),
      isEmpty
        ? 'is empty, which Azure Container Instances cannot say: the image’s own command is run.'
        : 'replaces the image’s ENTRYPOINT too, because Azure Container Instances has one command for both.',
      'State `entrypoint` as well (empty if the image has none).',
    );
  }
  if (entrypoint?.length === 0 && (command ?? []).length === 0) {
    report.error(
      joinPath(path, 'entrypoint'),
      'is empty and no `command` is stated: Azure Container Instances cannot drop the image’s ENTRYPOINT alone.',
      'State in `command` what is to be run, or remove `entrypoint`.',
    );
  }
  return [...(entrypoint ?? []), ...(command ?? [])];
}

/** Text is split into words as Compose does it, without a shell. `undefined` = not stated. */
function readWords(value: unknown, path: string, report: Report): readonly string[] | undefined {
  if (typeof value === 'string') {
    const words = splitWords(value);
    if (words !== undefined) return words;
    report.refuse(path, 'has a quote that is never closed.', 'Close the quote, or write a list of words.');
    return undefined;
  }
  return Array.isArray(value) && value.every((word) => typeof word === 'string') ? readStrings(value) : undefined;
}

/** Splits by blanks; quotes and backslashes as in a POSIX shell, nothing is expanded. `undefined` where a quote or backslash is left open. */
export function splitWords(text: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  const pattern = /(\s+)|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)/y;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null) return undefined;
    const [, blank, single, double, escaped, plain] = match;
    if (blank !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = `${word ?? ''}${single ?? double?.replace(/\\([\\"$`\n])/g, '$1') ?? escaped ?? plain ?? ''}`;
    }
  }
  return word === undefined ? words : [...words, word];
}
