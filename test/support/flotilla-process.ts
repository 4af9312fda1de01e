/** The embedded platform and the CLI as real processes, in a temporary directory of their own that must be empty when they are gone. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: readonly string[];
  readonly errors: readonly string[];
}

export interface Running {
  readonly pid: number;
  /** Lines so far. */
  readonly out: readonly string[];
  readonly errors: readonly string[];
  /** First match in standard output, as soon as there is one. */
  see(pattern: RegExp): Promise<RegExpExecArray>;
  readonly finished: Promise<Finished>;
  /** To the process alone, or to its group as a terminal does. */
  signal(signal: NodeJS.Signals, to?: 'process' | 'group'): void;
}

export interface Place {
  readonly directory: string;
  /** `FLOTILLA_HOME` of the processes. */
  readonly home: string;
  run(
    command: string,
    args: readonly string[],
    options?: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
  ): Running;
  /** `npm start -- …` without npm. */
  start(...args: readonly string[]): Running;
  /** In another environment. */
  startWith(env: NodeJS.ProcessEnv, ...args: readonly string[]): Running;
  /** The built CLI. */
  flotilla(...args: readonly string[]): Running;
  /** What is left in the temporary directory that the processes were given. */
  leftovers(): readonly string[];
  /** Kills what is left. */
  clear(): void;
}

export function createPlace(): Place {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'flotilla-e2e-')));
  const children: ChildProcess[] = [];
  const { FLOTILLA_API: _, FLOTILLA_KEY: __, ...inherited } = process.env;
  const home = mkdtempSync(join(tmpdir(), 'flotilla-home-'));
  // Platforms of other tests run at the same time: containers of two of them must not want one address.
  const firstAddress = `127.${80 + Math.floor(Math.random() * 100)}.${Math.floor(Math.random() * 256)}.1`;
  const run: Place['run'] = (command, args, { cwd, env } = {}) => {
    const child = spawn(command, args, {
      cwd: cwd ?? process.cwd(),
      env: { ...inherited, FLOTILLA_HOME: home, ...env, TMPDIR: directory },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    children.push(child);
    return watch(child);
  };
  const startWith: Place['startWith'] = (env, ...args) => {
    // What runs on this machine must not decide what the tests see.
    const told = args.includes('--containers') ? [] : ['--containers', 'standin'];
    if (!args.includes('--first-address')) told.push('--first-address', firstAddress);
    return run(process.execPath, [resolve('dist/src/local/main.js'), ...told, ...args], { env });
  };
  return {
    directory,
    home,
    run,
    start: (...args) => startWith({}, ...args),
    startWith,
    flotilla: (...args) => run(process.execPath, [resolve('dist/src/cli/main.js'), ...args]),
    leftovers: () => readdirSync(directory),
    clear() {
      for (const { pid, exitCode, signalCode } of children) {
        if (pid !== undefined && exitCode === null && signalCode === null) killGroup(pid, 'SIGKILL');
      }
      for (const made of [directory, home]) rmSync(made, { recursive: true, force: true });
    },
  };
}

/** `npm start` with the example app for the tests of a file. @returns the platform's place and API address, once its tests run */
export function platformForTests(): { readonly place: Place; readonly api: string } {
  const here = { place: undefined as unknown as Place, api: '' };
  let platform: Running;
  beforeAll(async () => {
    here.place = createPlace();
    platform = here.place.start('--port', '0');
    await platform.see(/^Ctrl-C ends everything/);
    [, here.api = ''] = await platform.see(/^API +(http:\S+)\/api\/v1/);
  });
  afterAll(async () => {
    platform.signal('SIGINT', 'group');
    await platform.finished;
    here.place.clear();
  });
  return here;
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has just ended by itself.
  }
}

function watch(child: ChildProcess): Running {
  const out: string[] = [];
  const errors: string[] = [];
  const waiting = new Set<() => void>();
  collect(child.stdout, out, () => {
    for (const look of waiting) look();
  });
  collect(child.stderr, errors, () => undefined);
  const finished = once(child, 'close').then(([code, signal]): Finished => ({ code, signal, out, errors }));
  const see = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const match = out.map((line) => pattern.exec(line)).find((found) => found !== null);
        if (!match) return;
        waiting.delete(look);
        resolve(match);
      };
      waiting.add(look);
      look();
      void finished.then(({ code }) =>
        reject(new Error(`ended with ${code} before ${pattern} was seen:\n${[...out, ...errors].join('\n')}`)),
      );
    });
  const { pid = 0 } = child;
  const signal: Running['signal'] = (name, to = 'process') => process.kill(to === 'group' ? -pid : pid, name);
  return { pid, out, errors, see, finished, signal };
}

function collect(stream: ChildProcess['stdout'], lines: string[], onLine: () => void): void {
  let rest = '';
  stream?.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    onLine();
  });
  stream?.on('end', () => rest !== '' && lines.push(rest));
}

/** The processes below `pid`, children of children included. */
export function descendantsOf(pid: number): readonly number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    table.flatMap(([child = 0, its]) => (its === parent ? [child, ...below(child)] : []));
  return below(pid);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
