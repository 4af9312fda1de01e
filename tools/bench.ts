/**
 * `npm run bench -- [area…] [--json]`: measures what the issues set aims for. One figure a line; with `--json` each line is a JSON object
 * `{area, figure, value, unit, aim}`. A missed aim is shown and is no failure: a figure depends on the machine and on what else it does.
 */
import { parseArgs } from 'node:util';
import { brokerBench } from './bench/broker.ts';
import { engineBench } from './bench/engine.ts';
import { type Figure, isMet } from './bench/figure.ts';
import { healthBench } from './bench/health.ts';
import { placementBench } from './bench/placement.ts';
import { simBench } from './bench/sim.ts';
import { startBench } from './bench/start.ts';

type Bench = () => Promise<readonly Figure[]>;

const areas: Readonly<Record<string, readonly Bench[]>> = {
  platform: [engineBench, brokerBench, startBench],
  placement: [placementBench],
  sim: [simBench],
  health: [healthBench],
};

const usage = `Usage: npm run bench -- [area...] [--json]

  area     ${Object.keys(areas).join(', ')} (default: all)
  --json   one JSON object a line: {area, figure, value, unit, aim}
`;

const line = ({ figure, value, unit, aim }: Figure): string =>
  [figure.padEnd(32), String(value).padStart(10), unit.padEnd(12), `aim ${aim}`].join('  ');

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  });
  const unknown = positionals.filter((area) => !Object.hasOwn(areas, area));
  if (unknown.length > 0 || values.help) {
    process.stderr.write(`${unknown.map((area) => `There is no area ${area}.\n`).join('')}${usage}`);
    return values.help ? 0 : 2;
  }
  const wanted = positionals.length > 0 ? positionals : Object.keys(areas);
  for (const bench of wanted.flatMap((area) => areas[area] ?? [])) {
    for (const figure of await bench()) {
      const verdict = isMet(figure) ? '' : '  missed';
      process.stdout.write(`${values.json ? JSON.stringify(figure) : `${line(figure)}${verdict}`}\n`);
    }
  }
  return 0;
}

process.exitCode = await main();
