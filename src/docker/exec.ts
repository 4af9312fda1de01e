/** One command inside a running container, as its health checks run it. */
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { engineMessage, statusOf } from './failure.ts';
import { demultiplex } from './streams.ts';

export type ExecAnswer =
  | { readonly exitCode: number; readonly output: string }
  | { readonly timedOut: true }
  /** The engine could not run it at all: the container is not running, or lacks the program. */
  | { readonly refused: string };

const OUTPUT_MAX = 10 * 1024;

/** @throws when the engine is not reached. The command is left to itself when time is up: the engine has no call that ends it. */
export async function execIn(
  docker: Docker,
  id: string,
  command: readonly string[],
  timeoutMs: number,
): Promise<ExecAnswer> {
  try {
    const exec = await docker
      .getContainer(id)
      .exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true, AttachStdin: false });
    const stream = (await exec.start({ hijack: false, stdin: false })) as unknown as Readable;
    const output = await collect(stream, timeoutMs);
    if (output === undefined) return { timedOut: true };
    const { ExitCode } = await exec.inspect();
    return { exitCode: ExitCode ?? 0, output };
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
    return { refused: engineMessage(error) };
  }
}

function collect(stream: Readable, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => {
      stream.destroy();
      resolve(undefined);
    }, timeoutMs);
    demultiplex(stream, (_source, data) => {
      if (size < OUTPUT_MAX) chunks.push(data);
      size += data.length;
    });
    stream.once('end', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString('utf8').slice(0, OUTPUT_MAX));
    });
    stream.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}
