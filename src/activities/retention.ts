/** Daily: removes rows and finished instances past their retention. What one run does not reach is there for the next. */
import { purgePartition, type Retention } from '../commands/purge.ts';
import { rejectedPartition } from '../commands/record-rejection.ts';
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
  const instances = await ports.workflows.purge(ports.now() - settings.retainMs);
  if (!instances.ok) ports.log.warn('Finished instances could not be purged.', { ...instances.error });
}
