/** Daily: removes rows and finished instances past their retention. What one run does not reach is there for the next. */
import { purgePartition, type Retention } from '../commands/purge.ts';
import type { TimerPorts } from './resync.ts';

export async function retention(ports: TimerPorts, settings: Retention): Promise<void> {
  let from: string | null = null;
  do {
    const page = await ports.store.scanApps(from);
    if (!page.ok) return ports.log.warn('The purge broke off; it starts again tomorrow.', { ...page.error });
    for (const { app } of page.value.apps) {
      const purged = await purgePartition(ports, app, settings);
      if (!purged.ok) ports.log.warn('An app could not be purged.', { app, ...purged.error });
    }
    from = page.value.next;
  } while (from !== null);
  const instances = await ports.workflows.purge(ports.now() - settings.retainMs);
  if (!instances.ok) ports.log.warn('Finished instances could not be purged.', { ...instances.error });
}
