/**
 * What an observed container group says about its replica: fit, not fit yet, or beyond repair. Ordered rules, the first that applies decides.
 * ACI reports no readiness and restarts crashing containers in place, so only what ACI itself will not bring back is called dead.
 */
import type { Readiness, ServiceTemplate } from '../model/app-spec.ts';
import type { ContainerObservation, GroupEvent, GroupObservation } from '../model/group.ts';
import type { Reason } from '../model/reasons.ts';
import type { Observation } from '../model/snapshot.ts';

export type Condition =
  | { readonly kind: 'fit' }
  /** `lookAt`: the instant at which nothing but time is missing, else null. */
  | {
      readonly kind: 'unfit';
      readonly reason: Reason | null;
      readonly message: string | null;
      readonly lookAt: number | null;
    }
  | { readonly kind: 'dead'; readonly reason: Reason; readonly message: string };

export type SeenGroup = Extract<Observation, { kind: 'group' }>;

interface Seen {
  readonly group: GroupObservation;
  readonly container: ContainerObservation | null;
  readonly running: boolean;
  readonly probe: SeenGroup['probe'];
  readonly template: ServiceTemplate;
  readonly now: number;
}

interface Rule {
  readonly name: string;
  readonly when: (seen: Seen) => boolean;
  readonly says: (seen: Seen) => Condition;
}

/** Platform maintenance kills containers with these codes and restarts them itself (aci: "Exit codes 7147 / 7148"). */
const maintenanceExitCodes: ReadonlySet<number> = new Set([7147, 7148]);

export const isMaintenance = (exitCode: number): boolean => maintenanceExitCodes.has(exitCode);

const rules: readonly Rule[] = [
  {
    // Starting it would give other containers and another address under the name of this incarnation (aci: lifecycle).
    name: 'somebody stopped the group, and nobody but a person starts it again',
    when: ({ running, group }) => !running && group.state === 'Stopped',
    says: () => dead('GroupStopped', 'Somebody stopped the container group, which is replaced by another one.'),
  },
  {
    name: 'the image cannot be pulled',
    when: ({ running, group }) => !running && pullFailure(group) !== undefined,
    says: ({ group }) => dead('ImagePullFailed', pullFailure(group)?.message ?? ''),
  },
  {
    name: 'the region has no capacity',
    when: ({ running, group }) => !running && capacityFailure(group) !== undefined,
    says: ({ group }) => dead('NoCapacity', capacityFailure(group)?.message ?? ''),
  },
  {
    name: 'the restart policy keeps the ended container down',
    when: ({ container, template }) => keptDown(container, template.restartPolicy),
    says: ({ container, template }) =>
      dead(
        'ContainerExited',
        `The container ${ending(container)}; restart policy ${template.restartPolicy} keeps it down.`,
      ),
  },
  {
    name: 'provisioning failed and nothing runs: ACI may go on trying, so the group must go',
    when: ({ running, group, container }) =>
      !running && group.provisioningState === 'Failed' && (container?.startedAt ?? null) === null,
    says: ({ group }) => dead('ProvisioningFailed', group.events[0]?.message ?? 'ACI gives no reason.'),
  },
  {
    name: 'platform maintenance ended the container and ACI restarts it',
    when: (seen) => isDown(seen) && isMaintained(seen.group),
    says: ({ group }) => endOf(group),
  },
  {
    name: 'the container crashes again and again and ACI restarts it, more and more slowly',
    when: (seen) => isDown(seen) && isLooping(seen.group),
    says: ({ group }) => endOf(group),
  },
  {
    name: 'the container crashed and ACI restarts it',
    when: (seen) => isDown(seen),
    says: ({ group }) => endOf(group),
  },
  {
    name: 'something keeps the container from starting, and ACI tries again',
    when: ({ running, group }) => !running && startFailure(group) !== undefined,
    says: ({ group }) => unfit('StartDelayed', startFailure(group)?.message ?? null),
  },
  {
    name: 'the container does not run yet',
    when: ({ running }) => !running,
    says: () => unfit(null, null),
  },
  {
    name: 'it has ports but no address yet',
    when: ({ group, template }) => template.ports.length > 0 && !hasAddress(group.ip),
    says: () => unfit(null, null),
  },
  {
    name: 'we probe it over the network',
    when: ({ template }) => template.readiness.kind !== 'running',
    says: ({ probe }) =>
      probe === 'passed'
        ? { kind: 'fit' }
        : probe === 'failed'
          ? unfit('ProbeFailed', 'The readiness probe fails.')
          : unfit(null, null),
  },
  { name: 'time without a restart or an Unhealthy event makes it ready', when: () => true, says: quietLongEnough },
];

