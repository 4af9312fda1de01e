/** The recorded trigger payloads and answers of the real extension, as sequences of turns of one instance. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseAnswer, parseThrown, type WorkerAnswer } from '../../../../src/local/host/engine/actions.ts';
import type { HistoryEvent } from '../../../../src/local/host/engine/history.ts';

const dir = resolve('test/contract/fixtures/durable-conformance/golden');

export function golden(file: string): Record<string, never> {
  const name = readdirSync(dir).find((f) => f.startsWith(file));
  if (!name) throw new Error(`no golden ${file}`);
  return (JSON.parse(readFileSync(join(dir, name), 'utf8')) as { data: Record<string, never> }).data;
}

export interface GoldenTrigger {
  readonly history: readonly HistoryEvent[];
  readonly input: unknown;
  readonly instanceId: string;
  readonly isReplaying: boolean;
  readonly parentInstanceId: string | null;
}

export interface GoldenTurn {
  /** File and place in it. */
  readonly where: string;
  readonly trigger: GoldenTrigger;
  readonly answer: WorkerAnswer;
  /** The next recorded turn of the same instance. */
  readonly next: GoldenTrigger | undefined;
}

/** Every recorded orchestrator turn of every file. */
export function goldenTurns(): GoldenTurn[] {
  return readdirSync(dir).flatMap((file) => {
    const turns: GoldenTurn[] = [];
    collect(JSON.parse(readFileSync(join(dir, file), 'utf8')), file, turns);
    return turns;
  });
}

interface RawTurn {
  readonly trigger?: Partial<GoldenTrigger>;
  readonly answer?: { readonly returnValue_json?: unknown; readonly error_message?: string };
}

function collect(value: unknown, where: string, turns: GoldenTurn[]): void {
  if (!value || typeof value !== 'object') return;
  if (!Array.isArray(value)) {
    for (const [key, child] of Object.entries(value)) collect(child, `${where}/${key}`, turns);
    return;
  }
  const raw = value as RawTurn[];
  raw.forEach((turn, i) => {
    if (!turn?.trigger?.history || !turn.answer) {
      collect(turn, `${where}/${i}`, turns);
      return;
    }
    const trigger = turn.trigger as GoldenTrigger;
    const later = raw.slice(i + 1).map((t) => t.trigger as GoldenTrigger | undefined);
    const next = later.find((t) => t?.instanceId === trigger.instanceId && t.history !== undefined);
    const { returnValue_json: state, error_message: thrown } = turn.answer;
    const answer = thrown === undefined ? parseAnswer(JSON.stringify(state)) : parseThrown(thrown);
    turns.push({ where: `${where}/${i}`, trigger, answer, next });
  });
}
