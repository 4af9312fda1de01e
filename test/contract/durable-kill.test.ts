/** A process with the engine is killed with SIGKILL again and again: nothing acknowledged is lost, only unfinished activities run again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const instances = 40;
const stepsEach = 10;

let dir: string;
let child: ChildProcess | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'flotilla-kill-'));
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

const logLines = (): string[] => {
  const log = join(dir, 'log');
  return existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean) : [];
};

/** Runs until the log has `lines` lines, then kills; without `lines` runs to the end. Gives what was printed. */
async function run(lines?: number): Promise<string> {
  const args = [
    resolve('test/support/durable-child.ts'),
    join(dir, 'durable.db'),
    join(dir, 'log'),
    '200',
    String(instances),
  ];
  const running = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: dir },
  });
  child = running;
  let printed = '';
  running.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const exited = new Promise<void>((done) => running.on('exit', () => done()));
  let isOver = false;
  void exited.then(() => {
    isOver = true;
  });
  if (lines !== undefined) {
    const deadline = performance.now() + 20_000;
    while (!isOver && logLines().length < lines && performance.now() < deadline)
      await new Promise((r) => setImmediate(r));
    running.kill('SIGKILL');
  }
  await exited;
  return printed;
}

it('loses nothing that was acknowledged and repeats only what had not finished', async () => {
  const kills = [1, 60, 150, 300, 420, 600, 700];
  const acknowledged = new Set<string>();
  const note = (printed: string) => {
    for (const line of printed.split('\n')) if (/^i\d+$/.test(line)) acknowledged.add(line);
  };
  let interrupted = 0;
  for (const lines of kills) {
    const heard = await run(lines);
    note(heard);
    if (!heard.includes('done')) interrupted++;
  }
  expect(interrupted, 'kills that came before the end').toBeGreaterThanOrEqual(4);
  const printed = await run();
  expect(printed).toContain('done');
  note(printed);
  const log = logLines();
  const runs = new Map<string, number>();
  for (const line of log) if (line.startsWith('start ')) runs.set(line.slice(6), (runs.get(line.slice(6)) ?? 0) + 1);
  expect(runs.size).toBe(instances * stepsEach);
  expect(acknowledged.size).toBeGreaterThan(0);
  const repeated = [...runs].filter(([, count]) => count > 1);
  // Each kill can catch at most two activities of each instance in flight.
  expect(repeated.reduce((sum, [, count]) => sum + count - 1, 0)).toBeLessThanOrEqual(kills.length * instances * 2);
  for (const [step] of repeated) {
    // A step whose successor had begun was committed: it can never have run again after that.
    const [id = '', n = ''] = step.split('/');
    const next = log.indexOf(`start ${id}/${Number(n) + 1}`);
    const isLastOfItsKind = n === '8' || n === '9';
    if (!isLastOfItsKind && next >= 0)
      expect(log.lastIndexOf(`start ${step}`), `${step} ran again after it was finished`).toBeLessThan(next);
  }
}, 120_000);
