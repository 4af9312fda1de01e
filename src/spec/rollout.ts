/**
 * `deploy.update_config` and `x-flotilla.rollout` → how a service goes to a new revision. `update_config` keeps Swarm's meaning and defaults; both at once
 * are refused, for nobody could say which of them counts (semantics, "Which knob wins").
 */
import { limits } from '../model/limits.ts';
import { type Amount, defaultRollout, type RolloutSpec } from '../model/rollout.ts';
import { isObject, joinPath } from './json.ts';
import { readNumber } from './read.ts';
import type { Report } from './report.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** Undefined where the service says nothing: `defaultRollout`. */
export function readRollout(service: Mapping, path: string, report: Report): RolloutSpec | undefined {
  const deploy = isObject(service['deploy']) ? service['deploy'] : {};
  const extension = isObject(service['x-flotilla']) ? service['x-flotilla'] : {};
  const swarm = isObject(deploy['update_config']) ? deploy['update_config'] : undefined;
  const own = isObject(extension['rollout']) ? extension['rollout'] : undefined;
  const swarmPath = joinPath(path, 'deploy', 'update_config');
  const ownPath = joinPath(path, 'x-flotilla', 'rollout');
  if (swarm !== undefined && own !== undefined) refuseBoth(swarm, swarmPath, own, ownPath, report);
  const wanted =
    own === undefined || !isSaid(own, ['strategy', 'maxSurge', 'maxUnavailable'])
      ? undefined
      : readOwn(own, ownPath, report);
  // A strategy that is not there yet says nothing about the pace.
  if (swarm !== undefined && (wanted === undefined || !paces(own))) return readSwarm(swarm, swarmPath, report);
  return wanted;
}

const isSaid = (mapping: Mapping, keys: readonly string[]): boolean => keys.some((key) => mapping[key] !== undefined);

const paces = (own: Mapping | undefined): boolean =>
  own !== undefined && (own['strategy'] === 'recreate' || isSaid(own, ['maxSurge', 'maxUnavailable']));

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
function readSwarm(swarm: Mapping, path: string, report: Report): RolloutSpec {
  const parallelism =
    readNumber(swarm['parallelism'] ?? 1, joinPath(path, 'parallelism'), parallelismRange, report) ?? 1;
  const amount: Amount = parallelism === 0 ? '100%' : parallelism;
  if (swarm['order'] === 'start-first') return { strategy: 'rolling', maxSurge: amount, maxUnavailable: 0 };
  if (swarm['order'] === undefined) {
    report.warn(
      path,
      'has no `order`: as in Swarm, an old replica is stopped before its successor starts.',
      'Write `order: start-first` for no replica to be missing meanwhile, or `order: stop-first` to silence this warning.',
    );
  }
  return { strategy: 'rolling', maxSurge: 0, maxUnavailable: amount };
}

/** Strategies that this version does not have; it rolls instead, and says so. */
const later: ReadonlySet<unknown> = new Set(['canary', 'blueGreen']);

function readOwn(own: Mapping, path: string, report: Report): RolloutSpec {
  const strategy = own['strategy'] ?? 'rolling';
  if (later.has(strategy)) {
    report.warn(
      joinPath(path, 'strategy'),
      `\`${String(strategy)}\` is not there yet: the service is rolled, a few replicas at a time.`,
      'Nothing to do; write `rolling` to silence this warning.',
    );
  } else if (strategy !== 'rolling' && strategy !== 'recreate') {
    report.refuse(joinPath(path, 'strategy'), 'is not a strategy.', 'Write `rolling` or `recreate`.');
  }
  if (strategy === 'recreate') {
    for (const key of ['maxSurge', 'maxUnavailable']) {
      if (own[key] === undefined) continue;
      report.error(
        joinPath(path, key),
        'has no meaning in a `recreate`, which replaces all replicas at once.',
        'Remove it, or write `strategy: rolling`.',
      );
    }
    return { strategy, maxSurge: 0, maxUnavailable: '100%' };
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
  return { strategy: 'rolling', maxSurge, maxUnavailable };
}

const isNone = (amount: Amount): boolean => Number.parseFloat(String(amount)) === 0;

const amountRange = { min: 0, max: limits.replicasPerService, of: 'replicas' };

function readAmount(value: unknown, path: string, report: Report): Amount | undefined {
  if (value === undefined || value === null) return undefined;
  const share = typeof value === 'string' ? /^\s*(\d{1,3})%\s*$/.exec(value)?.[1] : undefined;
  if (share !== undefined && Number(share) <= 100) return `${Number(share)}%`;
  if (share === undefined && (typeof value === 'number' || typeof value === 'string')) {
    return readNumber(value, path, amountRange, report);
  }
  report.refuse(path, 'must be a number of replicas or a share of them.', 'Write `1` or `25%`.');
  return undefined;
}
