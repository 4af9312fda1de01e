/** What scaling, restarting, stopping and starting services change. None of them touches the spec: it says what an apply wants, these say what is wanted now. */
import { serviceNamed } from '../../model/app-spec.ts';
import type { GuardRow, OperationRow, Stored } from '../../model/state.ts';
import { type Changed, changeServices } from './change-services.ts';
import type { CommandView, Moment, Write } from './conclude.ts';

/** A manual scale wins over the spec until a document is applied that states a number (semantics, "Which knob wins"). */
export function planScale(
  view: CommandView,
  operation: Stored<OperationRow>,
  replicas: Readonly<Record<string, number>>,
  moment: Moment,
): readonly Write[] {
  const change = (guard: GuardRow): Changed | null => {
    const scaledTo = replicas[guard.service] ?? guard.desired;
    const desired = guard.stopped ? 0 : scaledTo;
    if (guard.scaledTo === scaledTo && guard.desired === desired) return null;
    const { service } = guard;
    return {
      guard: { ...guard, scaledTo, desired },
      stirs: guard.desired !== desired,
      happening: {
        type: 'ServiceScaled',
        message: guard.stopped
          ? `${service} is to have ${scaledTo} replicas once it is started.`
          : `${service} is scaled from ${guard.desired} to ${scaledTo} by command.`,
      },
      ...(guard.stopped && { notice: isStopped(guard, 'has no replicas until it is started') }),
    };
  };
  return changeServices(view, operation, { services: Object.keys(replicas), change, verb: 'Scaled' }, moment);
}

export function planRestart(
  view: CommandView,
  operation: Stored<OperationRow>,
  services: readonly string[] | null,
  moment: Moment,
): readonly Write[] {
  const change = (guard: GuardRow): Changed => ({
    guard: { ...guard, cycle: (guard.cycle ?? 0) + 1 },
    stirs: true,
    happening: {
      type: 'ServiceRestarted',
      message: `${guard.service} is restarted: its replicas are replaced one at a time.`,
    },
    ...(guard.stopped && { notice: isStopped(guard, 'has nothing to restart') }),
  });
  return changeServices(view, operation, { services, change, verb: 'Restarted' }, moment);
}

export function planStop(
  view: CommandView,
  operation: Stored<OperationRow>,
  services: readonly string[] | null,
  moment: Moment,
): readonly Write[] {
  const change = (guard: GuardRow): Changed | null =>
    guard.stopped
      ? null
      : {
          guard: { ...guard, stopped: true, desired: 0 },
          stirs: true,
          happening: {
            type: 'ServiceStopped',
            message: `${guard.service} is stopped: its ${guard.desired} replicas are removed.`,
          },
        };
  return changeServices(view, operation, { services, change, verb: 'Stopped' }, moment);
}

export function planStart(
  view: CommandView,
  operation: Stored<OperationRow>,
  services: readonly string[] | null,
  moment: Moment,
): readonly Write[] {
  const change = (guard: GuardRow): Changed | null => {
    if (!guard.stopped) return null;
    const spec = serviceNamed(view.app.spec, guard.service);
    const desired = guard.scaledTo ?? spec?.replicas ?? 0;
    return {
      guard: { ...guard, stopped: false, desired },
      stirs: true,
      happening: { type: 'ServiceStarted', message: `${guard.service} is started with ${desired} replicas.` },
    };
  };
  return changeServices(view, operation, { services, change, verb: 'Started' }, moment);
}

const isStopped = ({ app, service }: GuardRow, consequence: string) => ({
  problem: `${service} is stopped and ${consequence}.`,
  remedy: `Start it with \`flotilla start ${app}.${service}\`.`,
});
