/** What is durable of topics: messages that wait for their time, ids that were seen, and the rules of subscriptions. Copies go into the subscriptions' own stores. */
import type { Draft, SqliteQueueStore, Store, StoredMessage } from './store.ts';

/** Copies of what is sent to a topic that go into one of its subscriptions. */
export interface Copies {
  readonly to: SqliteQueueStore;
  readonly drafts: readonly Draft[];
  /** They become dead letters at once. */
  readonly dead?: boolean;
}

/** What was stored of `copies`. */
export interface Copied {
  readonly copies: Copies;
  readonly messages: readonly StoredMessage[];
}

/** Says who gets copies. Called inside a commit, so that it may be called again. */
export type Share = (drafts: readonly Draft[]) => readonly Copies[];

export class TopicStore {
  readonly #store: Store;
  readonly #own: SqliteQueueStore;

  constructor(store: Store, name: string) {
    this.#store = store;
    this.#own = store.queue(name, false);
  }

  load(): StoredMessage[] {
    return this.#own.load(false);
  }

  /**
   * Keeps the drafts that are to wait and copies the others, all in one commit.
   * @param seenSince As of a queue.
   */
  publish(
    drafts: readonly Draft[],
    at: number,
    share: Share,
    seenSince?: number,
  ): Promise<{ readonly waiting: StoredMessage[]; readonly copies: readonly Copied[] }> {
    return this.#store.commits.run(() => {
      const added = seenSince === undefined ? drafts : this.#own.unseen(drafts, at, seenSince);
      const isWaiting = ({ dueAt }: Draft) => dueAt !== undefined && dueAt > at;
      const waiting = this.#own.insertAll(added.filter(isWaiting), at);
      return { waiting, copies: insertCopies(share(added.filter((draft) => !isWaiting(draft))), at) };
    });
  }

  /** Copies a message that has waited, and forgets it. */
  release(message: StoredMessage, at: number, share: Share): Promise<readonly Copied[]> {
    return this.#store.commits.run(() => {
      this.#own.removeNow(message.sequence);
      return insertCopies(share([{ ...message, messageId: '', dueAt: undefined }]), at);
    });
  }

  remove(sequence: number): Promise<void> {
    return this.#own.remove(sequence);
  }
}

const insertCopies = (all: readonly Copies[], at: number): Copied[] =>
  all.map((copies) => ({ copies, messages: copies.to.insertAll(copies.drafts, at, copies.dead) }));

/** The rules of one subscription, kept as they are given. */
export class RuleStore<R extends { readonly name: string }> {
  readonly #store: Store;
  readonly #id: number;

  /** @param initial What a subscription that is new begins with. */
  constructor(store: Store, { id, isNew }: SqliteQueueStore, initial: readonly R[]) {
    this.#store = store;
    this.#id = id;
    if (isNew) for (const rule of initial) this.#insert(rule);
  }

  load(): readonly R[] {
    const rows = this.#store.db.prepare('SELECT rule FROM rule WHERE queue_id = ? ORDER BY name').all(this.#id);
    return (rows as unknown as { rule: string }[]).map(({ rule }) => JSON.parse(rule) as R);
  }

  add(rule: R): Promise<void> {
    return this.#store.commits.run(() => this.#insert(rule));
  }

  remove(name: string): Promise<void> {
    return this.#store.commits.run(() => {
      this.#store.db.prepare('DELETE FROM rule WHERE queue_id = ? AND name = ?').run(this.#id, name);
    });
  }

  #insert(rule: R): void {
    this.#store.db.prepare('INSERT INTO rule VALUES (?, ?, ?)').run(this.#id, rule.name, JSON.stringify(rule));
  }
}
