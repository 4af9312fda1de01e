/**
 * Planted leaks: what a library would do that kept the real clock, timers or random numbers, or that looked at the machine's language. Each puts
 * something real into every row the app writes; determinism must notice every one.
 */
import type { PlantedBug } from '../types.ts';
import { natives } from '../virtual/natives.ts';

/** How a leak shows: in one run, by the name of the check, or only when two processes are compared. */
export type Notice = 'REAL' | 'TRIPWIRE' | 'comparison';

export interface Leak extends Pick<PlantedBug, 'name' | 'file' | 'find' | 'replace'> {
  readonly noticedBy: Notice;
}

const find = 'const entity: Entity = { partitionKey: partition, rowKey, kind: row.kind };';
const leak = (name: string, noticedBy: Notice, expression: string): Leak => ({
  name,
  noticedBy,
  file: 'src/azure/row-codec.ts',
  find,
  replace: `const entity: Entity = { partitionKey: partition, rowKey, kind: row.kind, leak: ${expression} };`,
});

export const leaks: readonly Leak[] = [
  leak('clock', 'REAL', 'String((globalThis as any).leaked.now())'),
  leak('date', 'REAL', 'new (globalThis as any).leaked.Date().toISOString()'),
  leak('uuid', 'REAL', '(globalThis as any).leaked.randomUUID()'),
  leak('timer', 'TRIPWIRE', '((globalThis as any).leaked.setTimeout(() => {}, 1), 1)'),
  leak('thread-pool', 'TRIPWIRE', '((globalThis as any).leaked.gzip("x", () => {}), 1)'),
  leak('random', 'comparison', 'String((globalThis as any).leaked.random())'),
  leak('locale', 'comparison', '(1234567.5).toLocaleString()'),
];

/** What the leaks use: the real things, kept from before the preload. */
export function openLeaks(): void {
  Object.assign(globalThis, { leaked: { ...natives, now: natives.Date.now } });
}
