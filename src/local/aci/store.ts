/**
 * Where the ARM stand-in keeps its world, and the implementation that forgets. Records handed out are shared: whoever changes one
 * clones it first and puts it back. `sqlite-store.ts` is the durable twin; one contract suite runs against both.
 */
import { type AuditEntry, type GroupRecord, nextInstant, type OperationRecord } from './model.ts';

export interface LogLine {
  readonly at: number;
  readonly text: string;
}

export interface AciStore {
  group(key: string): GroupRecord | undefined;
  /** Ordered by key. */
  groups(): readonly GroupRecord[];
  putGroup(record: GroupRecord): void;
  /** Removes the group and its logs. */
  removeGroup(key: string): void;
  /** Groups whose next instant is at or before `now`. */
  dueGroups(now: number): readonly GroupRecord[];
  nextAt(): number | undefined;
  /** Changes with every `putGroup`, `removeGroup` and `setMeta`; lost on restart. */
  readonly revision: number;

  operation(id: string): OperationRecord | undefined;
  putOperation(operation: OperationRecord): void;
  forgetOperationsBefore(at: number): void;

  /** Small named values: fault table, overrides, sequences. JSON only. */
  meta(name: string): unknown;
  setMeta(name: string, value: unknown): void;

  appendAudit(entry: AuditEntry): void;
  /** From `fromAt` on, in order of acceptance. */
  audit(fromAt: number): readonly AuditEntry[];

  appendLog(groupKey: string, container: string, line: LogLine): void;
  logs(groupKey: string, container: string): readonly LogLine[];

  /** State that a restart may lose: token buckets. */
  readonly volatile: Map<string, unknown>;
}

/** Log kept of a running container, in bytes. Source: Container Instances quotas page (read 2026-11). */
export const LOG_LIMIT_BYTES = 4 * 1024 * 1024;

export function createMemoryAciStore(): AciStore {
  const groups = new Map<string, GroupRecord>();
  const operations = new Map<string, OperationRecord>();
  const metas = new Map<string, unknown>();
  const audits: AuditEntry[] = [];
  const logs = new Map<string, { lines: LogLine[]; sizeBytes: number }>();
  let ordered: GroupRecord[] | undefined;
  let revision = 0;
  const touched = () => {
    ordered = undefined;
    revision += 1;
  };
  return {
    volatile: new Map(),
    get revision() {
      return revision;
    },
    group: (key) => groups.get(key),
    groups() {
      ordered ??= [...groups.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
      return ordered;
    },
    putGroup(record) {
      groups.set(record.key, record);
      touched();
    },
    removeGroup(key) {
      groups.delete(key);
      for (const name of logs.keys()) if (name.startsWith(`${key}\n`)) logs.delete(name);
      touched();
    },
    dueGroups: (now) => [...groups.values()].filter((g) => (nextInstant(g) ?? Number.POSITIVE_INFINITY) <= now),
    nextAt() {
      let at = Number.POSITIVE_INFINITY;
      for (const group of groups.values()) at = Math.min(at, nextInstant(group) ?? at);
      return at === Number.POSITIVE_INFINITY ? undefined : at;
    },
    operation: (id) => operations.get(id),
    putOperation: (operation) => void operations.set(operation.id, operation),
    forgetOperationsBefore(at) {
      for (const [id, operation] of operations) if (operation.startAt < at) operations.delete(id);
    },
    meta: (name) => metas.get(name),
    setMeta(name, value) {
      metas.set(name, value);
      revision += 1;
    },
    appendAudit: (entry) => void audits.push(entry),
    audit(fromAt) {
      let first = audits.length;
      while (first > 0 && (audits[first - 1]?.at ?? 0) >= fromAt) first -= 1;
      return audits.slice(first);
    },
    appendLog(groupKey, container, line) {
      const name = `${groupKey}\n${container}`;
      const log = logs.get(name) ?? { lines: [], sizeBytes: 0 };
      logs.set(name, log);
      log.lines.push(line);
      log.sizeBytes += Buffer.byteLength(line.text) + 1;
      while (log.sizeBytes > LOG_LIMIT_BYTES) {
        log.sizeBytes -= Buffer.byteLength(log.lines.shift()?.text ?? '') + 1;
      }
    },
    logs: (groupKey, container) => logs.get(`${groupKey}\n${container}`)?.lines ?? [],
  };
}
