/** What `plan` shows of a preview: per service what changes, what becomes of its replicas, and why. Pure. */
import type { ApplyPreview, FieldChangeResource, ServicePlanResource } from '../model/api.ts';
import { renderForecast } from './forecast-lines.ts';
import { count } from './render.ts';

const marks = { added: '+', removed: '-', revised: '~', scaled: '~', unchanged: '=' } as const;

/** Whether applying it would create, replace or remove anything, or change what applies from now on. */
export const hasChanges = ({ services, changes }: ApplyPreview): boolean =>
  services.some(({ change, create, replace, remove }) => change !== 'unchanged' || create + replace + remove > 0) ||
  changes.some(({ fields }) => fields.length > 0);

export function renderPlan(preview: ApplyPreview): string[] {
  const { services, pending, id } = preview;
  const sum = (of: (service: ServicePlanResource) => number): number => services.reduce((all, one) => all + of(one), 0);
  const totals = [
    `${sum(({ create }) => create)} to create`,
    `${sum(({ replace }) => replace)} to replace`,
    `${sum(({ remove }) => remove)} to remove`,
    `${sum(({ keep }) => keep)} to keep`,
  ];
  return [
    ...services.flatMap(renderService),
    ...(pending === 0
      ? []
      : [`  ${count(pending, 'command')} not applied yet: what follows from them is not in this plan.`]),
    `Replicas: ${totals.join(', ')}.`,
    ...renderForecast(preview),
    ...(hasChanges(preview) ? [`\`flotilla up --plan ${id}\` makes this so, or refuses if the world has moved.`] : []),
  ];
}

function renderService(plan: ServicePlanResource): string[] {
  const { service, change, fields, notes } = plan;
  return [
    `  ${marks[change]} ${service}: ${headOf(plan)}`,
    ...fields.map((field) => `      ${fieldText(field)}`),
    ...replicaLines(plan),
    ...notes.map((note) => `      ! ${note}`),
  ];
}

function headOf({ change, from, to, fields }: ServicePlanResource): string {
  switch (change) {
    case 'added':
      return `new, ${count(to?.replicas ?? 0, 'replica')} of ${to?.image ?? 'no image'}`;
    case 'removed':
      return 'not in the file any more';
    case 'revised':
      return `revision ${from?.revision} → ${to?.revision}${scaleOf(from, to)}`;
    case 'scaled':
      return `scale ${from?.replicas} → ${to?.replicas}`;
    case 'unchanged':
      return fields.length === 0 ? 'nothing to change' : 'no replica is touched';
  }
}

const scaleOf = (from: ServicePlanResource['from'], to: ServicePlanResource['to']): string =>
  from?.replicas === to?.replicas ? '' : `, scale ${from?.replicas} → ${to?.replicas}`;

/** `template.` is the model's word, not the file's. */
function fieldText({ field, from, to }: FieldChangeResource): string {
  const name = field.replace(/^template\./, '');
  if (from === null && to === null) return `${name} changes`;
  return `${name}: ${from ?? '(none)'} → ${to ?? '(none)'}`;
}

const words: Readonly<Record<string, string>> = {
  OldRevision: 'of an older revision',
  Restarting: 'to be restarted',
  Surplus: 'more than wanted',
  ServiceRemoved: 'its service is removed',
};

function replicaLines({ create, replace, remove, reasons }: ServicePlanResource): string[] {
  const why = reasons.map(({ reason, count: number }) => `${number} ${words[reason] ?? reason}`).join(', ');
  const acts = [
    ...(replace > 0 ? [`replace ${count(replace, 'replica')}`] : []),
    ...(remove > 0 ? [`remove ${count(remove, 'replica')}`] : []),
    ...(create > 0 ? [`create ${count(create, 'replica')}`] : []),
  ];
  return acts.length === 0 ? [] : [`      ${acts.join(', ')}${why === '' ? '' : ` (${why})`}`];
}
