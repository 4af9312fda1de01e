/** A {@link DurableStore} that keeps nothing beyond the process: for tests and the simulator. */
import {
  type ActivityRecord,
  type DurableStore,
  hasEnded,
  type InstanceFilter,
  type InstanceRecord,
  type MessageRecord,
  matches,
  type Write,
} from './store.ts';

export function createMemoryStore(): DurableStore {
  return new MemoryStore();
}

class MemoryStore implements DurableStore {
  readonly #instances = new Map<string, InstanceRecord>();
  readonly #histories = new Map<number, string[]>();
  readonly #messages = new Map<number, MessageRecord>();
  readonly #activities = new Map<number, ActivityRecord>();
  #lastId = 0;

  lastId(): number {
    return this.#lastId;
  }

  instance(instanceId: string): InstanceRecord | undefined {
    return this.#instances.get(instanceId);
  }

  unfinished(): InstanceRecord[] {
    return [...this.#instances.values()].filter((record) => !hasEnded(record));
  }

  history(key: number): string[] {
    return [...(this.#histories.get(key) ?? [])];
  }

  messages(): MessageRecord[] {
    return [...this.#messages.values()].sort((a, b) => a.id - b.id);
  }

  activities(): ActivityRecord[] {
    return [...this.#activities.values()].sort((a, b) => a.id - b.id);
  }

  query(filter: InstanceFilter): InstanceRecord[] {
    const found = [...this.#instances.values()].filter((record) => matches(record, filter));
    return found.sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1)).slice(0, filter.limit);
  }

  async commit(writes: readonly Write[]): Promise<void> {
    for (const write of writes) this.#apply(write);
  }

  close(): void {}

  #apply(write: Write): void {
    switch (write.op) {
      case 'putInstance':
      case 'updateInstance':
        this.#instances.set(write.record.instanceId, write.record);
        this.#lastId = Math.max(this.#lastId, write.record.key);
        break;
      case 'deleteInstance':
        this.#deleteInstance(write.key, write.instanceId);
        break;
      case 'appendHistory': {
        const chunks = this.#histories.get(write.key) ?? [];
        chunks[write.position] = write.events;
        this.#histories.set(write.key, chunks);
        break;
      }
      case 'clearHistory':
        this.#histories.delete(write.key);
        break;
      case 'putMessage':
        this.#messages.set(write.record.id, write.record);
        this.#lastId = Math.max(this.#lastId, write.record.id);
        break;
      case 'deleteMessage':
        this.#messages.delete(write.id);
        break;
      default:
        this.#applyActivity(write);
    }
  }

  #applyActivity(write: Extract<Write, { op: 'putActivity' | 'leaseActivity' | 'deleteActivity' }>): void {
    if (write.op === 'putActivity') {
      this.#activities.set(write.record.id, write.record);
      this.#lastId = Math.max(this.#lastId, write.record.id);
    } else if (write.op === 'deleteActivity') {
      this.#activities.delete(write.id);
    } else {
      const record = this.#activities.get(write.id);
      if (record) this.#activities.set(write.id, { ...record, leaseUntilMs: write.leaseUntilMs });
    }
  }

  #deleteInstance(key: number, instanceId: string): void {
    this.#instances.delete(instanceId);
    this.#histories.delete(key);
    for (const [id, record] of this.#messages) if (record.instanceId === instanceId) this.#messages.delete(id);
    for (const [id, record] of this.#activities) if (record.instanceId === instanceId) this.#activities.delete(id);
  }
}
