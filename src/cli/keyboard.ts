/**
 * This side of a terminal on another machine: keys as they are typed, bytes as they are shown. Whatever ends the process, the user's terminal is what it
 * was: Node resets it at the end, and signals are made an end.
 */
import { once } from 'node:events';
import type { ReadStream } from 'node:tty';
import type { TerminalSize } from '../model/terminal.ts';

export interface Keyboard {
  /** Somebody types; else it is a pipe or a file that ends. */
  readonly isTerminal: boolean;
  /** Of the window that shows what comes; null where there is none. */
  size(): TerminalSize | null;
  /**
   * Bytes as they come. On a terminal every key by itself, unseen, Ctrl-C too. Until `end` they keep the process alive.
   * @param onKeys the next ones wait until it resolves
   * @param onEnd there is no more
   */
  listen(onKeys: (keys: Uint8Array) => Promise<void>, onEnd: () => void): Listening;
  /** Resolves once there is room for more. */
  show(bytes: Uint8Array): Promise<void>;
}

export interface Listening {
  /** The terminal is as it was before. Idempotent. */
  end(): void;
}

type Input = Pick<ReadStream, 'on' | 'off' | 'pause' | 'resume'> & {
  readonly isTTY?: boolean;
  /** A file has none. */
  unref?(): unknown;
  setRawMode?(mode: boolean): unknown;
};

const endings = ['SIGTERM', 'SIGHUP'] as const;
const endedBySignal = { SIGTERM: 143, SIGHUP: 129 } as const;

export function createKeyboard(input: Input, output: NodeJS.WriteStream): Keyboard {
  const isTerminal = input.isTTY === true;
  return {
    isTerminal,
    size: () =>
      output.isTTY && output.rows > 0 && output.columns > 0 ? { rows: output.rows, cols: output.columns } : null,
    listen(onKeys, onEnd) {
      const raw = (mode: boolean) => void (isTerminal && input.setRawMode?.(mode));
      const leave = (signal: NodeJS.Signals) => {
        raw(false);
        process.exit(endedBySignal[signal as (typeof endings)[number]]);
      };
      raw(true);
      for (const signal of endings) process.on(signal, leave);
      let isOver = false;
      const take = (keys: Uint8Array) => {
        input.pause();
        void onKeys(keys).then(() => void (isOver || input.resume()));
      };
      input.on('data', take).on('end', onEnd);
      return {
        end() {
          isOver = true;
          raw(false);
          for (const signal of endings) process.off(signal, leave);
          input.off('data', take).off('end', onEnd);
          input.pause();
          // A read that is under way must not keep the process.
          input.unref?.();
        },
      };
    },
    async show(bytes) {
      if (!output.write(bytes)) await once(output, 'drain');
    },
  };
}
