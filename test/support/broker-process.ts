/** The Service Bus broker as the platform runs it: a process that can be killed and started again on its port and file. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrokerOptions } from '../../src/local/servicebus/broker.ts';

const mainPath = fileURLToPath(new URL('../../src/local/servicebus/main.ts', import.meta.url));

type Ready =
  | { readonly type: 'ready'; readonly port: number; readonly connectionString: string }
  | { readonly type: 'failed'; readonly message: string };

export class BrokerProcess {
  readonly #directory = mkdtempSync(join(tmpdir(), 'flotilla-bus-'));
  readonly #queues: BrokerOptions['queues'];
  readonly #topics: NonNullable<BrokerOptions['topics']>;
  #child: ChildProcess | undefined;
  port = 0;
  connectionString = '';
  /** All that the process has written to stderr so far. */
  output = '';

  constructor(queues: BrokerOptions['queues'], topics: NonNullable<BrokerOptions['topics']> = []) {
    this.#queues = queues;
    this.#topics = topics;
  }

  /** Starts, or starts again where it was. */
  async start(): Promise<void> {
    const options = {
      port: this.port,
      dataPath: join(this.#directory, 'bus.db'),
      key: { name: 'RootManageSharedAccessKey', value: 'c2VjcmV0' },
      queues: this.#queues,
      topics: this.#topics,
    };
    const child = fork(mainPath, [JSON.stringify(options)], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
    });
    const ready = await new Promise<Ready>((resolve, reject) => {
      child.once('message', (message) => resolve(message as Ready));
      child.once('exit', (code) => reject(new Error(`the broker ended with ${code}: ${this.output}`)));
    });
    if (ready.type !== 'ready') throw new Error(ready.message);
    this.port = ready.port;
    this.connectionString = ready.connectionString;
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Kills the process and removes its file. */
  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
