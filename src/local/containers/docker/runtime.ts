/** Real containers on a Docker Engine: one keeper per group, told by the ARM core what is wanted and by the engine's events when to look. */

import type { Duplex, Readable } from 'node:stream';
import type { GroupEngine } from '../../../docker/engine.ts';
import type { Watch } from '../../../docker/events.ts';
import { type AddressRange, bridgeAddress } from '../../../docker/network.ts';
import type { Containers } from '../../aci/containers-port.ts';
import type { ArmSettings } from '../../aci/settings.ts';
import type { RunningContainer, TerminalSize } from '../../aci/terminals.ts';
import type { WantedGroup } from '../../aci/wanted.ts';
import type { Vault } from '../../vault.ts';
import type { ContainerRuntime, RuntimeWorld } from '../runtime.ts';
import { GroupKeeper } from './keeper.ts';
import { Meter } from './meter.ts';
import { openSecrets, realContainers } from './real-containers.ts';
import { createNetworkResolver, type NetworkResolver } from './resolver.ts';

/** Events may be lost with the connection that brings them. */
const RESYNC_MS = 15_000;
/** Two measurements in every minute, the finest grain of the metrics. */
const MEASURE_MS = 30_000;

export interface DockerRuntimeOptions {
  readonly engine: GroupEngine;
  readonly addresses: AddressRange;
  /** The subnet that the addresses are of. */
  readonly subnet: string;
  readonly why: string;
  /** Seals what starts need, and opens it for them. */
  readonly vault: Vault;
}

export class DockerRuntime implements ContainerRuntime {
  readonly kind = 'docker';
  readonly containers: Containers;
  readonly description: string;
  readonly settings: Partial<ArmSettings>;
  readonly #engine: GroupEngine;
  readonly #subnet: string;
  readonly #vault: Vault;
  readonly #keepers = new Map<string, GroupKeeper>();
  #world: RuntimeWorld | undefined;
  #resolver: NetworkResolver | undefined;
  #watch: Watch | undefined;
  readonly #meter = new Meter();
  #timers: readonly NodeJS.Timeout[] = [];
  #closed = false;

  constructor({ engine, addresses, subnet, why, vault }: DockerRuntimeOptions) {
    this.containers = realContainers(vault);
    this.#vault = vault;
    this.#engine = engine;
    this.#subnet = subnet;
    this.description = why;
    this.settings = { addresses };
  }

  attach(world: RuntimeWorld): void {
    this.#world = world;
    this.#resolver = createNetworkResolver({
      address: bridgeAddress(this.#subnet),
      networkOf: (address) => this.#networkOf(address),
      resolve: world.resolve,
    });
    // When the engine is away nothing can be done: its return is noticed by the watch.
    const resync = () => void this.#resync().catch(() => undefined);
    this.#watch = this.#engine.watch((uid) => (uid === undefined ? resync() : this.#keepers.get(uid)?.look()));
    const measure = () => void this.#measure().catch(() => undefined);
    this.#timers = [setInterval(resync, RESYNC_MS), setInterval(measure, MEASURE_MS)];
  }

  reconcile(): void {
    if (this.#closed) return;
    const wanted = this.#wanted();
    for (const [uid, group] of wanted) this.#keeperOf(uid).want(group);
    for (const [uid, keeper] of this.#keepers) if (!wanted.has(uid)) keeper.want(undefined);
  }

  async exec(target: RunningContainer, program: string, size: TerminalSize): Promise<Duplex> {
    return this.#engine.openTerminal(await this.#idOf(target), program, size);
  }

  async attachOutput(target: RunningContainer): Promise<Readable> {
    return this.#engine.attachOutput(await this.#idOf(target));
  }

  async #idOf({ uid, container, run }: RunningContainer): Promise<string> {
    const id = await this.#engine.runId(uid, container, run);
    if (id === undefined) throw new Error(`The container '${container}' is not running any more.`);
    return id;
  }

  async settled(): Promise<void> {
    for (;;) {
      const working = [...this.#keepers.values()].flatMap((keeper) => keeper.working ?? []);
      if (working.length === 0) return;
      await Promise.all(working);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#watch?.close();
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper.close()));
    await this.#resolver?.close();
    await this.#engine.removeEverything();
  }

  /** Also finds groups that nobody wants any more. A daemon that was restarted may have forgotten the network. */
  async #resync(): Promise<void> {
    if (this.#closed) return;
    await this.#engine.prepare(this.#subnet);
    const there = await this.#engine.groups();
    if (this.#closed) return;
    const wanted = this.#wanted();
    for (const uid of new Set([...there, ...wanted.keys()])) {
      const keeper = this.#keeperOf(uid);
      keeper.want(wanted.get(uid));
      keeper.look();
    }
  }

  async #measure(): Promise<void> {
    const measured = this.#meter.take(await this.#engine.usage());
    if (this.#closed || measured.length === 0) return;
    const { core, run } = this.#served;
    await run((now) => {
      for (const { uid, ...seen } of measured) core.observe(uid, { kind: 'used', ...seen }, now);
    });
  }

  #wanted(): ReadonlyMap<string, WantedGroup> {
    return new Map(this.#served.core.wanted().map((group) => [group.uid, group]));
  }

  /** Of the group that has the address, also one that nobody is told. */
  #networkOf(address: string): string | undefined {
    const groups = [...this.#wanted().values()];
    return groups.find((group) => address === (group.address ?? this.#keepers.get(group.uid)?.address))?.dns?.network;
  }

  get #served(): RuntimeWorld {
    if (!this.#world) throw new Error('the runtime serves no world yet');
    return this.#world;
  }

  #keeperOf(uid: string): GroupKeeper {
    const known = this.#keepers.get(uid);
    if (known) return known;
    const { core, store, run } = this.#served;
    const keyOf = () => store.groups().find((group) => group.uid === uid)?.key;
    const keeper = new GroupKeeper({
      uid,
      engine: this.#engine,
      dnsFor: async (wanted) => this.#resolver?.dnsFor(wanted) ?? {},
      open: (sealed) => openSecrets(this.#vault, sealed, uid),
      report: (observation) => run((now) => core.observe(uid, observation, now)),
      print: (container, lines) =>
        run(() => {
          const key = keyOf();
          if (key !== undefined) for (const line of lines) store.appendLog(key, container, line);
        }),
      lastPrintedAt(container) {
        const key = keyOf();
        return key === undefined ? undefined : store.logs(key, container).at(-1)?.at;
      },
      finished: () => void this.#keepers.delete(uid),
    });
    this.#keepers.set(uid, keeper);
    return keeper;
  }
}
