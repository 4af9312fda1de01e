/**
 * A terminal inside a stand-in container (`CATALOGUE.md`): one program of the catalogue, or a shell that reads lines and runs them as health
 * checks are run, against the group's model. A line discipline as small as a person at a keyboard needs: echo, backspace, Ctrl-C, Ctrl-D.
 */
import { Duplex } from 'node:stream';
import type { Clock } from '../../model/clock.ts';
import type { Inside } from '../aci/containers-port.ts';
import { execute, isProgram, isShell } from './exec.ts';

export interface StandinTerminalOptions {
  readonly program: string;
  /** What the container looks like at the moment. */
  readonly inside: () => Inside;
  readonly clock: Clock;
}

const KEY = {
  interrupt: 3,
  endOfInput: 4,
  backspace: 8,
  newline: 10,
  enter: 13,
  erase: 21,
  escape: 27,
  del: 127,
} as const;
const PROMPT = '# ';
const LINE_MAX = 4096;
/** Longer than anybody waits: a terminal does not time out. */
const PATIENCE_MS = 24 * 3_600_000;

/** The program has been started when this returns; it ends by itself, by `exit`, Ctrl-D, `end` or `destroy`. */
export const openStandinTerminal = (options: StandinTerminalOptions): Duplex => new StandinTerminal(options);

class StandinTerminal extends Duplex {
  readonly #options: StandinTerminalOptions;
  readonly #isShell: boolean;
  #line = '';
  /** Typed while a program runs. */
  #ahead: number[] = [];
  #inEscape = false;
  #ended = false;
  #cancel: (() => void) | undefined;

  constructor(options: StandinTerminalOptions) {
    super();
    this.#options = options;
    const { program } = options;
    this.#isShell = isShell(program);
    if (!isProgram(program)) {
      this.#show(notStarted(program));
      this.#hangUp();
    } else if (this.#isShell) this.#show(PROMPT);
    else this.#run([program], () => this.#hangUp());
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    for (const key of chunk) this.#type(key);
    done();
  }

  override _final(done: () => void): void {
    this.#hangUp();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#cancel?.();
    done(error);
  }

  #show(text: string): void {
    if (!this.#ended) this.push(text.replaceAll('\n', '\r\n'));
  }

  #hangUp(): void {
    this.#cancel?.();
    if (!this.#ended) this.push(null);
    this.#ended = true;
  }

  #type(key: number): void {
    if (this.#ended) return;
    if (key === KEY.interrupt) this.#interrupt();
    else if (this.#cancel) this.#ahead.push(key);
    else if (this.#isShell) this.#edit(key);
  }

  #interrupt(): void {
    this.#show('^C\n');
    this.#line = '';
    this.#ahead = [];
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#isShell) this.#show(PROMPT);
    else this.#hangUp();
  }

  /** An escape sequence is swallowed whole: there is no history, and no cursor to move. */
  #edit(key: number): void {
    if (this.#inEscape) this.#inEscape = !/[A-Za-z~]/.test(String.fromCharCode(key));
    else if (key === KEY.escape) this.#inEscape = true;
    else if (key === KEY.enter || key === KEY.newline) this.#runLine();
    else if (key === KEY.endOfInput && this.#line === '') this.#hangUp();
    else if (key === KEY.erase) this.#erase(this.#line.length);
    else if (key === KEY.backspace || key === KEY.del) this.#erase(Math.min(1, this.#line.length));
    else if (key >= 32 && this.#line.length < LINE_MAX) {
      this.#line += String.fromCharCode(key);
      this.#show(String.fromCharCode(key));
    }
  }

  #erase(count: number): void {
    this.#line = this.#line.slice(0, this.#line.length - count);
    this.#show('\b \b'.repeat(count));
  }

  #runLine(): void {
    const script = this.#line.trim();
    this.#line = '';
    this.#show('\n');
    if (/^exit(\s+\d+)?$/.test(script)) {
      this.#hangUp();
      return;
    }
    this.#run(script === '' ? ['true'] : ['sh', '-c', script], () => {
      this.#show(PROMPT);
      for (const key of this.#ahead.splice(0)) this.#type(key);
    });
  }

  #run(command: readonly string[], then: () => void): void {
    const { clock, inside } = this.#options;
    const { output, tookMs } = execute(command, inside(), PATIENCE_MS);
    const finish = () => {
      this.#cancel = undefined;
      this.#show(output === '' || output.endsWith('\n') ? output : `${output}\n`);
      then();
    };
    if (tookMs > 0) this.#cancel = clock.at(clock.now() + tookMs, finish);
    else finish();
  }
}

/** As the OCI runtime says it; a path is looked at, a bare name is looked for. Source: azure-cli#10039, #8687 (read 2026-11). */
function notStarted(program: string): string {
  const why = program.includes('/')
    ? `stat ${program}: no such file or directory`
    : 'executable file not found in $PATH';
  return `OCI runtime exec failed: exec failed: unable to start container process: exec: ${JSON.stringify(program)}: ${why}: unknown\n`;
}
