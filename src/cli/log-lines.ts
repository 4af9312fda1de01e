/** Log lines of several replicas as one text: in the order of their instants, each with the name and colour of its replica. Pure. */
import type { ReplicaLog } from '../model/api.ts';
import type { LogLine } from '../model/state.ts';
import { compareInstants } from './log-feed.ts';

export type LogSource = Pick<ReplicaLog, 'service' | 'slot' | 'incarnation' | 'container'>;

export interface SourcedLine extends LogLine {
  readonly source: LogSource;
}

/** A line without an instant stays behind the one before it. */
export function inOrder(
  logs: readonly { readonly source: LogSource; readonly lines: readonly LogLine[] }[],
): readonly SourcedLine[] {
  const blocks = logs.flatMap(({ source, lines }) => blocksOf(lines).map((block) => ({ ...block, source })));
  return blocks
    .toSorted((a, b) => (a.at === null || b.at === null ? 0 : compareInstants(a.at, b.at)))
    .flatMap(({ source, lines }) => lines.map((line) => ({ ...line, source })));
}

function blocksOf(lines: readonly LogLine[]): readonly { readonly at: string | null; readonly lines: LogLine[] }[] {
  const blocks: { at: string | null; lines: LogLine[] }[] = [];
  for (const line of lines) {
    const last = blocks.at(-1);
    if (line.at === null && last !== undefined) last.lines.push(line);
    else blocks.push({ at: line.at, lines: [line] });
  }
  return blocks;
}

export interface LineStyle {
  /** Begin with the name of the replica. */
  readonly named: boolean;
  readonly timestamps: boolean;
  readonly colours: boolean;
  /** The widest name so far. */
  readonly width: number;
}

export const nameOfSource = ({ service, slot, container }: LogSource): string =>
  container === service ? `${service}.${slot}` : `${service}.${slot}.${container}`;

/** Cyan, yellow, green, magenta, blue and their bright ones: red is kept for errors, white and black may be the background. */
const palette = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94] as const;

export function renderLogLine({ source, at, text }: SourcedLine, style: LineStyle): string {
  const stamp = style.timestamps ? `${at ?? '-'} ` : '';
  if (!style.named) return `${stamp}${text}`;
  const name = nameOfSource(source);
  const head = `${name.padEnd(style.width)} | `;
  if (!style.colours) return `${head}${stamp}${text}`;
  return `\u001b[${palette[hashOf(name) % palette.length]}m${head}\u001b[0m${stamp}${text}`;
}

/** The same replica has the same colour in every run. */
function hashOf(text: string): number {
  let hash = 0;
  for (const character of text) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash;
}
