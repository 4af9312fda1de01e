/** All oracles. Each stands alone and imports nothing of `src`. */
import type { Oracle } from '../types.ts';
import { convergence } from './convergence.ts';
import { ownership } from './ownership.ts';

export const oracles: readonly Oracle[] = [ownership, convergence];
