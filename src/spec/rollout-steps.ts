/** `x-flotilla.rollout.steps`: how far a canary goes at a time. */
import { defaults } from '../model/defaults.ts';
import { limits } from '../model/limits.ts';
import type { Amount, CanaryStep, Gate, RolloutSpec } from '../model/rollout.ts';
import { isObject, joinPath } from './json.ts';
import { readDurationMs, readNumber } from './read.ts';
import type { Report } from './report.ts';

const example = '`steps: [ { replicas: 1, bake: 5m } ]`';

export function readSteps(
  value: unknown,
  path: string,
  strategy: RolloutSpec['strategy'] | undefined,
  report: Report,
): readonly CanaryStep[] | undefined {
  if (strategy !== 'canary') {
    if (value !== undefined) report.refuse(path, 'belong to `strategy: canary`.', 'Write `strategy: canary`.');
    return undefined;
  }
  if (!Array.isArray(value) || value.length === 0) {
    report.refuse(path, 'a canary needs at least one step.', `Write ${example}.`);
    return undefined;
  }
  const steps = value.map((step, index) => readStep(step, joinPath(path, index), report));
  refuseFalling(steps, path, report);
  return steps;
}

function readStep(step: unknown, path: string, report: Report): CanaryStep {
  if (!isObject(step)) {
    report.refuse(path, 'must be a mapping.', `Write ${example}.`);
    return { replicas: 1, bakeMs: 0 };
  }
  if (step['weight'] !== undefined) refuseWeight(step['weight'], joinPath(path, 'weight'), report);
  const replicas = readAmount(step['replicas'], joinPath(path, 'replicas'), report);
  if (replicas === undefined && step['weight'] === undefined && step['replicas'] === undefined) {
    report.refuse(path, 'says nothing about how many replicas try the new revision.', `Write ${example}.`);
  }
  if (replicas !== undefined && shareOf(replicas) === 0) {
    report.refuse(joinPath(path, 'replicas'), 'a step without a replica tries nothing.', 'Give it at least 1.');
  }
  const gate = readGate(step['gate'], joinPath(path, 'gate'), report);
  const bakeMs = readDurationMs(step['bake'], joinPath(path, 'bake'), report) ?? defaults.rollout.canaryBakeMs;
  return { replicas: replicas ?? 1, bakeMs, ...(gate && { gate }) };
}

/** Only an ingress or weighted records could carry it (semantics, "Rollouts"). */
function refuseWeight(weight: unknown, path: string, report: Report): void {
  const share = Number.parseFloat(String(weight));
  const isShare = share > 0 && share <= 100;
  report.refuse(
    path,
    isShare
      ? 'a share of the traffic needs an ingress that carries it, and there is none: clients see the replicas themselves.'
      : 'is no share of the traffic, 1 to 100 %.',
    `Write a share of the replicas instead: \`replicas: ${isShare ? `${Math.ceil(share)}%` : '10%'}\`.`,
  );
}

export function readGate(value: unknown, path: string, report: Report): Gate | undefined {
  if (value === undefined || value === null || value === 'manual') return value === 'manual' ? value : undefined;
  report.refuse(path, 'is not a gate.', 'Write `gate: manual`, and open it with `flotilla rollout promote`.');
  return undefined;
}

/** Numbers and shares cannot be told apart without the number of replicas: each kind must rise by itself. */
function refuseFalling(steps: readonly CanaryStep[], path: string, report: Report): void {
  for (const [index, { replicas }] of steps.entries()) {
    const before = steps.slice(0, index).filter((step) => typeof step.replicas === typeof replicas);
    if (before.every((step) => shareOf(step.replicas) < shareOf(replicas))) continue;
    report.error(
      joinPath(path, index, 'replicas'),
      `${replicas} is not more than the step before has: steps must rise.`,
      'Put them in order, each larger than the one before.',
    );
  }
}

const shareOf = (amount: Amount): number => Number.parseFloat(String(amount));

const amountRange = { min: 0, max: limits.replicasPerService, of: 'replicas' };

export function readAmount(value: unknown, path: string, report: Report): Amount | undefined {
  if (value === undefined || value === null) return undefined;
  const share = typeof value === 'string' ? /^\s*(\d{1,3})%\s*$/.exec(value)?.[1] : undefined;
  if (share !== undefined && Number(share) <= 100) return `${Number(share)}%`;
  if (share === undefined && (typeof value === 'number' || typeof value === 'string')) {
    return readNumber(value, path, amountRange, report);
  }
  report.refuse(path, 'must be a number of replicas or a share of them.', 'Write `1` or `25%`.');
  return undefined;
}
