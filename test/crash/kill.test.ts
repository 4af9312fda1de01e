/**
 * Host, broker and world die by SIGKILL, alone and together, at points of a deployment and of the teardown after it. Each run brings an app up and
 * down again over the real platform; it must converge both times, with exactly one container group for each replica and none left over.
 */
import { afterAll, describe, expect, it } from 'vitest';
import * as ledger from './ledger.ts';
import { deploymentPoints, type Point, teardownPoints } from './points.ts';

import { type AuditEntry, appName, expectOwned, replicaCount, shop, startTrial, type Trial } from './trial.ts';

const slowMs = 1_500;

interface Outcome {
  readonly phase: 'deployment' | 'teardown';
  readonly point: Point;
  /** What was under way at the first kill. */
  readonly seen: string;
  readonly seconds: number;
}

const outcomes: Outcome[] = [];
const runs = Array.from({ length: Math.max(deploymentPoints.length, teardownPoints.length) }, (_, n) => ({
  up: deploymentPoints[n],
  down: teardownPoints[n],
}));
const title = (point: Point | undefined) => (point ? `${point.victims.join(' + ')} ${point.name}` : 'undisturbed');

describe.concurrent('killed', () => {
  it.each(runs.map((run) => ({ ...run, name: `up: ${title(run.up)} | down: ${title(run.down)}` })))(
    '$name',
    async ({ up, down }) => {
      const trial = await startTrial();
      try {
        const applied = await struck(trial, 'deployment', up, async () => {
          const operation = await trial.command('up', shop('nginx:1'));
          await expectConverged(trial);
          return operation;
        });
        const deleted = await struck(trial, 'teardown', down, async () => {
          const id = down?.asks ? await outcomeOfDelete(trial) : (await trial.command('down', null)).id;
          await expectDeleted(trial);
          return { id };
        });
        await expectConcluded(trial, [applied.id, deleted.id]);
        expect(
          trial.deaths.every(({ why }) => why === 'SIGKILL'),
          JSON.stringify(trial.deaths),
        ).toBe(true);
      } finally {
        await trial.end();
      }
    },
  );
});

afterAll(() => {
  const rows = outcomes
    .toSorted((a, b) => a.phase.localeCompare(b.phase))
    .map(
      ({ phase, point, seen, seconds }) =>
        `${phase.padEnd(11)} ${seconds.toFixed(1).padStart(5)} s  ${title(point)}\n${' '.repeat(20)}${seen}`,
    );
  process.stdout.write(
    `\n${outcomes.length} points survived; seconds from the first kill to the end:\n${rows.join('\n')}\n`,
  );
});

/** Runs `story` while the point's victims are killed as it says. */
async function struck<T>(
  trial: Trial,
  phase: Outcome['phase'],
  point: Point | undefined,
  story: () => Promise<T>,
): Promise<T> {
  if (point === undefined) return await story();
  if (point.slow) {
    const effect = { kind: 'latency', ms: slowMs };
    await trial.control('POST', '/control/faults', { act: point.slow, times: 1, effect });
  }
  const blows = kill(trial, point);
  const [result, { seen, at }] = await Promise.all([story(), blows]);
  outcomes.push({ phase, point, seen, seconds: (performance.now() - at) / 1000 });
  return result;
}

async function kill({ platform, ledger: watched }: Trial, point: Point): Promise<{ seen: string; at: number }> {
  const first = await watched.until(title(point), point.when);
  const strike = () => {
    for (const victim of point.victims) platform.kill(victim);
  };
  strike();
  const at = performance.now();
  for (const when of point.again ?? []) {
    await watched.until(`${title(point)}, once more`, when);
    strike();
  }
  return { seen: ledger.describe(first), at };
}

/** The one outcome of that command, which its operation confirms. */
async function outcomeOfDelete(trial: Trial): Promise<string> {
  const outcome = await trial.order('down', null);
  expect(outcome).toMatchObject({ app: appName, state: 'applied', problems: [] });
  await trial.eventually('nothing is owed', async () => trial.ledger.see().owed === 0);
  return outcome.operationId ?? '';
}

async function expectConverged(trial: Trial): Promise<void> {
  await trial.settled('convergence', ({ converged }) => converged);
  await expectOwned(trial);
  expectCreatedOnce(await trial.audit());
}

async function expectDeleted(trial: Trial): Promise<void> {
  await trial.settled('deletion', ({ state }) => state === 'deleted');
  expect(await trial.groups()).toEqual([]);
  expectCreatedOnce(await trial.audit());
  // A host that dies between the record of a group's end and the return of its budget leaves that to the next resync.
  await trial.eventually('every pool is empty', async () => {
    const pools = await trial.client.pools();
    return pools.ok && pools.value.every(({ used }) => used.groups === 0);
  });
}

/** A second PUT of a name would restart its containers. */
function expectCreatedOnce(audit: readonly AuditEntry[]): void {
  const created = audit.filter(({ action }) => action === 'create').map(({ name }) => name);
  expect(new Set(created).size).toBe(created.length);
  expect(created).toHaveLength(replicaCount);
  expect(audit.filter(({ action }) => action === 'update')).toEqual([]);
}

async function expectConcluded({ client, ledger: watched }: Trial, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const operation = await client.operation(appName, id);
    expect(operation.ok && operation.value.state).toBe('applied');
  }
  await watched.until('an empty queue', ({ messages }) => messages === 0, 70_000);
  expect(watched.see().deadLetters).toBe(0);
}
