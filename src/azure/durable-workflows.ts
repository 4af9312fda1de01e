/** Durable instances through the client of the current invocation. Calls have no time-out of their own: the client talks to the host it runs in. */
import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { names } from '../model/names.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { PortError } from '../ports/errors.ts';
import type { InstanceStatus, Workflows } from '../ports/workflows.ts';
import { toPortError } from './errors.ts';

/** `context` must belong to a function that has the durable client among its inputs. */
export function workflowsOf(context: InvocationContext): Workflows {
  const client = df.getClient(context);
  const call = async <T>(what: string, effect: boolean, run: () => Promise<T>): Promise<Result<T, PortError>> => {
    try {
      return ok(await run());
    } catch (error) {
      return err(toPortError(error, { what, effect }));
    }
  };
  return {
    async start(orchestrator, id, input) {
      const started = await call(`start ${id}`, true, () => client.startNew(orchestrator, { instanceId: id, input }));
      if (started.ok) return ok('started');
      const running = await call(`look at ${id}`, false, () => client.getStatus(id));
      const isRunning = running.ok && ['Pending', 'Running', 'Suspended'].includes(running.value?.runtimeStatus ?? '');
      return isRunning ? ok('existing') : started;
    },
    async hint(id) {
      // A hint that finds nobody is harmless, and one that gets lost is made up for by the workflow's own timer.
      await call(`hint ${id}`, true, () => client.raiseEvent(id, names.hint, {}));
    },
    async status(id) {
      const status = await call(`look at ${id}`, false, () => client.getStatus(id));
      if (!status.ok) return /404|No instance/i.test(status.error.message) ? ok(null) : status;
      if (!status.value) return ok(null);
      const { runtimeStatus, lastUpdatedTime } = status.value;
      return ok({ status: runtimeStatus as InstanceStatus, updatedAt: new Date(lastUpdatedTime).getTime() });
    },
    terminate: (id, reason) => call(`terminate ${id}`, true, () => client.terminate(id, reason)),
    purge: (beforeMs) =>
      call('purge finished workflows', true, async () => {
        const purged = await client.purgeInstanceHistoryBy({
          createdTimeFrom: new Date(0),
          createdTimeTo: new Date(beforeMs),
          runtimeStatus: [
            df.OrchestrationRuntimeStatus.Completed,
            df.OrchestrationRuntimeStatus.Failed,
            df.OrchestrationRuntimeStatus.Terminated,
          ],
        });
        return purged.instancesDeleted;
      }),
  };
}
