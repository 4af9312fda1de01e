/** What `--help` prints, from the table of commands. Pure. */
import { type CommandName, type CommandSpec, commandNames, commandSpec, type Operand } from './command-table.ts';
import type { Option } from './options.ts';

const widthMax = 80;
/** Where the text of an option begins. */
const optionColumn = 21;

export const helpOf = (topic: CommandName | null): string => (topic === null ? overview() : helpOfCommand(topic));

function overview(): string {
  const column = Math.max(...commandNames.map(({ length }) => length)) + 4;
  return [
    'Flotilla: container orchestration for Azure Container Instances.',
    '',
    'Usage: flotilla COMMAND [options]',
    '',
    ...commandNames.flatMap((name) => hanging(`  ${name}`, commandSpec(name).summary, column)),
    '',
    ...wrap(
      'Every command has --help. The API is at --api URL, else at FLOTILLA_API, else where the context in use says, else at http://127.0.0.1:7071. It wants a function key of the app: FLOTILLA_KEY, or that of the context; the key of a platform that `npm start` runs here is found by itself.',
      widthMax,
    ),
    ...wrap(
      'Exit codes: 0 done · 1 failed · 2 arguments or file wrong, nothing sent · 3 done, but the app is frozen · 4 timeout · 5 no API, or no access · 6 plan --exit-code: changes · 125 run: exit code unknown · 130 Ctrl-C',
      widthMax,
    ),
    '',
  ].join('\n');
}

function helpOfCommand(name: CommandName): string {
  const { about, options, examples } = commandSpec(name);
  const column = Math.min(48, Math.max(...examples.map(({ line }) => line.length)) + 4);
  return [
    `Usage: ${usageOf(name)}`,
    '',
    ...about.flatMap((paragraph) => [...wrap(paragraph, widthMax), '']),
    ...options.flatMap((option) => hanging(labelOf(option), option.help, optionColumn)),
    '',
    'Examples:',
    ...examples.flatMap(({ line, does }) => hanging(`  ${line}`, does, column)),
    '',
  ].join('\n');
}

/** `flotilla logs APP[.SERVICE[.SLOT]] [options]`. */
export const usageOf = (name: CommandName): string => `flotilla ${headOf(name)} [options]`;

function headOf(name: CommandName): string {
  const spec: CommandSpec = commandSpec(name);
  return [name, ...spec.operands.map(operandText)].join(' ');
}

function operandText({ name, optional, many }: Operand): string {
  const text = many ? `${name}...` : name;
  return optional ? `[${text}]` : text;
}

/** `-n, --tail N`. */
export const nameOfOption = ({ name, short, value }: Option): string =>
  `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;

const labelOf = (option: Option): string => `  ${nameOfOption(option)}`;

/** A label, and its text from a column on; on the next line where the label is too long. */
function hanging(label: string, text: string, column: number): string[] {
  const [first = '', ...rest] = wrap(text, widthMax - column);
  const indented = rest.map((line) => `${' '.repeat(column)}${line}`);
  if (label.length < column - 1) return [`${label.padEnd(column)}${first}`, ...indented];
  return [label, `${' '.repeat(column)}${first}`, ...indented];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
