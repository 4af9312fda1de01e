/** The attached worker hosts, who is asked next, and who has died. */
import type { FunctionKind, HostDeath, WorkerHost } from './types.ts';

export interface AttachedHost {
  readonly host: WorkerHost;
  /** Set once the host is gone; whatever it answers afterwards counts for nothing. */
  death: HostDeath | undefined;
}

export class Hosts {
  #attached: AttachedHost[] = [];
  #turn = 0;

  get any(): boolean {
    return this.#attached.length > 0;
  }

  /** @throws when the id is taken. */
  attach(host: WorkerHost): void {
    if (this.#attached.some((attached) => attached.host.id === host.id)) {
      throw new Error(`a host with the id '${host.id}' is attached already; ids of hosts must differ`);
    }
    this.#attached.push({ host, death: undefined });
  }

  drop(hostId: string, death: HostDeath): AttachedHost | undefined {
    const dropped = this.#attached.find((attached) => attached.host.id === hostId);
    if (!dropped) return undefined;
    dropped.death = death;
    this.#attached = this.#attached.filter((attached) => attached !== dropped);
    return dropped;
  }

  /** Round robin over the hosts that have the function. */
  pick(kind: FunctionKind, name: string): AttachedHost | undefined {
    const count = this.#attached.length;
    for (let i = 0; i < count; i++) {
      const candidate = this.#attached[(this.#turn + i) % count];
      if (candidate?.host.has(kind, name)) {
        this.#turn = (this.#turn + i + 1) % count;
        return candidate;
      }
    }
    return undefined;
  }

  names(kind: FunctionKind): string[] {
    return [...new Set(this.#attached.flatMap(({ host }) => [...(host.names?.(kind) ?? [])]))];
  }
}
