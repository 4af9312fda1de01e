/** What the commands have in common that change services of an app in place: which ones are meant, and what is written of them. */
import type { Problem } from '../../model/problem.ts';
import type { GuardRow, OperationRow, Stored } from '../../model/state.ts';
import { nearestWord } from '../../spec/suggest.ts';
import { type CommandView, conclude, type Happening, type Moment, type Write, withoutEtag } from './conclude.ts';
import { planRejection } from './plan-refusal.ts';

/** A service as the command leaves it. */
export interface Changed {
  readonly guard: GuardRow;
  /** Replicas are touched, so that the service has to converge again. */
  readonly stirs: boolean;
  /** Its workflow must look again, though nothing has to converge anew. */
  readonly wakes?: true;
  /** Rows to write beside the guard. */
  readonly others?: readonly Write[];
  readonly happening: Omit<Happening, 'service'>;
  readonly notice?: Omit<Problem, 'severity' | 'path'>;
}

export interface ServiceChanges {
  /** Named services; null = all of the app. */
  readonly services: readonly string[] | null;
  /** null = it is so already. */
  readonly change: (guard: GuardRow) => Changed | null;
  /** `Scaled web, api.`, said of those that changed. */
  readonly verb: string;
  /** Why the command has no effect, besides what holds for every command. */
  readonly refusal?: Parameters<typeof planRejection>[2] | null;
}

export function changeServices(
  view: CommandView,
  operation: Stored<OperationRow>,
  { services, change, verb, refusal: own = null }: ServiceChanges,
  moment: Moment,
): readonly Write[] {
  const present = view.guards.filter(({ removed }) => !removed);
  const refusal = refusalOf(view, present, services) ?? own;
  if (refusal !== null) return planRejection(view, operation, refusal, moment);
  const generation = view.app.generation + 1;
  const changed = present
    .filter(({ service }) => services === null || services.includes(service))
    .flatMap((guard) => {
      const next = change(withoutEtag<GuardRow>(guard));
      return next === null ? [] : [{ before: guard, ...next }];
    });
  const stirs = changed.some((one) => one.stirs);
  const wakes = changed.some((one) => one.wakes);
  const app = withoutEtag(view.app);
  const names = changed.map(({ guard }) => guard.service).join(', ');
  return conclude(
    view,
    operation,
    {
      state: 'applied',
      app: { ...app, ...(stirs && { generation }), ...((stirs || wakes) && { updatedAt: moment.now }) },
      services: changed.flatMap(({ before, guard, stirs: isStirred, others = [] }) => [
        {
          row: isStirred
            ? { ...guard, generation, reason: null, message: null, lastTx: moment.txId }
            : { ...guard, lastTx: moment.txId },
          etag: before.etag,
        },
        ...others,
      ]),
      happenings: changed.map(({ guard, happening }) => ({ ...happening, service: guard.service })),
      reason: null,
      problems: changed.flatMap(({ guard, notice }) =>
        notice ? [{ severity: 'warning' as const, path: `services.${guard.service}`, ...notice }] : [],
      ),
      summary:
        changed.length === 0 ? 'Nothing differs.' : `${verb} ${names}${stirs ? ` as generation ${generation}` : ''}.`,
    },
    moment,
  );
}

/** Also for those commands that concern an app as a whole. */
export function absenceOf({ app }: CommandView): Parameters<typeof planRejection>[2] | null {
  if (app.state === 'deleting') return { reason: 'AppBeingDeleted', problems: [] };
  return app.state === 'deleted' || app.generation === 0 ? { reason: 'AppNotFound', problems: [] } : null;
}

function refusalOf(
  view: CommandView,
  present: readonly GuardRow[],
  services: readonly string[] | null,
): Parameters<typeof planRejection>[2] | null {
  const absent = absenceOf(view);
  if (absent !== null || services === null) return absent;
  const known = present.map(({ service }) => service);
  const unknown = services.filter((service) => !known.includes(service));
  if (unknown.length === 0) return null;
  return { reason: 'ServiceNotFound', problems: unknown.map((service) => unknownService(service, known)) };
}

export function unknownService(service: string, known: readonly string[]): Problem {
  const nearest = nearestWord(service, known);
  return {
    severity: 'error',
    path: `services.${service}`,
    problem: `the app has no service ${service}.`,
    remedy: nearest ? `Did you mean ${nearest}?` : `Name one of: ${known.join(', ')}.`,
  };
}