export const conditionOf = (seen: SeenGroup, template: ServiceTemplate, now: number): Condition =>
  diagnose(seen, template, now).condition;

/** The condition with the name of the rule that decided it, for people. */
export function diagnose(
  seen: SeenGroup,
  template: ServiceTemplate,
  now: number,
): { readonly rule: string; readonly condition: Condition } {
  const container = seen.group.container;
  const facts: Seen = {
    group: seen.group,
    container,
    running: isRunning(seen.group),
    probe: seen.probe,
    template,
    now,
  };
  const rule = rules.find((candidate) => candidate.when(facts));
  return rule === undefined
    ? { rule: 'no rule applies', condition: unfit(null, null) }
    : { rule: rule.name, condition: rule.says(facts) };
}

/** While a group is being placed ARM may report 0.0.0.0 (aci: networking fields). */
export const hasAddress = (ip: string | null): ip is string => ip !== null && ip !== '' && ip !== '0.0.0.0';

export const addressOf = (ip: string | null): string | null => (hasAddress(ip) ? ip : null);

export const isRunning = (group: GroupObservation): boolean => group.container?.state === 'Running';

function quietLongEnough({ container, group, template, now }: Seen): Condition {
  const afterMs = (template.readiness as Extract<Readiness, { kind: 'running' }>).afterMs;
  const startedAt = container?.startedAt ?? now;
  const unhealthyAt = Math.max(
    Number.NEGATIVE_INFINITY,
    ...group.events.filter((event) => event.name === 'Unhealthy').map((event) => event.lastAt ?? startedAt),
  );
  const readyAt = Math.max(startedAt, unhealthyAt) + afterMs;
  if (now >= readyAt) return { kind: 'fit' };
  if (unhealthyAt > startedAt) return { ...unfit('ProbeFailed', 'Its own health check failed.'), lookAt: readyAt };
  const crash = (container?.restartCount ?? 0) > 0 ? endOf(group) : unfit(null, null);
  return { ...crash, lookAt: readyAt };
}

const pullEvents: ReadonlySet<string> = new Set(['Pulling', 'Pulled', 'Started', 'Created']);

/** The newest word about the image, if it is a failure. Events come newest first; their names are not a fixed list, so the message counts too. */
function pullFailure(group: GroupObservation): GroupEvent | undefined {
  for (const event of group.events) {
    if (event.name === 'InaccessibleImage') return event;
    if (event.name === 'Failed' && /pull|image/i.test(event.message)) return event;
    if (pullEvents.has(event.name)) return undefined;
  }
  return undefined;
}

/** The newest failure that no step forward has followed: of the group's host, its volumes, its address. */
function startFailure({ events }: GroupObservation): GroupEvent | undefined {
  const newest = events.find(({ name }) => name === 'Failed' || pullEvents.has(name));
  return newest?.name === 'Failed' && newest.type === 'Warning' ? newest : undefined;
}

/** ACI writes the name with a trailing dot (aci: event names). */
const capacityFailure = (group: GroupObservation): GroupEvent | undefined =>
  group.provisioningState === 'Failed'
    ? group.events.find((event) => /^InsufficientCapacity\.?$/.test(event.name))
    : undefined;

