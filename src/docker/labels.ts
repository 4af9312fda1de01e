/** Labels on everything that is created on a Docker Engine: whose it is, and what of it. Nothing without them is ever touched. */

/** Who owns what is created. */
export interface Owner {
  /** Tells owners on one engine apart: letters and digits, short, because it is part of names. */
  readonly id: string;
  /** What belongs to it goes when this directory of this machine is gone. */
  readonly directory?: string;
  /** The machine that `directory` is on. */
  readonly machine: string;
}

export const labels = {
  owner: 'flotilla.owner',
  directory: 'flotilla.directory',
  machine: 'flotilla.machine',
  /** Unique id of the container group. */
  uid: 'flotilla.uid',
  group: 'flotilla.group',
  role: 'flotilla.role',
  container: 'flotilla.container',
  run: 'flotilla.run',
  /** Tells a sandbox apart from one that must be made anew. */
  digest: 'flotilla.digest',
  /** `account/share` of a file share, which is a volume of the owner and of no group. */
  share: 'flotilla.share',
} as const;

export type Role = 'sandbox' | 'run';

export function ownerLabels(owner: Owner): Record<string, string> {
  return {
    [labels.owner]: owner.id,
    [labels.machine]: owner.machine,
    ...(owner.directory !== undefined && { [labels.directory]: owner.directory }),
  };
}
