/** docs/compose.md as text: each key of the support table, and what becomes of each Compose file of the compatibility run. */
import { type Support, supportTable } from '../../src/spec/support.ts';
import { compatNames, type Outcome, outcomeOf } from '../../test/support/compat.ts';
import { introduction } from './introduction.ts';

export async function composePage(): Promise<string> {
  const outcomes = await Promise.all(compatNames.map(outcomeOf));
  const keys = Object.values(supportTable).flatMap((group) => Object.values(group));
  const count = (use: Support['use']): number => keys.filter((support) => support.use === use).length;
  return [
    introduction,
    '## Every key',
    '',
    `${keys.length} keys: ${count('used')} are used, ${count('ignored')} ignored with a warning, ${count('refused')} refused. What is refused is refused only where it asks for something: \`privileged: false\` is no news. A key covers what stands below it.`,
    '',
    ...Object.entries(supportTable).flatMap(([group, members]) => table(group, members)),
    '## What people run',
    '',
    `${outcomes.length} Compose files of our own, modelled on what people really run, which together use every key above that Compose has: ${outcomes.filter(({ services }) => services !== null).length} become an app, the others are refused by name.`,
    '',
    ...outcomes.flatMap(section),
  ].join('\n');
}

const titles: Readonly<Record<string, string>> = { '': 'The document' };

function table(group: string, members: Readonly<Record<string, Support>>): readonly string[] {
  const rows = Object.entries(members).map(([key, support]) => [`\`${key}\``, support.use, remark(support)]);
  return [`### ${titles[group] ?? `\`${group}\``}`, '', ...aligned([['key', 'becomes', 'because'], ...rows]), ''];
}

/** As the formatter of the repository writes tables. */
function aligned([head = [], ...rows]: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

function remark(support: Support): string {
  if (support.use === 'used') return cell(support.as ?? '');
  const why = support.why.replace(/^is (ignored|not supported): /, '');
  const accepted = support.unless?.map((value) => `\`${value}\``).join(', ') ?? '';
  const except = accepted === '' ? '' : ` Accepted: ${accepted}.`;
  const remedy = support.use === 'refused' ? ` ${support.remedy}` : '';
  return cell(`${why[0]?.toUpperCase()}${why.slice(1)}.${remedy}${except}`);
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

function section({ name, about, services, refused, warned }: Outcome): readonly string[] {
  const verdict =
    services === null ? `refused, ${counted(refused.length, 'fault')}` : `an app of ${counted(services, 'service')}`;
  const file = `../test/unit/spec/compat/${name}.yaml`;
  const said = [
    ...refused.map(({ path, problem }) => `- refused \`${path}\`: ${problem}`),
    ...warned.map(({ path, problem }) => `- warned \`${path}\`: ${problem}`),
  ];
  return [`### [${name}](${file}): ${verdict}`, '', about, '', ...(said.length > 0 ? [...said, ''] : [])];
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
