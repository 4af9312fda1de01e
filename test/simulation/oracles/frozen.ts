/**
 * S9, by command: nothing is created or deleted for a frozen app, and no replica of it is planned or sent away, except by what had begun before the
 * freeze was committed: a step on its way to ARM cannot be called back.
 */
import type { Cause, EffectEvent, Oracle, RowEvent, View } from '../types.ts';
import { isReplica, isRun, nameOf } from './rows.ts';

interface Memory {
  /** Since when an app is frozen. */
  readonly frozenAt: Map<string, number>;
  /** When a function began; effects and rows carry the very cause of their function. */
  readonly begunAt: WeakMap<Cause, number>;
}

export const frozen: Oracle = {
  name: 'frozen',
  invariant: 'S9',
  create() {
    const memory: Memory = { frozenAt: new Map(), begunAt: new WeakMap() };
    return {
      onEvent(view, event) {
        if (event.type === 'run' && event.moment === 'begun') memory.begunAt.set(event.cause, event.at);
        if (event.type === 'effect') judgeEffect(view, event, memory);
        if (event.type === 'row') judgeRow(view, event, memory);
      },
    };
  },
};

const isExcused = ({ frozenAt, begunAt }: Memory, app: string, cause: Cause | null): boolean => {
  const since = frozenAt.get(app);
  return since === undefined || (cause !== null && (begunAt.get(cause) ?? Number.NEGATIVE_INFINITY) <= since);
};

function judgeEffect(view: View, { target, writes, moment, key, cause }: EffectEvent, memory: Memory): void {
  if (target !== 'arm' || !writes || moment !== 'sent') return;
  const [app = ''] = key.replace(/^arm \w+ /, '').split('/');
  if (!isExcused(memory, app, cause)) view.fail(`${key} by ${cause?.fn} although ${app} is frozen`);
}

function judgeRow(view: View, { at, partition, before, after, cause, foreign }: RowEvent, memory: Memory): void {
  if (after?.['kind'] === 'app') {
    if (after['frozen'] !== true) memory.frozenAt.delete(partition);
    else if (!memory.frozenAt.has(partition)) memory.frozenAt.set(partition, at);
  }
  if (foreign || !isReplica(after) || isExcused(memory, partition, cause)) return;
  const leaves = ['draining', 'deleting'].includes(String(after['state'])) && before?.['state'] !== after['state'];
  // A run may be asked for: it waits.
  if (before === null && !isRun(after)) view.fail(`${nameOf(after)} is planned although ${partition} is frozen`);
  else if (leaves) view.fail(`${nameOf(after)} becomes ${after['state']} although ${partition} is frozen`);
}
