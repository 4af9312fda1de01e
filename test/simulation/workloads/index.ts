/** All workloads. */
import type { Workload } from '../types.ts';
import { busy } from './busy.ts';
import { changes } from './changes.ts';
import { life } from './life.ts';

/** Of which each seed draws one. */
export const workloads: readonly Workload[] = [changes];

/** Also those that are only run by name. */
export const allWorkloads: readonly Workload[] = [...workloads, busy, life];
