/**
 * Container groups on a Docker Engine. A group is a *sandbox*, a container that only holds a network namespace with the group's address, and
 * the *runs* of its containers inside that namespace: every start is a container of its own, named after its ordinal, so that asking twice
 * creates once. It remembers nothing: everything is read back from the engine by label. Whoever uses it decides what should be there.
 */
import type { Duplex, Readable } from 'node:stream';
import type Docker from 'dockerode';
import {
  endpointOf,
  type GroupSeen,
  type RunSpec,
  runOptions,
  runSeen,
  type SandboxSpec,
  sandboxOptions,
  sandboxSeen,
} from './containers.ts';
import { type Watch, watchEvents } from './events.ts';
import { type ExecAnswer, execIn } from './exec.ts';
import { engineMessage, statusOf, unless } from './failure.ts';
import { credentialsFor, ensureImage, type RegistryCredentials } from './images.ts';
import { labels, type Owner } from './labels.ts';
import { followLogs, type PrintedLine } from './logs.ts';
import { ensureNetwork, networkName } from './network.ts';
import { removeOwned } from './removal.ts';
import { ensureSandboxImage } from './sandbox-image.ts';
import { attachOutput, openTerminal } from './terminal.ts';
import { type UsageSeen, usageOf } from './usage.ts';
import { ensureVolumes, fillVolumes, removeVolumes, volumesOf } from './volumes.ts';

