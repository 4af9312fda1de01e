/**
 * Durable instances through the client of the current invocation. The client speaks HTTP without timeouts and tells failures only by their text, so
 * both are put right here. It does not encode what it puts into addresses: ids are made of characters that need none.
 */
import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { names } from '../model/names.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { PortError } from '../ports/errors.ts';
import type { InstanceStatus, Workflows } from '../ports/workflows.ts';

/**
 * The durable client of an invocation: its function must have `df.input.durableClient()` among its inputs. It is made when it is first needed: most
 * activities need none, and making one parses and checks every address of the extension.
 */
export function workflowsOf(context: InvocationContext): Workflows {
  let client: Client | undefined;
  return createDurableWorkflows(() => {
    client ??= df.getClient(context);
    return client;
  });
}

type Client = Pick<df.DurableClient, 'startNew' | 'raiseEvent' | 'getStatus' | 'terminate' | 'purgeInstanceHistoryBy'>;

const defaultTimeoutMs = 30_000;

function createDurableWorkflows(client: () => Client, timeoutMs = defaultTimeoutMs): Workflows {
  const call = <T>(what: string, effect: boolean, run: () => Promise<T>) => settle(what, effect, run, timeoutMs);
  return {
    async start(orchestrator, id, input) {
      const started = await call(`start ${id}`, true, () => client().startNew(orchestrator, { instanceId: id, input }));
      if (started.ok) return ok('started');
      return started.error.kind === 'Conflict' ? ok('existing') : started;
    },
    async hint(id) {
      // `null`, because the client sends `undefined` as no body at all and the extension refuses that. A lost hint is repaired by the next pass.
      await call(`hint ${id}`, true, () => client().raiseEvent(id, names.hint, null));
    },
    async status(id) {
      const read = await call(`read the status of ${id}`, false, () =>
        client().getStatus(id, { showHistory: false, showHistoryOutput: false, showInput: false }),
      );
      if (!read.ok) return read.error.kind === 'NotFound' ? ok(null) : read;
      const { runtimeStatus, lastUpdatedTime } = read.value;
      const status = statuses.get(String(runtimeStatus));
      if (status === undefined) return ok(null);
      return ok({ status, updatedAt: new Date(lastUpdatedTime).getTime() });
    },
    async terminate(id, reason) {
      const ended = await call(`terminate ${id}`, true, () => client().terminate(id, encodeURIComponent(reason)));
      if (ended.ok) return ok(undefined);
      return ended.error.kind === 'NotFound' ? ok(undefined) : ended;
    },
    async purge(beforeMs) {
      const { Completed, Failed, Terminated } = df.OrchestrationRuntimeStatus;
      const purged = await call('purge finished instances', true, () =>
        client().purgeInstanceHistoryBy({
          createdTimeFrom: new Date(0),
          createdTimeTo: new Date(beforeMs),
          runtimeStatus: [Completed, Failed, Terminated],
        }),
      );
      return purged.ok ? ok(purged.value.instancesDeleted) : purged;
    },
  };
}

const statuses: ReadonlyMap<string, InstanceStatus> = new Map(
  (['Pending', 'Running', 'Suspended', 'Completed', 'Failed', 'Terminated', 'Canceled', 'ContinuedAsNew'] as const).map(
    (status) => [status, status],
  ),
);

async function settle<T>(
  what: string,
  effect: boolean,
  run: () => Promise<T>,
  timeoutMs: number,
): Promise<Result<T, PortError>> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return ok(await Promise.race([run(), timeout]));
  } catch (error) {
    return err(errorOf(what, effect, String((error as { readonly message?: unknown })?.message ?? error)));
  } finally {
    clearTimeout(timer);
  }
}

/** The texts are those of durable-functions 3.5; they are all it tells. */
function errorOf(what: string, effect: boolean, text: string): PortError {
  const missing = /HTTP 404|No instance with ID|status code: 404/i.test(text);
  const exists = /status code: 409/.test(text);
  const refused = /status code: 4\d\d/.test(text);
  const kind = missing ? 'NotFound' : exists ? 'Conflict' : refused ? 'Invalid' : effect ? 'Unknown' : 'Unavailable';
  return { kind, code: null, message: `${what}: ${text.slice(0, 500)}`, retryAfterMs: null };
}
