/** Identity of a revision: equal templates give equal hashes, whatever the order of their keys. */

import { createHash } from 'node:crypto';
import type { ServiceTemplate } from '../model/app-spec.ts';
import { canonicalJson } from './json.ts';

/** First 12 hex digits of the SHA-256 of the canonical JSON: 48 bits, of which one service holds at most a few dozen values. */
export const revisionHash = (template: ServiceTemplate): string =>
  createHash('sha256').update(canonicalJson(template)).digest('hex').slice(0, 12);