/** Every call rejects when the engine is not reached; what it refuses, it refuses with a `statusCode`. */
export interface GroupEngine {
  /** The network and the sandbox image; returns the subnet. `subnet` asks for that one. */
  prepare(subnet?: string): Promise<string>;
  /** Unique ids of the groups of which something is there. */
  groups(): Promise<ReadonlySet<string>>;
  inspect(uid: string): Promise<GroupSeen>;
  /** Undefined once the image is there, or why it cannot be had. */
  ensureImage(image: string, credentials: readonly RegistryCredentials[]): Promise<string | undefined>;
  /** With its volumes, which are not filled yet. */
  startSandbox(spec: SandboxSpec): Promise<void>;
  /** Before the first container uses them. */
  fillVolumes(sandboxId: string, contents: Pick<SandboxSpec, 'volumes' | 'files'>): Promise<void>;
  removeVolumes(names: readonly string[]): Promise<void>;
  /** Takes a running sandbox out of its network, or into it at the address; its containers run on. */
  moveSandbox(id: string, address: string | 'none' | 'any'): Promise<void>;
  /** Undefined once it runs, or the engine's words why the run cannot start. */
  startRun(sandboxId: string, spec: RunSpec): Promise<string | undefined>;
  /** TERM, and KILL after the time. */
  stop(id: string, graceSeconds: number): Promise<void>;
  setPaused(id: string, paused: boolean): Promise<void>;
  /** Ended by force if need be; with the volumes that its image asked for. */
  remove(id: string): Promise<void>;
  exec(id: string, command: readonly string[], timeoutMs: number): Promise<ExecAnswer>;
  /** The engine's id of a run; undefined = it is not there. */
  runId(uid: string, container: string, run: number): Promise<string | undefined>;
  openTerminal(id: string, program: string, size: { readonly rows: number; readonly cols: number }): Promise<Duplex>;
  attachOutput(id: string): Promise<Readable>;
  followLogs(
    id: string,
    sinceMs: number | undefined,
    onLines: (lines: readonly PrintedLine[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
  /** Of everything that runs now. */
  usage(): Promise<readonly UsageSeen[]>;
  watch(onHint: (uid: string | undefined) => void): Watch;
  /** Containers, volumes and network of the owner. */
  removeEverything(): Promise<void>;
}

export function createGroupEngine(options: {
  readonly docker: Docker;
  readonly owner: Owner;
  readonly processors: number;
}): GroupEngine {
  const { docker, owner, processors } = options;
  const network = networkName(owner);
  const list = (...filters: readonly string[]) =>
    docker.listContainers({ all: true, filters: { label: [`${labels.owner}=${owner.id}`, ...filters] } });
  return {
    async prepare(subnet) {
      await ensureSandboxImage(docker);
      return (await ensureNetwork(docker, owner, subnet)).subnet;
    },
    async groups() {
      const containers = await list(labels.uid);
      const volumes = await volumesOf(docker, owner);
      return new Set([...containers.map(({ Labels }) => Labels[labels.uid] ?? ''), ...volumes.map(({ uid }) => uid)]);
    },
    async inspect(uid) {
      const volumes = await volumesOf(docker, owner, uid);
      const containers = await inspectContainers(docker, await list(`${labels.uid}=${uid}`), network);
      return { ...containers, volumes: volumes.map(({ name }) => name) };
    },
    ensureImage(image, all) {
      const credentials = credentialsFor(image, all);
      return ensureImage(docker, image, credentials && { credentials });
    },
    async startSandbox(spec) {
      await ensureVolumes(docker, owner, spec);
      await startNamed(docker, sandboxOptions(owner, network, spec));
    },
    fillVolumes: (sandboxId, contents) => fillVolumes(docker, sandboxId, contents),
    removeVolumes: (names) => removeVolumes(docker, names),
    async moveSandbox(id, address) {
      const own = docker.getNetwork(network);
      await unless([403, 404, 500], own.disconnect({ Container: id, Force: true }));
      if (address === 'none') return;
      const EndpointConfig = endpointOf(address === 'any' ? undefined : address);
      await own.connect({ Container: id, EndpointConfig });
    },
    async startRun(sandboxId, spec) {
      try {
        await startNamed(docker, runOptions(owner, sandboxId, processors, spec));
        return undefined;
      } catch (error) {
        if (statusOf(error) === undefined) throw error;
        return engineMessage(error);
      }
    },
    stop: async (id, graceSeconds) =>
      void (await unless([304, 404], docker.getContainer(id).stop({ t: graceSeconds }))),
    async setPaused(id, paused) {
      const container = docker.getContainer(id);
      await unless([404, 409, 500], paused ? container.pause() : container.unpause());
    },
    remove: async (id) => void (await unless([404, 409], docker.getContainer(id).remove({ force: true, v: true }))),
    exec: (id, command, timeoutMs) => execIn(docker, id, command, timeoutMs),
    async runId(uid, container, run) {
      const wanted = [`${labels.uid}=${uid}`, `${labels.container}=${container}`, `${labels.run}=${run}`];
      return (await list(...wanted))[0]?.Id;
    },
    openTerminal: (id, program, size) => openTerminal(docker, id, program, size),
    attachOutput: (id) => attachOutput(docker, id),
    followLogs: (id, sinceMs, onLines, signal) => followLogs(docker, id, sinceMs, onLines, signal),
    usage: () => usageOf(docker, owner),
    watch: (onHint) => watchEvents(docker, owner, onHint),
    removeEverything: () => removeOwned(docker, owner),
  };
}

async function inspectContainers(
  docker: Docker,
  listed: readonly Docker.ContainerInfo[],
  network: string,
): Promise<Omit<GroupSeen, 'volumes'>> {
  const found = await Promise.all(listed.map(({ Id }) => unless([404], docker.getContainer(Id).inspect())));
  const there = found.filter((one) => one !== undefined);
  const isSandbox = (one: Docker.ContainerInspectInfo) => one.Config.Labels[labels.role] === 'sandbox';
  return {
    sandboxes: there.filter(isSandbox).map((one) => sandboxSeen(one, network)),
    runs: there.filter((one) => !isSandbox(one)).map(runSeen),
  };
}

/** A name that is taken is our own earlier attempt. */
async function startNamed(docker: Docker, options: Docker.ContainerCreateOptions): Promise<void> {
  await unless([409], docker.createContainer(options));
  await unless([304], docker.getContainer(options.name ?? '').start());
}