function keptDown(container: ContainerObservation | null, policy: ServiceTemplate['restartPolicy']): boolean {
  if (container === null || container.state !== 'Terminated' || container.exitCode === null) return false;
  if (isMaintenance(container.exitCode)) return false;
  return policy === 'Never' || (policy === 'OnFailure' && container.exitCode === 0);
}

const isDown = ({ running, container }: Seen): boolean =>
  !running && container !== null && (container.state === 'Terminated' || container.restartCount > 0);

const isMaintained = ({ container }: GroupObservation): boolean => maintenanceExitCodes.has(container?.exitCode ?? 0);

/** From so many restarts in place on it is a loop and not an accident (semantics, "Rollouts": replaced after 5 restarts). */
const loopFrom = 5;
const isLooping = ({ container }: GroupObservation): boolean => (container?.restartCount ?? 0) >= loopFrom;

/** What ended the container last, of one that ACI restarts in place. */
function endOf(group: GroupObservation): Extract<Condition, { kind: 'unfit' }> {
  const restarted = `restarted ${timesOf(group.container?.restartCount ?? 0)}`;
  if (isMaintained(group)) {
    return unfit('PlatformMaintenance', `The container ${ending(group.container)}, the code of platform maintenance.`);
  }
  return unfit(
    isLooping(group) ? 'CrashLooping' : 'ContainerCrashed',
    `The container ${crashEnding(group)}; ${restarted}.`,
  );
}

/** What a restart count that rose by `rise` means. */
export function restartOf(
  group: GroupObservation,
  rise: number,
): { readonly reason: Reason; readonly message: string } {
  const isMaintenance = isMaintained(group);
  const cause = isMaintenance ? ', the code of platform maintenance' : '';
  return {
    reason: isMaintenance ? 'PlatformMaintenance' : 'ContainerCrashed',
    message: `The container was restarted ${timesOf(rise)}; it ${crashEnding(group)}${cause}.`,
  };
}

const timesOf = (count: number): string => (count === 1 ? 'once' : `${count} times`);

function ending(container: ContainerObservation | null): string {
  if (container === null || container.exitCode === null) return 'stopped';
  const detail = container.detail === null || container.detail === '' ? '' : ` (${container.detail})`;
  return `ended with exit code ${container.exitCode}${detail}`;
}

/** With the health check that failed before ACI killed the container, where its events tell of one. */
function crashEnding(group: GroupObservation): string {
  const check = killExitCodes.has(group.container?.exitCode ?? 0) ? failedCheck(group) : undefined;
  const why = check === undefined ? '' : ` after its health check failed: ${check.message.replace(/\.$/, '')}`;
  return `${ending(group.container)}${why}`;
}

/** 128 + SIGKILL and 128 + SIGTERM. */
const killExitCodes: ReadonlySet<number> = new Set([137, 143]);
/** ACI kills at the failure that reaches the threshold, and may grant the process its 30 s to end. */
const killedWithinMs = 30_000;

/** The `Unhealthy` event right before the newest `Killing`. A kill before the last start of a container that is down again was another one. */
function failedCheck(group: GroupObservation): GroupEvent | undefined {
  const newest = (name: string) => group.events.find((event) => event.name === name)?.lastAt ?? null;
  const killedAt = newest('Killing');
  if (killedAt === null || (!isRunning(group) && killedAt < (newest('Started') ?? killedAt))) return undefined;
  return group.events.find(
    ({ name, lastAt }) =>
      name === 'Unhealthy' && lastAt !== null && lastAt <= killedAt && killedAt - lastAt <= killedWithinMs,
  );
}

const unfit = (reason: Reason | null, message: string | null): Extract<Condition, { kind: 'unfit' }> => ({
  kind: 'unfit',
  reason,
  message,
  lookAt: null,
});

const dead = (reason: Reason, message: string): Condition => ({ kind: 'dead', reason, message });
