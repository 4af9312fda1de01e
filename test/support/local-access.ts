/** The key that a platform has left for clients of the user whose `FLOTILLA_HOME` is given. */
import { readFileSync } from 'node:fs';
import { type ApiAccess, accessSchema, loopbackAccessPath } from '../../src/model/access.ts';

export const localAccessOf = (home: string, api: string): ApiAccess =>
  accessSchema.parse(JSON.parse(readFileSync(loopbackAccessPath(home, Number(new URL(api).port)), 'utf8')));

export const localKeyOf = (home: string, api: string): string => localAccessOf(home, api).key;
