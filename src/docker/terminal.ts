/** A terminal inside a running container, and its output as it is printed. */
import { type Duplex, PassThrough, type Readable } from 'node:stream';
import type Docker from 'dockerode';
import { engineMessage, statusOf } from './failure.ts';
import { demultiplex } from './streams.ts';

/** Ctrl-C and Ctrl-D. */
const HANG_UP = '\x03\x04';

/** Starts one program without arguments. What the engine refuses is shown on the terminal, which then ends. @throws when the engine is not reached. */
export async function openTerminal(
  docker: Docker,
  id: string,
  program: string,
  { rows, cols }: { readonly rows: number; readonly cols: number },
): Promise<Duplex> {
  const attached = { AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: true };
  try {
    const exec = await docker.getContainer(id).exec({ Cmd: [program], ...attached });
    const terminal = await exec.start({ hijack: true, stdin: true, Tty: true });
    // It may have ended already, and a size is only a courtesy.
    await exec.resize({ h: rows, w: cols }).catch(() => undefined);
    return hungUpAtTheEnd(terminal);
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
    return showing(`${engineMessage(error)}\r\n`);
  }
}

/** The engine leaves a program running whose terminal is gone: it is interrupted, and told the end of its input, first. */
function hungUpAtTheEnd(terminal: Duplex): Duplex {
  const destroy = terminal.destroy.bind(terminal);
  terminal.destroy = (error) => {
    if (!terminal.writable) return destroy(error);
    terminal.end(HANG_UP, () => destroy(error));
    return terminal;
  };
  return terminal;
}

function showing(text: string): Duplex {
  const shown = new PassThrough();
  shown.end(text);
  return shown;
}

/** Ends with the container; destroying it stops listening. @throws when the engine is not reached. */
export async function attachOutput(docker: Docker, id: string): Promise<Readable> {
  const options = { follow: true, stdout: true, stderr: true, tail: 0 } as const;
  const source = (await docker.getContainer(id).logs(options)) as unknown as Readable;
  const printed = new PassThrough();
  demultiplex(source, (_source, data) => {
    if (!printed.write(data)) {
      source.pause();
      printed.once('drain', () => source.resume());
    }
  });
  for (const event of ['end', 'error', 'close']) source.once(event, () => printed.end());
  printed.once('close', () => source.destroy());
  return printed;
}
