/** Writes the section of CONTROL.md that tells the faults of the console, from their table: `node tools/control-docs.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { catalogue } from '../src/local/world/faults/console.ts';
import type { Argument, Fault } from '../src/local/world/faults/fault.ts';

const path = 'src/local/world/CONTROL.md';
const marks = { begin: '<!-- faults: written by tools/control-docs.ts -->', end: '<!-- faults: end -->' };

/** The section with its marks. */
export function controlDocs(): string {
  const abouts = [...new Set(catalogue.map(({ about }) => about))];
  return [marks.begin, '', ...abouts.flatMap(sectionOf), marks.end].join('\n');
}

function sectionOf(about: Fault['about']): readonly string[] {
  const rows = catalogue.filter((fault) => fault.about === about);
  return [
    `### About ${about}`,
    '',
    '| fault | what happens | lasts | for example |',
    '| --- | --- | --- | --- |',
    ...rows.map(rowOf),
    '',
  ];
}

const rowOf = (fault: Fault): string =>
  `| \`${[fault.name, ...fault.arguments.map(argumentOf)].join(' ')}\` | ${fault.does} | ${fault.lasts} | \`${fault.example}\` |`;

/** `REGION`, or `[cores=0]` where it may be left out. */
function argumentOf({ name, fallback }: Argument): string {
  return fallback === undefined ? name.toUpperCase() : `[${name}=${fallback === '' ? '…' : fallback}]`;
}

if (import.meta.main) {
  const text = readFileSync(path, 'utf8');
  const begin = text.indexOf(marks.begin);
  const end = text.indexOf(marks.end);
  if (begin < 0 || end < begin)
    throw new Error(`${path} has no place for the faults: put ${marks.begin} and ${marks.end} there.`);
  writeFileSync(path, `${text.slice(0, begin)}${controlDocs()}${text.slice(end + marks.end.length)}`);
}
