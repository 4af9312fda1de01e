/** What the ARM stand-in asks of whoever knows images: pure answers, so that the same core runs with and without sockets. */
import type { MountSpec } from '../../docker/volumes.ts';
import type { Vault } from '../vault.ts';
import type { Behaviour, RealContainer } from './model.ts';

export interface ContainerSpec {
  readonly image: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly secureEnvironment: Readonly<Record<string, string>>;
  /** Paths of the files that secret volumes bring. */
  readonly secretFiles: readonly string[];
  /** TCP ports the container declares. */
  readonly ports: readonly number[];
  readonly mounts: readonly MountSpec[];
  /** Hosts of the registries that the group can sign in to. */
  readonly registries: readonly string[];
}

/** The most a container may use: its limit, or else its request. */
export interface ContainerLimits {
  readonly cpuCores: number;
  readonly memoryGiB: number;
}

/** What a process on `localhost:port` of the group does with a connection. */
export type Reached =
  | { readonly kind: 'refused' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'tcp'; readonly banner: string }
  | { readonly kind: 'http'; readonly status: number; readonly delayMs: number };

/** The inside of a container, as a command that runs there sees it. */
export interface Inside {
  reach(port: number): Reached;
  readonly files: readonly string[];
  readonly hostname: string;
  /** Plain values only: secure ones are not kept. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly output: string;
  /** Virtual running time. */
  readonly tookMs: number;
}

export interface Containers {
  /** Seals what every start needs of a group's secrets. Absent = no start needs any, so none is kept. */
  readonly vault?: Pick<Vault, 'seal' | 'fingerprint'>;
  /** Images that the platform holds ready. */
  readonly cachedImages: readonly string[];
  /** What the container will do, or that it is real and will be observed. */
  behaviour(spec: ContainerSpec, limits: ContainerLimits): Behaviour | RealContainer;
  /** Runs one command inside a container. Never throws: an unknown command exits 127. Asked of modelled ones only. */
  exec(command: readonly string[], inside: Inside, timeoutMs: number): ExecResult;
}
