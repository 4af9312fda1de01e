/** What a container prints, line by line, as it prints it. */
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { demultiplex, type Source } from './streams.ts';

export interface PrintedLine {
  readonly at: number;
  readonly text: string;
}

/**
 * Follows the container's output from `sinceMs` (exclusive, epoch ms) to the end of its process. `onLines` is waited for before more is read.
 * @throws when the engine is not reached or the connection breaks.
 */
export async function followLogs(
  docker: Docker,
  id: string,
  sinceMs: number | undefined,
  onLines: (lines: readonly PrintedLine[]) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const stream = (await docker.getContainer(id).logs({
    follow: true,
    stdout: true,
    stderr: true,
    timestamps: true,
    ...(sinceMs !== undefined && { since: sinceMs / 1000 }),
  })) as unknown as Readable;
  signal.addEventListener('abort', () => stream.destroy(), { once: true });
  if (signal.aborted) stream.destroy();
  const buffered: PrintedLine[] = [];
  const rest: Record<Source, string> = { out: '', err: '' };
  const take = (text: string) => {
    const line = parse(text);
    if (line && line.at > (sinceMs ?? 0)) buffered.push(line);
  };
  let flushing = false;
  const flush = async () => {
    if (flushing) return;
    flushing = true;
    stream.pause();
    while (buffered.length > 0) await onLines(buffered.splice(0));
    flushing = false;
    stream.resume();
  };
  demultiplex(stream, (source, data) => {
    const parts = (rest[source] + data.toString('utf8')).split('\n');
    rest[source] = parts.pop() ?? '';
    for (const part of parts) take(part);
    void flush();
  });
  await new Promise<void>((resolve, reject) => {
    stream.once('close', resolve);
    stream.once('end', resolve);
    stream.once('error', reject);
  });
  for (const text of Object.values(rest)) if (text !== '') take(text);
  while (buffered.length > 0) await onLines(buffered.splice(0));
}

function parse(text: string): PrintedLine | undefined {
  const blank = text.indexOf(' ');
  const at = Date.parse(text.slice(0, blank < 0 ? text.length : blank));
  return Number.isNaN(at) ? undefined : { at, text: blank < 0 ? '' : text.slice(blank + 1).replace(/\r$/, '') };
}
