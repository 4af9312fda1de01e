/**
 * L1 with a short bound: as long as nothing goes wrong, nobody waits for a safety net. A wake-up that is lost now and then would otherwise hide behind
 * the scan that visits every app in the end.
 */
import type { Facts, Oracle, View } from '../types.ts';
import { paceOf } from './rows.ts';

/** One deletion after its drain, one create, one probe period, queue and turns: everything twice. */
const roundMs = ({ provisioningMs, deletionMs }: Facts): number => provisioningMs + deletionMs + 10_000 + 45_000;

/** A rollout goes in waves of its surge; a wave is a round, and the time that a new replica has to stay ready. */
function boundMs(view: View, app: string): number {
  const waves = view
    .rowsOf('service', app)
    .filter((row) => row['removed'] !== true)
    .map((row) => {
      const desired = Number(row['desired']);
      const { surge, unavailable } = paceOf(view, app, String(row['service']), desired);
      return Math.ceil(desired / Math.max(1, surge, unavailable));
    });
  return 2 * roundMs(view.facts) + (Math.max(1, ...waves) - 1) * (roundMs(view.facts) + 10_000);
}

export const promptness: Oracle = {
  name: 'promptness',
  invariant: 'L1',
  create() {
    let isDisturbed = false;
    const busySince = new Map<string, number>();
    return {
      onEvent(view, event) {
        if (event.type === 'fault' || (event.type === 'host' && event.change === 'crashed')) isDisturbed = true;
        // Each command may ask for a whole new round.
        if (event.type === 'command') busySince.set(event.command.app, event.at);
        // A restart takes them one after the other.
        if (event.type === 'row' && event.after?.['reason'] === 'Restarting') busySince.set(event.partition, event.at);
        if (event.type === 'tick' && !isDisturbed) judge(view, event.at, busySince);
      },
    };
  },
};

function judge(view: View, now: number, busySince: Map<string, number>): void {
  for (const app of view.apps()) {
    const head = view.row(app, 'app');
    if (head === undefined) continue;
    // A frozen app waits for a command, and what it does after one is measured from there.
    if (head['frozen'] === true) busySince.set(app, now);
    const isDone = head['state'] === 'deleted' || head['observedGeneration'] === head['generation'];
    const isIdle = isDone && !view.rowsOf('op', app).some((row) => row['state'] === 'accepted');
    if (isIdle) busySince.delete(app);
    else if (isBroken(view, app) || isAnyClosed(view)) busySince.set(app, now);
    const since = busySince.get(app);
    if (since !== undefined && now - since > boundMs(view, app))
      view.fail(`${app} has not converged ${now - since} ms after its last command, and nothing was in its way`);
  }
}

/** Where a pool is closed by command there may be no room, and a drain takes its time. */
const isAnyClosed = (view: View): boolean => view.rows('~pools').some((row) => row['cordoned'] === true);

/** What the user asked for does not run by itself: restarts and back-offs take as long as they take. */
const isBroken = (view: View, app: string): boolean =>
  view.rowsOf('service', app).some((row) => row['reason'] === 'BackingOff') ||
  view
    .rowsOf('replica', app)
    .some((row) => row['state'] !== 'gone' && (Number(row['restartCount']) > 0 || row['state'] === 'failed'));
