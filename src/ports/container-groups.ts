/** The pool's control plane: Azure Container Instances through ARM. Calls never retry by themselves (principle 5): workflows do, after read-back. */
import type { GroupObservation, GroupSpec, LocatedGroup } from '../model/group.ts';
import type { Result } from '../model/result.ts';
import type { PoolRow } from '../model/state.ts';
import type { TerminalSize } from '../model/terminal.ts';
import type { PortError } from './errors.ts';

export type PoolPlace = Pick<PoolRow, 'pool' | 'subscriptionId' | 'resourceGroup' | 'region'>;

export type ResourceGroup = Pick<PoolPlace, 'subscriptionId' | 'resourceGroup'>;

export interface LogQuery {
  /** So many lines at most; ACI hands out at most 4 MB. */
  readonly tail: number;
  /** Each line begins with its instant (RFC 3339) and a blank. Default false. */
  readonly timestamps?: boolean;
  /** Shorter than the timeout of the other calls. */
  readonly timeoutMs?: number;
}

export interface ExecQuery {
  /** Path of one program: ACI passes it no arguments. */
  readonly program: string;
  /** Of the terminal it runs in, for as long as it runs; ACI's own where it is left out. */
  readonly size?: TerminalSize;
}

/** Where a terminal can be had, once: whoever connects to `webSocketUri` sends `password`, a secret value, as the first frame. */
export interface ExecSession {
  readonly webSocketUri: string;
  readonly password: string;
}

export interface ContainerGroups {
  /**
   * PUTs the group and returns once ARM has accepted it; provisioning goes on. Never call it for a group that may exist: a PUT restarts its
   * containers even when nothing changed. An error of kind `Unknown` says nothing about the PUT: read back.
   */
  create(place: PoolPlace, group: GroupSpec): Promise<Result<'accepted', PortError>>;
  /** With instance view. 404 is `NotFound`. */
  get(place: PoolPlace, name: string): Promise<Result<GroupObservation, PortError>>;
  /** Every page, or an error: a partial listing is never returned. */
  list(place: ResourceGroup): Promise<Result<readonly LocatedGroup[], PortError>>;
  /** Idempotent: `gone` when there was nothing; `accepted` when the deletion is under way. */
  delete(place: PoolPlace, name: string): Promise<Result<'accepted' | 'gone', PortError>>;
  /** Last lines of a container, oldest first. `ContainerLogNotAvailable` (`NotFound`) = it has not started yet. */
  logs(place: PoolPlace, name: string, container: string, query: LogQuery): Promise<Result<string, PortError>>;
  /** A session that nobody connects to ends by itself: asked again, ARM opens another. `Conflict` = the container does not run. */
  exec(place: PoolPlace, name: string, container: string, query: ExecQuery): Promise<Result<ExecSession, PortError>>;
}
