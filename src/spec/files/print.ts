/** A resolved document → YAML that resolves to it again: what `flotilla config` prints. */

import { stringify } from 'yaml';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { escapeText } from './interpolate.ts';

/** Every `$` in a value is doubled, because reading interpolates; nothing is folded, and no anchors are made up. */
export const printDocument = (document: JsonObject): string =>
  stringify(escapeValues(document), { lineWidth: 0, aliasDuplicateObjects: false });

/** Extensions of other tools are not interpolated (`resolve.ts`), so they are not escaped either. */
const escapeValues = (document: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(document).map(([key, value]) => [
      key,
      key.startsWith('x-') && key !== 'x-flotilla' ? value : escapeJson(value),
    ]),
  );

function escapeJson(value: Json): Json {
  if (typeof value === 'string') return escapeText(value);
  if (Array.isArray(value)) return value.map(escapeJson);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, escapeJson(member)]));
}
