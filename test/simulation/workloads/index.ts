/** All workloads. */
import type { Workload } from '../types.ts';
import { busy, idle } from './busy.ts';
import { changes } from './changes.ts';
import { drains } from './drains.ts';
import { errands } from './errands.ts';
import { hopeless } from './hopeless.ts';
import { life } from './life.ts';
import { operator } from './operator.ts';
import { orders } from './orders.ts';
import { relapse } from './relapse.ts';
import { releases } from './releases.ts';
import { rolling } from './rolling.ts';
import { variety } from './variety.ts';

/** Of which each seed draws one. */
export const workloads: readonly Workload[] = [changes, variety, orders, operator, releases, errands];

/** Also those that are only run by name. */
export const allWorkloads: readonly Workload[] = [...workloads, busy, idle, life, relapse, hopeless, rolling, drains];
