/** One supervised process: forked, waited for until it says `ready`, started again with the same ports when it dies, ended with its supervisor. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { configVariable } from './child.ts';

export interface ProcessOptions {
  readonly name: string;
  readonly modulePath: string;
  /** Becomes the process's configuration; gets what the last `ready` said, so that a restart can ask for the same ports. */
  readonly config: (previous: Ready | undefined) => unknown;
  readonly env: Readonly<Record<string, string>>;
  readonly execArgv: readonly string[];
  /** Lines the process prints. */
  readonly onOutput: (line: string) => void;
  /** Why it is not ready yet; it is waited for longer then. */
  readonly onNotice: (text: string) => void;
  /** It ended without being asked to; it is started again unless `restart` is false. */
  readonly onDeath: (code: number | null, signal: string | null) => void;
  readonly restart: boolean;
}

export type Ready = Readonly<Record<string, unknown>>;

const startTimeoutMs = 60_000;
const stopTimeoutMs = 5_000;
/** Beyond what a process asked for itself. */
const stopMarginMs = 2_000;
const restartDelayMs = 100;

export class SupervisedProcess {
  readonly #options: ProcessOptions;
  #child: ChildProcess | undefined;
  #ready: Ready | undefined;
  #stopping = false;

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What the process said when it last became ready. */
  get lastReady(): Ready | undefined {
    return this.#ready;
  }

  /** Resolves once the process is ready. @throws Error with the process's own words when it cannot start. */
  async start(): Promise<Ready> {
    const { name, modulePath, config, env, execArgv } = this.#options;
    const child = fork(modulePath, [], {
      env: { ...env, [configVariable]: JSON.stringify(config(this.#ready)) },
      execArgv: [...execArgv],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', lines(this.#options.onOutput));
    child.stderr?.setEncoding('utf8').on('data', lines(this.#options.onOutput));
    this.#ready = await readiness(name, child, this.#options.onNotice);
    child.once('exit', (code, signal) => this.#died(code, signal));
    return this.#ready;
  }

  /** SIGKILL, as a crash would; supervision goes on. */
  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  /** Asks it to end, and ends it after a while. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const asked = this.#ready?.['closeLimitMs'];
    const limitMs = typeof asked === 'number' ? asked + stopMarginMs : stopTimeoutMs;
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    await exited;
    clearTimeout(timer);
  }

  #died(code: number | null, signal: string | null): void {
    if (this.#stopping) return;
    this.#options.onDeath(code, signal);
    if (this.#options.restart) setTimeout(() => this.#restart(), restartDelayMs);
  }

  #restart(): void {
    if (this.#stopping) return;
    this.start().catch((error: unknown) => {
      this.#options.onOutput(String(error));
      setTimeout(() => this.#restart(), 10 * restartDelayMs);
    });
  }
}

/** A child says `ready` or `failed`, after any number of `notice`. */
function readiness(name: string, child: ChildProcess, onNotice: (text: string) => void): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer);
      reject(new Error(`${name}: ${why}`));
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`not ready after ${startTimeoutMs / 1000} s`);
    }, startTimeoutMs);
    const onExit = (code: number | null, signal: string | null) =>
      fail(`ended before it was ready (${signal ?? `code ${code}`})`);
    child.once('exit', onExit);
    child.on('message', function onMessage(message: { type: string; message?: string; text?: string }) {
      if (message.type === 'notice') {
        timer.refresh();
        return onNotice(message.text ?? '');
      }
      child.off('message', onMessage).off('exit', onExit);
      if (message.type !== 'ready') return fail(message.message ?? 'failed to start');
      clearTimeout(timer);
      const { type: _, ...ready } = message;
      return resolve(ready);
    });
  });
}

function lines(sink: (line: string) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) if (line !== '') sink(line);
  };
}
