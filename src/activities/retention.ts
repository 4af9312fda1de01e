/** Daily: removes rows and finished instances past their retention. What one run does not reach is there for the next. */
import { purgePartition, type Retention } from '../commands/purge.ts';
import { rejectedPartition } from '../commands/record-rejection.ts';
import { keys } from '../model/keys.ts';
import type { ActivitySettings } from './ports.ts';
import type { TimerPorts } from './resync.ts';
import { visitApps } from './visit-apps.ts';

export async function retention(
  ports: TimerPorts,
  settings: Retention & Pick<ActivitySettings, 'tickBudgetMs'>,
): Promise<void> {
  const purge = async (partition: string): Promise<void> => {
    const purged = await purgePartition(ports, partition, settings);
    if (!purged.ok) ports.log.warn('A partition could not be purged.', { partition, ...purged.error });
  };
  await purge(rejectedPartition);
  const left = await visitApps(ports, settings, purge);
  if (!left.ok) ports.log.warn('The apps could not be listed for the purge.', { ...left.error });
  else if (left.value > 0) ports.log.warn('The purge ran out of time; the next one goes on.', { left: left.value });
  await purgeStrays(ports, settings);
  await purgeStraySecrets(ports, settings);
  const instances = await ports.workflows.purge(ports.now() - settings.retainMs);
  if (!instances.ok) ports.log.warn('Finished instances could not be purged.', { ...instances.error });
}

/**
 * What was rejected under the name of an app that never was: no app row leads there. The operation is the only trace of its events, so it is kept for
 * as long as they are, and goes last.
 */
async function purgeStrays(ports: TimerPorts, settings: Parameters<typeof retention>[1]): Promise<void> {
  const mayBegin = deadline(ports, settings);
  const retainMs = Math.max(settings.retainMs, settings.eventRetainMs);
  let from: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof ports.store.scanStrays>> = await ports.store.scanStrays(from);
    if (!page.ok) return ports.log.warn('Stray operations could not be listed.', { ...page.error });
    const stale = page.value.operations.filter(({ finishedAt }) => (finishedAt ?? 0) < ports.now() - retainMs);
    for (const partition of new Set(stale.map(({ app }) => app))) {
      if (!mayBegin()) return;
      const purged = await purgePartition(ports, partition, { ...settings, retainMs });
      if (!purged.ok) ports.log.warn('A partition could not be purged.', { partition, ...purged.error });
    }
    from = page.value.next;
  } while (from !== null);
}

/** What was uploaded for an app that was never applied: no app row leads there either. */
async function purgeStraySecrets(ports: TimerPorts, settings: Parameters<typeof retention>[1]): Promise<void> {
  const mayBegin = deadline(ports, settings);
  let from: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof ports.store.scanSecrets>> = await ports.store.scanSecrets(from);
    if (!page.ok) return ports.log.warn('Stray secrets could not be listed.', { ...page.error });
    const stale = page.value.secrets.filter(({ setAt }) => setAt < ports.now() - settings.secretGraceMs);
    for (const app of new Set(stale.map((row) => row.app))) {
      if (!mayBegin()) return;
      const row = await ports.store.read(keys.app(app));
      if (!row.ok || row.value !== null) continue;
      const purged = await purgePartition(ports, app, settings);
      if (!purged.ok) ports.log.warn('A partition could not be purged.', { partition: app, ...purged.error });
    }
    from = page.value.next;
  } while (from !== null);
}

const deadline = ({ now }: TimerPorts, { tickBudgetMs }: Pick<ActivitySettings, 'tickBudgetMs'>): (() => boolean) => {
  const endAt = now() + tickBudgetMs / 6;
  return () => now() < endAt;
};
