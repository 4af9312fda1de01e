/** Names the phase of a workflow that a fault struck, for the coverage of (fault × phase) pairs. */
import type { Cause } from '../types.ts';

const byFunction: Readonly<Record<string, string>> = {
  apiApp: 'accept',
  commands: 'apply',
  commandDeadLetters: 'apply',
  assess: 'assess',
  startWorkflow: 'start',
  settle: 'settle',
  pass: 'pass',
  createGroup: 'create',
  deleteGroup: 'delete',
  finish: 'finish',
  resync: 'resync',
  scan: 'scan',
  purge: 'purge',
  groupEvents: 'event',
  app: 'turn',
  deployment: 'turn',
  teardown: 'turn',
};

/** The phases that a hostile run of apply, scale, revise and delete goes through. */
export const phases = [...new Set(Object.values(byFunction))];

export const phaseOf = (cause: Cause | null): string => (cause ? (byFunction[cause.fn] ?? 'other') : 'idle');
