/** What `up` is about to change, in words, before it happens. Pure. */
import type { ApplyPreview, AppResource, ServiceChangeResource } from '../model/api.ts';
import type { AppSpec } from '../model/app-spec.ts';
import { count, teardown } from './render.ts';
import { columns } from './table.ts';

export interface PreviewFacts {
  readonly preview: ApplyPreview;
  /** What the file asks for. */
  readonly wanted: AppSpec;
  /** The app as it is; `null` = there is none. */
  readonly before: AppResource | null;
}

/** One line per service that changes; "nothing to change" when none does. */
export function renderPreview(facts: PreviewFacts): string[] {
  const rows = facts.preview.changes.flatMap((change) => {
    const words = wordsOf(change, facts);
    return words === null ? [] : [[`${marks[kindOf(change, facts)]} ${change.service}`, words]];
  });
  return rows.length === 0 ? ['  nothing to change'] : columns(rows).map((line) => `  ${line}`);
}

const marks = { added: '+', removed: '-', revised: '~', scaled: '~', unchanged: '~' } as const;

/** What was commanded since the last document counts too: the same file may scale a service back. */
const kindOf = (
  { service, change }: ServiceChangeResource,
  { preview }: PreviewFacts,
): ServiceChangeResource['change'] => preview.services.find((plan) => plan.service === service)?.change ?? change;

function wordsOf(differs: ServiceChangeResource, facts: PreviewFacts): string | null {
  const { service, fields } = differs;
  const wanted = facts.wanted.services.find(({ name }) => name === service);
  const planned = facts.preview.services.find((plan) => plan.service === service);
  const before = facts.before?.serviceList.find(({ name }) => name === service);
  // What was stopped or scaled by command may have another number than the file.
  const replicas = planned?.to?.replicas ?? wanted?.replicas ?? 0;
  switch (kindOf(differs, facts)) {
    case 'added':
      return `add ${replicas} × ${wanted?.template.image}`;
    case 'removed':
      return `${teardown(before?.replicas.length ?? 0)}: not in the file any more`;
    case 'scaled':
      return `scale ${before?.desired ?? '?'} → ${replicas}`;
    case 'revised': {
      const scaled =
        before === undefined || before.desired === replicas ? '' : `, scale ${before.desired} → ${replicas}`;
      const old = planned?.reasons.find(({ reason }) => reason === 'OldRevision')?.count ?? 0;
      const replaces = old > 0 && replicas > 0 ? `; replaces ${count(old, 'replica')}` : '';
      return `new revision: ${listOf(fields.filter((field) => field !== 'replicas'))}${scaled}${replaces}`;
    }
    case 'unchanged':
      return fields.length === 0 ? null : `no replica is touched: ${listOf(fields)}`;
  }
}

const shownMax = 4;

/** `template.` is the model's word, not the file's. */
function listOf(fields: readonly string[]): string {
  const names = fields.map((field) => field.replace(/^template\./, ''));
  const rest = names.length - shownMax;
  return rest > 0 ? `${names.slice(0, shownMax).join(', ')} and ${rest} more` : names.join(', ');
}
