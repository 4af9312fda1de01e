/** Rows of rollouts and revisions → resources of the API. Pure. */
import type { RevisionResource, RolloutResource, RolloutSummary } from '../../model/api.ts';
import { type RolloutRow, rolloutId } from '../../model/rollout-record.ts';
import type { GuardRow, RevisionRow } from '../../model/state.ts';
import { canonicalJson } from '../../spec/json.ts';

const iso = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null | undefined): string | null => (at === null || at === undefined ? null : iso(at));

export const rolloutSummaryOf = (row: RolloutRow): RolloutSummary => ({
  id: rolloutId(row),
  service: row.service,
  purpose: row.purpose,
  from: row.from,
  to: row.to,
  strategy: row.strategy,
  phase: row.phase,
  reason: row.reason,
  message: row.message,
  cause: row.cause,
  why: row.why,
  generation: row.generation,
  startedAt: iso(row.startedAt),
  endedAt: isoOrNull(row.endedAt),
  desired: row.counts.desired,
  ready: row.counts.ready,
  old: row.counts.old,
  failed: row.failed,
  strikes: row.strikes,
  successor: row.successor === null ? null : rolloutId({ service: row.service, number: row.successor }),
});

export const rolloutOf = (row: RolloutRow): RolloutResource => ({
  ...rolloutSummaryOf(row),
  failures: row.failures.map(({ at, slot, incarnation, reason, message, crashes }) => ({
    at: iso(at),
    replica: `${row.service}/${slot}/${incarnation}`,
    reason,
    message,
    restarts: crashes,
  })),
  decisions: row.decisions.map(({ at, what, because, facts }) => ({ at: iso(at), what, because, facts })),
});

/** @param rows of each service the newest first */
export function revisionsOf(rows: readonly RevisionRow[], guards: readonly GuardRow[]): readonly RevisionResource[] {
  const numbered = numbering();
  const told = new Map(rows.toReversed().map((row) => [row, fieldsOf(row, numbered)]));
  return rows.map((row) => ({
    service: row.service,
    revision: row.revision,
    image: row.template.image,
    createdAt: iso(row.createdAt),
    cause: row.cause ?? null,
    isCurrent: guards.some(({ service, revision }) => service === row.service && revision === row.revision),
    verifiedAt: isoOrNull(row.verifiedAt),
    rolledBackAt: isoOrNull(row.rolledBackAt),
    fields: told.get(row) ?? {},
  }));
}

/** What may hold a secret is not told, only whether it is the same: each value by the order in which it first appeared. */
const untold: ReadonlySet<string> = new Set(['command', 'initContainers', 'volumes', 'registries', 'liveness']);

type Numbering = (field: string, value: string) => string;

function numbering(): Numbering {
  const seen = new Map<string, string[]>();
  return (field, value) => {
    const values = seen.get(field) ?? [];
    if (!values.includes(value)) seen.set(field, [...values, value]);
    return `value ${(seen.get(field) ?? []).indexOf(value) + 1}`;
  };
}

function fieldsOf(
  { service, template: { environment, ...template } }: RevisionRow,
  numbered: Numbering,
): Readonly<Record<string, string>> {
  const hidden = (name: string, text: string): string => numbered(`${service} ${name}`, text);
  const variables = Object.entries(environment).map(([name, value]) => [
    `environment.${name}`,
    hidden(`environment.${name}`, value),
  ]);
  const others = Object.entries(template).map(([name, value]) => {
    const text = typeof value === 'object' ? canonicalJson(value) : String(value);
    return [name, untold.has(name) ? hidden(name, text) : text];
  });
  return Object.fromEntries([...others, ...variables]);
}
