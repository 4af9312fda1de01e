/**
 * S4: no acknowledged command is lost, an app's commands take effect in the order of acceptance and once each, and what stands in the end is what
 * they asked for, one after the other.
 */
import type { CommandRecord, Oracle, RawEntity, RowEvent, View } from '../types.ts';
import { guardOf } from './rows.ts';
import { countOf, type Wishes, wishesOf } from './wishes.ts';

const final = new Set(['applied', 'rejected', 'superseded']);

export const commands: Oracle = {
  name: 'commands',
  invariant: 'S4',
  create() {
    /** Highest `seq` that took effect, per app. */
    const applied = new Map<string, number>();
    let restoredAt = Number.NEGATIVE_INFINITY;
    return {
      onEvent(view, event) {
        if (event.type !== 'row') return;
        if (event.foreign) {
          restoredAt = event.at;
          return applied.clear();
        }
        const wrong = orderFault(event, applied);
        if (wrong) view.fail(wrong);
      },
      onEnd(view) {
        for (const app of new Set(view.commands.map((command) => command.app))) judgeEnd(view, app, restoredAt);
      },
    };
  },
};

function orderFault({ before, after }: RowEvent, applied: Map<string, number>): string | null {
  if (after?.['kind'] !== 'op') return null;
  const name = `operation ${after['id']} of ${after.partitionKey}`;
  if (before && final.has(String(before['state'])) && before['state'] !== after['state'])
    return `${name} was ${before['state']} and became ${after['state']}`;
  if (after['state'] !== 'applied' || before?.['state'] === 'applied') return null;
  const seq = Number(after['seq']);
  const newest = applied.get(after.partitionKey) ?? 0;
  applied.set(after.partitionKey, Math.max(newest, seq));
  return seq > newest ? null : `${name} (command ${seq}) took effect after command ${newest}`;
}

function judgeEnd(view: View, app: string, restoredAt: number): void {
  const acknowledged = view.commands.filter(
    (command) => command.app === app && command.operationId !== null && command.sentAt > restoredAt,
  );
  const operations = new Map(view.rowsOf('op', app).map((row) => [row.rowKey, row]));
  const known: { readonly command: CommandRecord; readonly row: RawEntity }[] = [];
  for (const command of acknowledged) {
    const row = operations.get(`op|${command.operationId}`);
    if (row) known.push({ command, row });
    else view.fail(`an acknowledged command is lost: ${command.command} ${app}, operation ${command.operationId}`);
  }
  // After a restore, commands from before it may stand behind later ones in the order.
  if (restoredAt > 0) return;
  for (const { command, row } of known) {
    const isOvertaken = known.some(
      (one) => one.row['state'] === 'applied' && Number(one.row['seq']) > Number(row['seq']),
    );
    if (row['state'] === 'superseded' && !isOvertaken)
      view.fail(`${command.command} ${app} (command ${row['seq']}) was superseded by nothing`);
  }
  const applied = known
    .filter(({ row }) => row['state'] === 'applied')
    .sort((a, b) => Number(a.row['seq']) - Number(b.row['seq']))
    .map(({ command }) => command);
  if (applied.length > 0) judgeSpec(view, app, wishesOf(applied));
}

function judgeSpec(view: View, app: string, wanted: Wishes): void {
  for (const [service, wish] of wanted) {
    const guard = guardOf(view, app, service);
    const replicas = countOf(wish);
    if (guard === undefined || guard['removed'] === true || guard['desired'] !== replicas)
      view.fail(`the commands want ${app}/${service} × ${replicas}; its guard says ${describe(guard)}`);
  }
  for (const guard of view.rowsOf('service', app)) {
    if (!wanted.has(String(guard['service'])) && guard['removed'] !== true)
      view.fail(`the commands do not want ${app}/${guard['service']}; its guard says ${describe(guard)}`);
  }
}

const describe = (guard: RawEntity | undefined): string =>
  guard === undefined ? 'nothing' : guard['removed'] === true ? 'removed' : `× ${guard['desired']}`;
