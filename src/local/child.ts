/**
 * The life of a process of the embedded platform: it is forked by the supervisor with its configuration as JSON, says `ready` over IPC with what
 * it offers, and ends as soon as the supervisor is gone (the channel closes), so that no child outlives it.
 */
import { rmSync } from 'node:fs';

/** Environment variable naming the directory that goes with the supervisor, also when that is killed and cannot clear up itself. */
export const ephemeralDirVariable = 'FLOTILLA_EPHEMERAL_DIR';

/** Environment variable with the configuration. It holds keys, and arguments are for everybody on the machine to see. */
export const configVariable = 'FLOTILLA_PART_CONFIG';

export interface Running {
  /** What the supervisor is told: ports and addresses. */
  readonly ready: Readonly<Record<string, unknown>>;
  close(): Promise<void>;
  /** How long `close` may take before the process ends all the same, in ms; default 3,000. */
  readonly closeLimitMs?: number;
}

const CLOSE_LIMIT_MS = 3_000;

/** For people, from a process that is not ready yet: why that takes longer than usual. */
export type Notice = (text: string) => void;

/** Runs `start` with the configuration, which may also be the first argument. A failure to start is sent as `{type:'failed', message}` and ends the process with code 1. */
export function runChild<Config>(start: (config: Config, notice: Notice) => Promise<Running>): void {
  const config = JSON.parse(process.env[configVariable] ?? process.argv[2] ?? '{}') as Config;
  delete process.env[configVariable];
  let running: Running | undefined;
  const stop = (code: number) => {
    const closing = running?.close() ?? Promise.resolve();
    void closing.catch(() => undefined).finally(() => process.exit(code));
    setTimeout(() => process.exit(code), running?.closeLimitMs ?? CLOSE_LIMIT_MS).unref();
  };
  process.on('disconnect', () => stop(0));
  process.on('exit', () => process.connected || removeEphemeralDir());
  if (!process.connected) stop(0);
  process.on('SIGTERM', () => stop(0));
  // Ctrl-C and a closed terminal reach the whole group; the supervisor decides the order of the end.
  for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => undefined);
  start(config, (text) => void process.send?.({ type: 'notice', text })).then(
    (started) => {
      running = started;
      process.send?.({ type: 'ready', ...started.ready, closeLimitMs: started.closeLimitMs });
    },
    (error: unknown) => {
      process.send?.({ type: 'failed', message: error instanceof Error ? error.message : String(error) }, () =>
        process.exit(1),
      );
    },
  );
}

/** Every process tries; the last one to go finds nothing that is still being written. */
function removeEphemeralDir(): void {
  const directory = process.env[ephemeralDirVariable];
  if (directory === undefined) return;
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch {
    // Another process is still writing into it, and tries after this one.
  }
}
