/** Planted hangs: an answer that never comes, and a loop that never gives control back. Neither may pass for a slow world. */
import type { PlantedBug } from '../types.ts';

type Hang = Pick<PlantedBug, 'name' | 'file' | 'find' | 'replace'>;

const find = 'const { app, service, workflow, guardEtag } = input;';
const hang = (name: string, statement: string): Hang => ({
  name,
  file: 'src/activities/finish.ts',
  find,
  replace: `${statement}\n  ${find}`,
});

export const hangs: readonly Hang[] = [
  hang('promise', 'await new Promise(() => undefined);'),
  hang('loop', 'for (;;) await null;'),
];
