/** What the readers of one app's files share. */

import type { Lookup } from './interpolate.ts';
import type { Complain } from './merge.ts';
import type { MapNode } from './nodes.ts';
import type { Asked, Sources } from './source.ts';

export interface Loading {
  readonly sources: Sources;
  readonly lookup: Lookup;
  /** What `include` is relative to. */
  readonly directory: string;
  /** The files that include this one. */
  readonly trail: readonly string[];
  readonly complainMerge: Complain;
}

export type LoadFiles = (loading: Loading, files: readonly string[], asked?: Asked) => Promise<MapNode | undefined>;
