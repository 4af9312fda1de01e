/**
 * The durable state of the broker: queues with their last sequence number, and messages. Each write resolves only after its commit; it decides
 * nothing about locks or visibility, which live in memory and are rebuilt from here after a crash (all locks are free then).
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { GroupCommit, openDatabase } from '../sqlite.ts';

/** What stays the same of a message. */
interface Content {
  readonly sessionId: string | undefined;
  /** Encoded message annotations section of the sender, without the ones the broker assigns. */
  readonly annotations: Buffer | undefined;
  /** Encoded properties, application properties, body and footer. */
  readonly body: Buffer;
}

/** A message as a sender gave it: nothing assigned yet. */
export interface Draft extends Content {
  /** By which duplicates are known. */
  readonly messageId: string;
  /** When to enqueue it, in epoch ms; undefined or past: at once. */
  readonly dueAt: number | undefined;
  /** As long as it may wait to be delivered, in ms; undefined: for ever. */
  readonly ttlMs?: number | undefined;
}

/**
 * As in the annotation `x-opt-message-state`. A deferred message is delivered only to who asks for its sequence number, a scheduled one to
 * nobody before it is due.
 */
export type MessageState = 'active' | 'deferred' | 'scheduled';

export interface StoredMessage extends Content {
  readonly state: MessageState;
  /** When a scheduled message is to be enqueued, in epoch ms. */
  readonly dueAt?: number | undefined;
  /** From `enqueuedAt` on; undefined: it does not expire. */
  readonly ttlMs?: number | undefined;
  /** Assigned per queue, ascending, never used twice. */
  readonly sequence: number;
  /** Epoch ms. */
  readonly enqueuedAt: number;
  /** Failed deliveries so far; 0 before the first. */
  readonly deliveryCount: number;
}

/** One queue's part of the store. */
export interface QueueStore {
  /** All messages in order of sequence number, of the queue itself or of its dead-letter queue. */
  load(deadLetters: boolean): StoredMessage[];
  /**
   * @param seenSince Given when duplicates are to be detected: a draft with an id that was added at or after this instant is left out.
   * @returns What was added.
   */
  add(drafts: readonly Draft[], enqueuedAt: number, seenSince?: number): Promise<StoredMessage[]>;
  remove(sequence: number): Promise<void>;
  /** At most `count` messages in order of sequence number, from `from` on, of one session if given. */
  peek(deadLetters: boolean, from: number, count: number, sessionId?: string): StoredMessage[];
  /** Keeps what changed after a failed delivery or by deferring. `bodyChanged` says whether `message.body` differs from what is stored. */
  update(message: StoredMessage, bodyChanged: boolean): Promise<void>;
  /** Moves a message, with its changed body, to the queue's dead-letter queue. */
  bury(message: StoredMessage): Promise<void>;
  /** Enqueues a scheduled message at the end of the queue: with a new sequence number. @returns What it has become. */
  activate(message: StoredMessage, enqueuedAt: number): Promise<StoredMessage>;
  /** What a session's receivers keep with it; undefined when nothing. */
  sessionState(sessionId: string): Buffer | undefined;
  /** Undefined clears it. */
  setSessionState(sessionId: string, state: Buffer | undefined): Promise<void>;
}

