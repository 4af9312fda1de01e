/** All workloads by name. */
import type { Workload } from '../types.ts';
import { changes } from './changes.ts';

export const workloads: readonly Workload[] = [changes];
