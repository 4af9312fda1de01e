/** Health figures: how late what dies is noticed and what that costs in reads, in virtual time; and what watching costs of a real machine. */
import type { Figure } from './figure.ts';
import { type Body, type Harm, healthWorld } from './health-world.ts';
import { seeded } from './placement-world.ts';

const area = 'health';
const replicas = 10_000;
const hours = 1;
const ticksPerHour = 120;
/** Of each harm, per hour. */
const share = 0.01;
const harms: readonly Harm[] = ['hang', 'exit', 'moved', 'deleted', 'evicted'];

/** Who can come to which harm so that anybody can see it: a hang without a port shows nowhere, and an address that nobody has cannot move. */
const canSuffer: Readonly<Record<Harm, (body: Body) => boolean>> = {
  hang: ({ kind }) => kind === 'probed',
  exit: () => true,
  moved: ({ kind }) => kind === 'probed',
  deleted: () => true,
  evicted: ({ kind }) => kind === 'spot',
};

export async function healthBench(): Promise<readonly Figure[]> {
  const world = healthWorld(replicas);
  const random = seeded(20_261_125);
  const probed: number[] = [];
  const other: number[] = [];
  let falseVerdicts = 0;
  world.onVerdict = (body, at) => {
    if (body.harm === null) {
      falseVerdicts += 1;
      return;
    }
    const seconds = (at - body.harmedAt) / 1_000;
    const byProbe = body.kind === 'probed' && (body.harm === 'hang' || body.harm === 'exit');
    (byProbe ? probed : other).push(seconds);
  };
  const perTick = (replicas * share) / ticksPerHour;
  let owed = 0;
  for (let tick = 0; tick < hours * ticksPerHour; tick += 1) {
    owed += perTick;
    for (; owed >= 1; owed -= 1) for (const harm of harms) strike(world, harm, random);
    await world.tick();
  }
  const readsDuring = world.reads();
  // What was struck last still has to be noticed.
  for (let tick = 0; tick < 20; tick += 1) await world.tick();
  const unseen = world.bodies.filter(({ harm }) => harm !== null).length;
  const late = (times: readonly number[]) => Math.round(percentile([...times, ...Array(unseen).fill(3_600)], 0.99));
  return [
    figure('detect.probedP99Seconds', Math.round(percentile(probed, 0.99)), 's', '<= 90'),
    figure('detect.otherP99Seconds', late(other), 's', '<= 360'),
    figure('false.replacements', falseVerdicts, 'replicas', '<= 0'),
    figure('arm.readsPerInstanceHour', round(readsDuring / replicas / hours), 'reads', '< 2'),
  ];
}

/** Harm comes at an instant between two sweeps; the world only moves by sweeps, so that up to one of them is added. */
function strike(world: ReturnType<typeof healthWorld>, harm: Harm, random: () => number): void {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const body = world.bodies[Math.floor(random() * world.bodies.length)];
    if (body === undefined || body.harm !== null || !canSuffer[harm](body)) continue;
    world.harm(body, harm);
    return;
  }
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
const round = (value: number): number => Math.round(value * 100) / 100;
const figure = (name: string, value: number, unit: string, aim: string): Figure => ({
  area,
  figure: name,
  value,
  unit,
  aim,
});
