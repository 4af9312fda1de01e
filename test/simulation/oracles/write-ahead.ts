/**
 * S5: an effect happens once. ARM hears of a create only after its claim is committed, of one attempt only once, and never for a group that exists: a
 * PUT would restart its containers.
 */
import type { EffectEvent, GroupEvent, Oracle, View } from '../types.ts';

interface Attempt {
  readonly id: string;
  readonly startedAt: number | null;
}

export const writeAhead: Oracle = {
  name: 'write-ahead',
  invariant: 'S5',
  create() {
    const sent = new Set<string>();
    return {
      onEvent(view, event) {
        if (event.type === 'group') judgeGroup(view, event);
        if (event.type === 'effect' && event.key.startsWith('arm PUT ') && event.moment === 'sent')
          judgeCreate(view, event, sent);
      },
    };
  },
};

function judgeGroup(view: View, { change, group }: GroupEvent): void {
  if (change === 'replaced' && group.tags['flotilla-installation'] === view.installation)
    view.fail(`an existing group was PUT again, which restarts its containers: ${group.label}`);
}

function judgeCreate(view: View, { key }: EffectEvent, sent: Set<string>): void {
  const [app, service, slot, incarnation] = key.replace(/^arm PUT /, '').split('/');
  const row = view.row(app ?? '', `replica|${service}|${slot?.padStart(4, '0')}|${incarnation?.padStart(8, '0')}`);
  if (row === undefined) {
    view.fail(`a create without a row: ${key}`);
    return;
  }
  const attempt = view.json(row, 'attempt') as Attempt | null;
  if (attempt === null) {
    // Between the claim and the PUT another host may have read the group back, or given the replica up.
    if (row['state'] === 'creating') view.fail(`a create without a claim: ${key}`);
    return;
  }
  if (attempt.startedAt === null) view.fail(`a create whose claim does not say that it started: ${key}`);
  const use = `${key} ${attempt.id}`;
  if (sent.has(use)) view.fail(`the same attempt was PUT twice: ${use}`);
  sent.add(use);
}
