/** L1: once spec and world stop changing, observed = desired. Judged at the end of the calm, whose length is the bound. */
import type { Oracle, RawEntity, View } from '../types.ts';
import { imageOf, isPaused, isRun } from './rows.ts';

/** Images that no replica can become ready with. */
const broken = /^flotilla\/(missing|crash)(:|$)/;

export const convergence: Oracle = {
  name: 'convergence',
  invariant: 'L1',
  create() {
    let restored = false;
    return {
      onEvent(_, event) {
        if (event.type === 'fault' && event.fault === 'tableRestored') restored = true;
      },
      onEnd(view) {
        for (const app of view.apps()) judge(view, app, restored);
        if (!restored) for (const guard of view.rowsOf('service')) judgeStopped(view, guard);
      },
    };
  },
};

/** A restored table may have forgotten the command that took back a broken image: then nothing of that service could become ready. */
function judge(view: View, app: string, restored: boolean): void {
  const rows = view.rows(app);
  const ofKind = (kind: string): readonly RawEntity[] => rows.filter((row) => row['kind'] === kind);
  for (const op of ofKind('op')) {
    if (op['state'] === 'accepted') view.fail(`operation ${op['id']} of ${app} is still pending after the calm`);
  }
  const [head] = ofKind('app');
  if (head?.['state'] === 'deleting' && head['frozen'] !== true)
    view.fail(`${app} is still being deleted after the calm`);
  // Nothing can be placed where every pool is closed by command; a restored table may have forgotten that one was opened.
  if (view.rows('~pools').every((row) => row['cordoned'] === true)) return;
  // What waits for a thaw waits.
  if (head?.['frozen'] === true) return;
  for (const guard of ofKind('service')) {
    const service = String(guard['service']);
    const wanted = guard['removed'] === true ? 0 : Number(guard['desired']);
    const live = ofKind('replica').filter(
      (row) => row['service'] === service && row['state'] !== 'gone' && !isRun(row),
    );
    const ready = live.filter((row) => row['state'] === 'ready' && row['revision'] === guard['revision']);
    const isHopeless = restored && broken.test(imageOf(view, app, service, Number(guard['revision'])) ?? '');
    if (!isHopeless && !isPaused(view, app, service) && (live.length !== wanted || ready.length !== wanted)) {
      const states = live
        .map((row) => `${row['slot']}/${row['incarnation']} ${row['state']} r${row['revision']}`)
        .join(', ');
      view.fail(
        `${app}/${service} wants ${wanted} replicas of revision ${guard['revision']} and has, after the calm: ${states || 'none'}`,
      );
    }
  }
}

/** By ARM itself, whatever the rows say. */
function judgeStopped(view: View, guard: RawEntity): void {
  const app = guard.partitionKey;
  const service = String(guard['service']);
  if (guard['stopped'] !== true || view.row(app, 'app')?.['frozen'] === true) return;
  const standing = view.groups().filter(({ tags, label, deleting }) => {
    const isOurs = tags['flotilla-installation'] === view.installation;
    return isOurs && !deleting && label.startsWith(`${app}/${service}/`);
  });
  if (standing.length > 0)
    view.fail(`${app}/${service} is stopped and has ${standing.map(({ label }) => label).join(', ')}`);
}
