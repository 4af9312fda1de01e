/**
 * Planted bugs: small patches of our own code, each of which passes the unit tests and must be caught by the named oracle on fresh seeds. A bug that no
 * oracle catches shows what is not being tested.
 */
import type { PlantedBug } from '../types.ts';

export const planted: readonly PlantedBug[] = [
  {
    name: 'owner-must-be-ready',
    file: 'src/decide/reap.ts',
    find: "row.group === group.name && row.state !== 'gone'",
    replace: "row.group === group.name && (row.state === 'ready' || row.state === 'deleting')",
    killedBy: 'ownership',
  },
];
