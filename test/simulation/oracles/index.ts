/** All oracles. Each stands alone and imports nothing of `src`. */
import type { Oracle } from '../types.ts';
import { absence } from './absence.ts';
import { audit } from './audit.ts';
import { availability } from './availability.ts';
import { bound } from './bound.ts';
import { budgets } from './budgets.ts';
import { byHand } from './by-hand.ts';
import { capacity } from './capacity.ts';
import { commands } from './commands.ts';
import { convergence } from './convergence.ts';
import { drains } from './drains.ts';
import { fencing } from './fencing.ts';
import { frozen } from './frozen.ts';
import { hints } from './hints.ts';
import { ownership } from './ownership.ts';
import { patience } from './patience.ts';
import { placement } from './placement.ts';
import { pools } from './pools.ts';
import { promptness } from './promptness.ts';
import { reality } from './reality.ts';
import { regions } from './regions.ts';
import { replay } from './replay.ts';
import { replies } from './replies.ts';
import { restarts } from './restarts.ts';
import { rollouts } from './rollouts.ts';
import { runs } from './runs.ts';
import { secrecy } from './secrecy.ts';
import { secrets } from './secrets.ts';
import { stillness } from './stillness.ts';
import { takeover } from './takeover.ts';
import { traffic } from './traffic.ts';
import { writeAhead } from './write-ahead.ts';

export const oracles: readonly Oracle[] = [
  ownership,
  frozen,
  restarts,
  runs,
  capacity,
  writeAhead,
  fencing,
  commands,
  availability,
  traffic,
  patience,
  absence,
  audit,
  budgets,
  placement,
  pools,
  regions,
  drains,
  replay,
  rollouts,
  secrets,
  promptness,
  bound,
  convergence,
  reality,
  replies,
  secrecy,
  stillness,
  takeover,
  hints,
  byHand,
];
