/**
 * S5 for one-off commands: once a run is known to have its container group, no create of it is ever sent again, so that its program is started anew by ACI
 * alone, if at all; what was recorded of its end stays, and is what really happened. L1: after the calm every run is over, and nothing of it stands.
 */
import type { EffectEvent, Oracle, RowEvent, View } from '../types.ts';
import { isReplica, isRun, nameOf } from './rows.ts';

interface Facts {
  readonly environment: Readonly<Record<string, string>>;
  readonly end: { readonly exitCode: number | null; readonly reason: string | null } | null;
}

export const runs: Oracle = {
  name: 'runs',
  invariant: 'S5',
  create() {
    /** Runs whose container group ARM is known to have taken on. */
    const begun = new Set<string>();
    return {
      onEvent(view, event) {
        if (event.type === 'effect') judgeCreate(view, event, begun);
        if (event.type !== 'row') return;
        // A restored table gives incarnations out again, and has forgotten ends.
        if (event.foreign) begun.clear();
        else judgeRow(view, event, begun);
      },
      onEnd(view) {
        for (const row of view.rowsOf('replica')) {
          const isFrozen = view.row(row.partitionKey, 'app')?.['frozen'] === true;
          if (isRun(row) && row['state'] !== 'gone' && !isFrozen)
            view.fail(`run ${nameOf(row)} is ${row['state']} after the calm`);
        }
      },
    };
  },
};

function judgeCreate(view: View, { key, moment }: EffectEvent, begun: ReadonlySet<string>): void {
  const run = /^arm PUT (.*)$/.exec(key)?.[1];
  if (moment === 'sent' && run !== undefined && begun.has(run)) view.fail(`run ${run} is created once more`);
}

function judgeRow(view: View, event: RowEvent, begun: Set<string>): void {
  const { after } = event;
  if (!isReplica(after) || !isRun(after)) return;
  if (after['state'] === 'starting') begun.add(nameOf(after));
  judgeEnd(view, event);
}

function judgeEnd(view: View, { before, after }: RowEvent): void {
  if (!isReplica(after) || !isRun(after)) return;
  const facts = view.json(after, 'run') as Facts;
  const past = before === null ? null : (view.json(before, 'run') as Facts).end;
  if (past !== null && JSON.stringify(past) !== JSON.stringify(facts.end))
    view.fail(`the end of run ${nameOf(after)} was ${JSON.stringify(past)} and is ${JSON.stringify(facts.end)}`);
  if (after['state'] === 'gone' && facts.end === null)
    view.fail(`run ${nameOf(after)} is gone and nobody knows how it ended`);
  const wrong = past === null ? wrongCode(facts) : null;
  if (wrong) view.fail(`run ${nameOf(after)} ${wrong}`);
}

function wrongCode({ environment, end }: Facts): string | null {
  const wanted = Number(environment['STANDIN_EXIT_CODE']);
  if (end === null || end.exitCode === null || end.exitCode === wanted) return null;
  return `ended with ${wanted} and is recorded with ${end.exitCode}`;
}
