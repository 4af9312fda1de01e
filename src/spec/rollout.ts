/**
 * `deploy.update_config`, `deploy.rollback_config` and `x-flotilla.rollout` → how a service goes to a new revision. The first two keep Swarm's meaning and
 * defaults; a pace said twice is refused, for nobody could say which of them counts (semantics, "Which knob wins").
 */
import { defaults } from '../model/defaults.ts';
import { limits } from '../model/limits.ts';
import { type Amount, defaultRollout, type PaceSpec, type RolloutSpec } from '../model/rollout.ts';
import { formatDuration } from '../model/units.ts';
import { isObject, joinPath } from './json.ts';
import { readDurationMs, readNumber } from './read.ts';
import type { Report } from './report.ts';
import { readAmount, readGate, readSteps } from './rollout-steps.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** Undefined where the service says nothing: `defaultRollout`. */
export function readRollout(service: Mapping, path: string, report: Report): RolloutSpec | undefined {
  const deploy = isObject(service['deploy']) ? service['deploy'] : {};
  const extension = isObject(service['x-flotilla']) ? service['x-flotilla'] : {};
  const swarm = isObject(deploy['update_config']) ? deploy['update_config'] : undefined;
  const back = isObject(deploy['rollback_config']) ? deploy['rollback_config'] : undefined;
  const own = isObject(extension['rollout']) ? extension['rollout'] : undefined;
  if (swarm === undefined && back === undefined && own === undefined) return undefined;
  const swarmPath = joinPath(path, 'deploy', 'update_config');
  const ownPath = joinPath(path, 'x-flotilla', 'rollout');
  if (swarm !== undefined && own !== undefined) refuseBoth(swarm, swarmPath, own, ownPath, report);
  const asked = readOwnPace(own ?? {}, ownPath, report);
  const pace = swarm !== undefined && !paces(own) ? { ...asked, ...readSwarmPace(swarm, swarmPath, report) } : asked;
  const backPath = joinPath(path, 'deploy', 'rollback_config');
  const rollback = back && { ...readSwarmPace(back, backPath, report), ...readWatch(back, backPath, report) };
  return {
    ...pace,
    ...(swarm && { onFailure: readAction(swarm), ...readWatch(swarm, swarmPath, report) }),
    ...readPatience(own ?? {}, ownPath, report),
    ...(rollback && { rollback }),
  };
}

const isSaid = (mapping: Mapping, keys: readonly string[]): boolean => keys.some((key) => mapping[key] !== undefined);

const paces = (own: Mapping | undefined): boolean =>
  own !== undefined &&
  (own['strategy'] === 'recreate' || own['strategy'] === 'blueGreen' || isSaid(own, ['maxSurge', 'maxUnavailable']));

function refuseBoth(swarm: Mapping, swarmPath: string, own: Mapping, ownPath: string, report: Report): void {
  const theirs = ['parallelism', 'order'].find((key) => swarm[key] !== undefined);
  if (theirs === undefined || !paces(own)) return;
  const ours = ['maxSurge', 'maxUnavailable'].find((key) => own[key] !== undefined) ?? 'strategy';
  report.error(
    joinPath(ownPath, ours),
    `says how replicas are replaced, and so does \`${joinPath(swarmPath, theirs)}\`.`,
    'Keep one of the two.',
  );
}

const parallelismRange = { min: 0, max: limits.replicasPerService, of: 'replicas' };

/** Swarm: one at a time, the old one stopped first; 0 = all at once. */
function readSwarmPace(swarm: Mapping, path: string, report: Report): PaceSpec {
  const parallelism =
    readNumber(swarm['parallelism'] ?? 1, joinPath(path, 'parallelism'), parallelismRange, report) ?? 1;
  const amount: Amount = parallelism === 0 ? '100%' : parallelism;
  if (swarm['order'] === 'start-first') return { maxSurge: amount, maxUnavailable: 0 };
  if (swarm['order'] === undefined) {
    report.warn(
      path,
      'has no `order`: as in Swarm, an old replica is stopped before its successor starts.',
      'Write `order: start-first` for no replica to be missing meanwhile, or `order: stop-first` to silence this warning.',
    );
  }
  return { maxSurge: 0, maxUnavailable: amount };
}

/** Swarm pauses unless it is told otherwise; the schema judges other words. */
function readAction(swarm: Mapping): NonNullable<RolloutSpec['onFailure']> {
  const action = swarm['failure_action'];
  return action === 'rollback' || action === 'continue' ? action : 'pause';
}

const ratioRange = { min: 0, max: 1, whole: false, of: 'failed replicas to all' };

