/**
 * `x-flotilla.affinity` and `antiAffinity`. Nothing places by them yet, so a preference (`required: false`) is ignored with a warning, and a
 * demand, which is what an entry without `required` is, is refused: the app must not run where its author ruled it out.
 */

import { isObject, joinPath } from './json.ts';
import type { Report } from './report.ts';
import { firstPool } from './support.ts';

/** @param extension `x-flotilla` of a service; its unknown keys are judged elsewhere */
export function checkAffinities(extension: unknown, path: string, report: Report): void {
  if (!isObject(extension)) return;
  for (const key of ['affinity', 'antiAffinity'] as const) {
    const place = joinPath(path, key);
    const entries = extension[key];
    if (entries === undefined || entries === null) continue;
    if (!Array.isArray(entries)) {
      report.refuse(place, 'must be a list.', 'Write `[{service: NAME, topology: zone, required: false}]`.');
      continue;
    }
    entries.forEach((entry, index) => {
      if (isObject(entry)) checkEntry(entry, joinPath(place, index), report);
    });
  }
}

function checkEntry(entry: Readonly<Record<string, unknown>>, place: string, report: Report): void {
  const { required = true } = entry;
  if (required === false || required === 'false') {
    report.warn(
      place,
      `this preference is ignored: ${firstPool}.`,
      'Nothing to do; remove it to silence this warning.',
    );
  } else {
    report.refuse(
      place,
      'a required placement is not supported: a replica goes to the first pool with room.',
      'Write `required: false` if the app may run otherwise, or remove it.',
    );
  }
}
