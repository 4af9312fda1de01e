/** `flotilla replica replace|forget APP.SERVICE.SLOT`: finds the incarnation that is meant, sends the command, and waits until it is so. */
import type { AppResource, ReplicaResource } from '../../model/api.ts';
import type { Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { InvocationOf } from '../invocation.ts';
import { failWith, openSession } from '../session.ts';
import { carryOut } from './imperative.ts';

type Options = InvocationOf<'replica'>;

export async function replica(surroundings: Surroundings, options: Options): Promise<ExitCode> {
  const opened = await openSession(surroundings, options);
  if (!opened.ok) return opened.error;
  const session = opened.value;
  const app = await session.client.app(options.app);
  if (!app.ok) return failWith(session, app.error);
  const meant = meantBy(app.value, options);
  const name = `${options.app}.${options.service}.${options.slot}`;
  if (meant === undefined) {
    session.terminal.note(
      `error: there is no replica ${name}; \`flotilla ps ${options.app}\` lists those that there are.`,
    );
    return exitCodes.invalid;
  }
  const { service, slot, action } = options;
  const { incarnation, state } = meant;
  const body = { command: words[action].command, replica: { service, slot, incarnation } } as const;
  const line = `  ~ ${service}.${slot}  ${words[action].does} incarnation ${incarnation}, which is ${state}`;
  return await carryOut(session, options, body, [line]);
}

const words = {
  replace: { command: 'replaceReplica', does: 'replace' },
  forget: { command: 'forgetReplica', does: 'forget' },
} as const;

const settled: ReadonlySet<ReplicaResource['state']> = new Set(['starting', 'ready', 'unready']);

/** Of several incarnations in a slot the newest is replaced; forgotten is the oldest that does not serve. */
function meantBy(app: AppResource, { service, slot, action }: Options): ReplicaResource | undefined {
  const here = (app.serviceList.find(({ name }) => name === service)?.replicas ?? [])
    .filter((one) => one.slot === slot)
    .toSorted((a, b) => a.incarnation - b.incarnation);
  return action === 'replace' ? here.at(-1) : (here.find(({ state }) => !settled.has(state)) ?? here[0]);
}