/** Swarm: no failure is one too many. Its 5 s of watching are less than the time between two looks. */
function readWatch(
  swarm: Mapping,
  path: string,
  report: Report,
): Required<Pick<RolloutSpec, 'monitorMs' | 'maxFailureRatio'>> {
  const ratio = readNumber(swarm['max_failure_ratio'], joinPath(path, 'max_failure_ratio'), ratioRange, report);
  const asked = readDurationMs(swarm['monitor'], joinPath(path, 'monitor'), report);
  const { shortestMonitorMs } = defaults.rollout;
  if (asked !== undefined && asked < shortestMonitorMs) {
    report.warn(
      joinPath(path, 'monitor'),
      `${formatDuration(asked)} becomes ${formatDuration(shortestMonitorMs)}: what is ready is looked at that often.`,
      `Write \`${formatDuration(shortestMonitorMs)}\`.`,
    );
  }
  return { maxFailureRatio: ratio ?? 0, monitorMs: Math.max(asked ?? 0, shortestMonitorMs) };
}

const strategies = ['rolling', 'recreate', 'canary', 'blueGreen'] as const;

function readOwnPace(own: Mapping, path: string, report: Report): Pick<RolloutSpec, 'strategy' | 'steps'> & PaceSpec {
  const strategy = strategies.find((name) => name === (own['strategy'] ?? 'rolling'));
  if (strategy === undefined) {
    report.refuse(
      joinPath(path, 'strategy'),
      'is not a strategy.',
      'Write `rolling`, `recreate`, `canary` or `blueGreen`.',
    );
  }
  const steps = readSteps(own['steps'], joinPath(path, 'steps'), strategy, report);
  if (strategy === 'recreate' || strategy === 'blueGreen') {
    refusePace(own, path, strategy, report);
    return strategy === 'recreate'
      ? { strategy, maxSurge: 0, maxUnavailable: '100%' }
      : { strategy, maxSurge: '100%', maxUnavailable: 0 };
  }
  const maxSurge = readAmount(own['maxSurge'], joinPath(path, 'maxSurge'), report) ?? defaultRollout.maxSurge;
  const maxUnavailable =
    readAmount(own['maxUnavailable'], joinPath(path, 'maxUnavailable'), report) ?? defaultRollout.maxUnavailable;
  if (isNone(maxSurge) && isNone(maxUnavailable)) {
    report.error(
      path,
      'with `maxSurge` and `maxUnavailable` both 0 no replica could ever be replaced.',
      'Give one of them at least 1.',
    );
  }
  return { strategy: strategy ?? 'rolling', maxSurge, maxUnavailable, ...(steps && { steps }) };
}

function refusePace(own: Mapping, path: string, strategy: 'recreate' | 'blueGreen', report: Report): void {
  const why = strategy === 'recreate' ? 'replaces all replicas at once' : 'sets all new replicas beside all old ones';
  for (const key of ['maxSurge', 'maxUnavailable']) {
    if (own[key] === undefined) continue;
    report.error(
      joinPath(path, key),
      `has no meaning in a \`${strategy}\`, which ${why}.`,
      'Remove it, or write `strategy: rolling`.',
    );
  }
}

const isNone = (amount: Amount): boolean => Number.parseFloat(String(amount)) === 0;

type Patience = Pick<RolloutSpec, 'gate' | 'bakeMs' | 'minReadyMs' | 'progressDeadlineMs' | 'whenNoSurge'>;

function readPatience(own: Mapping, path: string, report: Report): Patience {
  const duration = (key: string) => readDurationMs(own[key], joinPath(path, key), report);
  const [bakeMs, minReadyMs, progressDeadlineMs] = [
    duration('bake'),
    duration('minReady'),
    duration('progressDeadline'),
  ];
  const gate = readGate(own['gate'], joinPath(path, 'gate'), report);
  if (gate !== undefined && own['strategy'] !== 'blueGreen') {
    report.refuse(joinPath(path, 'gate'), 'belongs to `strategy: blueGreen`.', 'Write it in a step of a canary.');
  }
  const least = minReadyMs ?? defaults.minReadyMs;
  if (progressDeadlineMs !== undefined && progressDeadlineMs <= least) {
    report.error(
      joinPath(path, 'progressDeadline'),
      `${formatDuration(progressDeadlineMs)} is over before a replica counts as ready, after ${formatDuration(least)}.`,
      'Give it at least a minute more than `minReady`.',
    );
  }
  const { whenNoSurge } = own;
  if (whenNoSurge !== undefined && whenNoSurge !== 'park' && whenNoSurge !== 'stopFirst') {
    report.refuse(joinPath(path, 'whenNoSurge'), 'is not a way to make room.', 'Write `park` or `stopFirst`.');
  }
  return {
    ...(gate && { gate }),
    ...(bakeMs !== undefined && { bakeMs }),
    ...(minReadyMs !== undefined && { minReadyMs }),
    ...(progressDeadlineMs !== undefined && { progressDeadlineMs }),
    ...((whenNoSurge === 'park' || whenNoSurge === 'stopFirst') && { whenNoSurge }),
  };
}
