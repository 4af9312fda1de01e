/** Child of the placement bench: places as many replicas as its argument says and sends its peak heap in MiB. */
import { anywhere } from '../../src/decide/placement/ask.ts';
import { pick } from '../../src/decide/placement/pick.ts';
import { defaultWeights } from '../../src/decide/placement/scores.ts';
import { type Shape, shapeOf } from '../../src/decide/placement/shape.ts';
import { createWorld } from '../../src/decide/placement/world.ts';
import { generate, seeded } from './placement-world.ts';

const replicas = Number(process.argv[2]);
let peak = process.memoryUsage().heapUsed;
if (replicas > 0) {
  const world = generate({ targets: replicas / 10, replicas, services: 500 }, true, seeded(1));
  const live = createWorld(world.targets, world.ledgers);
  const shapes = world.asks.map((ask) => shapeOf(live, ask, defaultWeights));
  for (const [index, arrival] of world.arrivals.entries()) {
    const shape = shapes[arrival] as Shape;
    const choice = pick(shape, anywhere);
    if (choice !== null) live.occupy(shape.ask.service, choice.name, shape.size);
    if (index % 50 === 0) peak = Math.max(peak, process.memoryUsage().heapUsed);
  }
}
process.send?.(peak / 1024 / 1024);