interface Row {
  readonly sequence: number;
  readonly session_id: string | null;
  readonly enqueued_at: number;
  readonly delivery_count: number;
  readonly state: number;
  readonly due_at: number | null;
  readonly ttl: number | null;
  readonly annotations: Uint8Array | null;
  readonly body: Uint8Array;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS queue (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, requires_session INTEGER NOT NULL, last_sequence INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS message (
    queue_id INTEGER NOT NULL, sequence INTEGER NOT NULL, dead INTEGER NOT NULL, session_id TEXT, enqueued_at INTEGER NOT NULL,
    delivery_count INTEGER NOT NULL, annotations BLOB, body BLOB NOT NULL, state INTEGER NOT NULL DEFAULT 0, due_at INTEGER,
    ttl INTEGER);
  CREATE UNIQUE INDEX IF NOT EXISTS message_key ON message (queue_id, sequence);
  CREATE TABLE IF NOT EXISTS session_state (
    queue_id INTEGER NOT NULL, session_id TEXT NOT NULL, state BLOB NOT NULL, PRIMARY KEY (queue_id, session_id));
  CREATE TABLE IF NOT EXISTS seen_message (
    queue_id INTEGER NOT NULL, message_id TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (queue_id, message_id));
  CREATE TABLE IF NOT EXISTS rule (
    queue_id INTEGER NOT NULL, name TEXT NOT NULL, rule TEXT NOT NULL, PRIMARY KEY (queue_id, name));
  CREATE INDEX IF NOT EXISTS seen_message_at ON seen_message (queue_id, at);
`;

/** The stored number of a state is its index. */
const STATES: readonly MessageState[] = ['active', 'deferred', 'scheduled'];

export class Store {
  readonly db: DatabaseSync;
  readonly commits: GroupCommit;

  /** @param path A file, created when missing, or `:memory:`. */
  constructor(path: string) {
    this.db = openDatabase(path);
    this.db.exec(SCHEMA);
    addColumns(this.db);
    this.commits = new GroupCommit(this.db);
  }

  /**
   * Opens a queue, created when new.
   * @throws When it was stored with the other value of `requiresSession`, which cannot be changed (as in Azure).
   */
  queue(name: string, requiresSession: boolean): SqliteQueueStore {
    const key = name.toLowerCase();
    const { changes } = this.db
      .prepare('INSERT INTO queue (name, requires_session, last_sequence) VALUES (?, ?, 0) ON CONFLICT DO NOTHING')
      .run(key, requiresSession ? 1 : 0);
    const row = this.db.prepare('SELECT id, requires_session FROM queue WHERE name = ?').get(key) as unknown as {
      id: number;
      requires_session: number;
    };
    if ((row.requires_session === 1) !== requiresSession)
      throw new Error(
        `queues['${name}'].requiresSession: the stored queue has ${!requiresSession}; it cannot be changed. Use another name or a new data file.`,
      );
    return new SqliteQueueStore(this.db, this.commits, { id: row.id, isNew: changes === 1 });
  }

  /** Waits for writes under way, then closes the file. */
  async close(): Promise<void> {
    await this.commits.run(() => undefined);
    this.db.close();
  }
}

/** Columns that files of earlier versions lack; their messages are active and do not expire. */
const ADDED_COLUMNS = { state: 'INTEGER NOT NULL DEFAULT 0', due_at: 'INTEGER', ttl: 'INTEGER' };

function addColumns(db: DatabaseSync): void {
  const columns = db.prepare('PRAGMA table_info(message)').all() as unknown as { name: string }[];
  for (const [column, type] of Object.entries(ADDED_COLUMNS))
    if (!columns.some(({ name }) => name === column)) db.exec(`ALTER TABLE message ADD COLUMN ${column} ${type}`);
}

export class SqliteQueueStore implements QueueStore {
  readonly id: number;
  /** It was not in the file before. */
  readonly isNew: boolean;
  readonly #db: DatabaseSync;
  readonly #commits: GroupCommit;
  readonly #id: number;
  readonly #next: StatementSync;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #count: StatementSync;
  readonly #rewrite: StatementSync;
  readonly #forgetSeen: StatementSync;
  readonly #remember: StatementSync;
  readonly #activate: StatementSync;

  constructor(db: DatabaseSync, commits: GroupCommit, { id, isNew }: { id: number; isNew: boolean }) {
    this.id = id;
    this.isNew = isNew;
    this.#db = db;
    this.#commits = commits;
    this.#id = id;
    this.#next = db.prepare('UPDATE queue SET last_sequence = last_sequence + ? WHERE id = ? RETURNING last_sequence');
    this.#insert = db.prepare('INSERT INTO message VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)');
    this.#delete = db.prepare('DELETE FROM message WHERE queue_id = ? AND sequence = ?');
    this.#count = db.prepare('UPDATE message SET delivery_count = ?, state = ? WHERE queue_id = ? AND sequence = ?');
    this.#rewrite = db.prepare(
      'UPDATE message SET delivery_count = ?, state = ?, body = ?, dead = dead OR ? WHERE queue_id = ? AND sequence = ?',
    );
    this.#activate = db.prepare(
      'UPDATE message SET sequence = ?, enqueued_at = ?, state = 0, due_at = NULL WHERE queue_id = ? AND sequence = ?',
    );
    this.#forgetSeen = db.prepare('DELETE FROM seen_message WHERE queue_id = ? AND at < ?');
    this.#remember = db.prepare('INSERT INTO seen_message VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  }

  load(deadLetters: boolean): StoredMessage[] {
    const rows = this.#db
      .prepare('SELECT * FROM message WHERE queue_id = ? AND dead = ? ORDER BY sequence')
      .all(this.#id, deadLetters ? 1 : 0) as unknown as Row[];
    return rows.map(fromRow);
  }

  peek(deadLetters: boolean, from: number, count: number, sessionId?: string): StoredMessage[] {
    const rows = this.#db
      .prepare(
        'SELECT * FROM message WHERE queue_id = ? AND sequence >= ? AND dead = ? AND session_id IS ifnull(?, session_id) ORDER BY sequence LIMIT ?',
      )
      .all(this.#id, from, deadLetters ? 1 : 0, sessionId ?? null, count) as unknown as Row[];
    return rows.map(fromRow);
  }

  add(drafts: readonly Draft[], enqueuedAt: number, seenSince?: number): Promise<StoredMessage[]> {
    return this.#commits.run(() =>
      this.insertAll(seenSince === undefined ? drafts : this.unseen(drafts, enqueuedAt, seenSince), enqueuedAt),
    );
  }

  /** Inside a commit. @param dead They become dead letters at once. */
  insertAll(drafts: readonly Draft[], enqueuedAt: number, dead = false): StoredMessage[] {
    if (drafts.length === 0) return [];
    const { last_sequence: last } = this.#next.get(drafts.length, this.#id) as { last_sequence: number };
    const first = last - drafts.length + 1;
    return drafts.map((draft, i) => this.#insertDraft(draft, first + i, enqueuedAt, dead));
  }

  #insertDraft(
    { sessionId, annotations, body, dueAt, ttlMs }: Draft,
    sequence: number,
    enqueuedAt: number,
    dead: boolean,
  ): StoredMessage {
    const isScheduled = dueAt !== undefined && dueAt > enqueuedAt;
    const state: MessageState = isScheduled ? 'scheduled' : 'active';
    const due = isScheduled ? dueAt : null;
    const stateNumber = STATES.indexOf(state);
    const [session, notes] = [sessionId ?? null, annotations ?? null];
    this.#insert.run(
      this.#id,
      sequence,
      dead ? 1 : 0,
      session,
      enqueuedAt,
      notes,
      body,
      stateNumber,
      due,
      ttlMs ?? null,
    );
    return {
      sessionId,
      annotations,
      body,
      sequence,
      enqueuedAt,
      deliveryCount: 0,
      state,
      ...(due !== null && { dueAt: due }),
      ...(ttlMs !== undefined && { ttlMs }),
    };
  }

  /** Inside a commit: the drafts whose ids are new, which are remembered; ids from before `since` are forgotten. */
  unseen(drafts: readonly Draft[], now: number, since: number): readonly Draft[] {
    this.#forgetSeen.run(this.#id, since);
    return drafts.filter(({ messageId }) => this.#remember.run(this.#id, messageId, now).changes === 1);
  }

  remove(sequence: number): Promise<void> {
    return this.#commits.run(() => this.removeNow(sequence));
  }

  /** Inside a commit. */
  removeNow(sequence: number): void {
    this.#delete.run(this.#id, sequence);
  }

  update({ sequence, deliveryCount, body, state }: StoredMessage, bodyChanged: boolean): Promise<void> {
    return this.#commits.run(() => {
      const stateNumber = STATES.indexOf(state);
      if (bodyChanged) this.#rewrite.run(deliveryCount, stateNumber, body, 0, this.#id, sequence);
      else this.#count.run(deliveryCount, stateNumber, this.#id, sequence);
    });
  }

  bury({ sequence, deliveryCount, body, state }: StoredMessage): Promise<void> {
    return this.#commits.run(() => {
      this.#rewrite.run(deliveryCount, STATES.indexOf(state), body, 1, this.#id, sequence);
    });
  }

  activate(message: StoredMessage, enqueuedAt: number): Promise<StoredMessage> {
    return this.#commits.run(() => {
      const { last_sequence: sequence } = this.#next.get(1, this.#id) as { last_sequence: number };
      this.#activate.run(sequence, enqueuedAt, this.#id, message.sequence);
      const { dueAt: _, ...rest } = message;
      return { ...rest, sequence, enqueuedAt, state: 'active' };
    });
  }

  sessionState(sessionId: string): Buffer | undefined {
    const row = this.#db
      .prepare('SELECT state FROM session_state WHERE queue_id = ? AND session_id = ?')
      .get(this.#id, sessionId) as { state: Uint8Array } | undefined;
    return row && asBuffer(row.state);
  }

  setSessionState(sessionId: string, state: Buffer | undefined): Promise<void> {
    return this.#commits.run(() => {
      if (state === undefined)
        this.#db.prepare('DELETE FROM session_state WHERE queue_id = ? AND session_id = ?').run(this.#id, sessionId);
      else
        this.#db
          .prepare('INSERT OR REPLACE INTO session_state (queue_id, session_id, state) VALUES (?, ?, ?)')
          .run(this.#id, sessionId, state);
    });
  }
}

const fromRow = (row: Row): StoredMessage => ({
  sequence: row.sequence,
  sessionId: row.session_id ?? undefined,
  enqueuedAt: row.enqueued_at,
  deliveryCount: row.delivery_count,
  state: STATES[row.state] ?? 'active',
  ...(row.due_at !== null && { dueAt: row.due_at }),
  ...(row.ttl !== null && { ttlMs: row.ttl }),
  annotations: row.annotations === null ? undefined : asBuffer(row.annotations),
  body: asBuffer(row.body),
});

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
