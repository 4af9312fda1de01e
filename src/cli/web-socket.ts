/**
 * A websocket for bytes, by `ws`: Node's own can neither be given a certificate authority nor wait for its reader. Dead connections are found out: nobody could tell
 * them from a program that says nothing.
 */
import { err, ok, type Result } from '../model/result.ts';

export interface Connection {
  /** As a text frame. */
  say(text: string): void;
  /** As a binary frame. Resolves once it is on its way. */
  send(bytes: Uint8Array): Promise<void>;
  /** What comes, in order; the next is taken when this one is dealt with. Ends with the connection. */
  readonly received: AsyncIterable<Uint8Array>;
  /** `code` of RFC 6455, 7.4.1; 1006 = it broke. Once `received` has ended. */
  ended(): { readonly code: number; readonly reason: string };
  /** Hangs up. */
  close(): void;
}

/** @param ca PEM of the authority to trust instead of the public ones. The error is why it cannot be reached, for people. */
export type Dial = (uri: string, options: { readonly ca: string | null }) => Promise<Result<Connection, string>>;

const handshakeMs = 20_000;
/** As load balancers of Azure forget a connection after 4 minutes of silence. Source: learn.microsoft.com, "load balancer TCP reset" (read 2026-11). */
const pingEveryMs = 30_000;

export const dial: Dial = async (uri, { ca }) => {
  // Loaded with the first connection: no other command needs it.
  const { createWebSocketStream, WebSocket } = await import('ws');
  const socket = new WebSocket(uri, { handshakeTimeout: handshakeMs, ...(ca !== null && { ca }) });
  const opened = await new Promise<string | null>((resolve) => {
    socket.once('open', () => resolve(null)).once('error', ({ message }) => resolve(message));
  });
  if (opened !== null) return err(opened);
  const stream = createWebSocketStream(socket);
  const ended = { code: 1006, reason: '' };
  let isAnswered = true;
  const beat = setInterval(() => {
    if (!isAnswered) return socket.terminate();
    isAnswered = false;
    socket.ping();
  }, pingEveryMs);
  socket.on('pong', () => {
    isAnswered = true;
  });
  const closed = new Promise<void>((resolve) =>
    socket.once('close', (code, reason) => {
      clearInterval(beat);
      Object.assign(ended, { code, reason: String(reason) });
      resolve();
    }),
  );
  // What breaks it is told by its end.
  stream.on('error', () => undefined);
  return ok({
    say: (text) => socket.send(text),
    send: (bytes) => new Promise((resolve) => socket.send(bytes, () => resolve())),
    received: drain(stream, closed),
    ended: () => ended,
    close: () => socket.close(1000),
  });
};

async function* drain(stream: AsyncIterable<Buffer>, closed: Promise<void>): AsyncIterable<Uint8Array> {
  try {
    yield* stream;
  } catch {
    // It broke: `ended` says so.
  }
  await closed;
}
