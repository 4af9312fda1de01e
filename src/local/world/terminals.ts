/**
 * The websockets of `exec` and `attach`: lets in who brings the session's password, and joins the connection with the terminal that the
 * runtime opens. The password of `exec` is the first frame, that of `attach` the `Authorization` header (aci REST reference, read 2026-11).
 * The websocket library is loaded with the first connection: most worlds never see one.
 */
import type { IncomingMessage } from 'node:http';
import { type Duplex, type Readable, Writable } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../../model/clock.ts';
import type { ArmCore } from '../aci/core.ts';
import type { TerminalSession } from '../aci/terminals.ts';
import type { ContainerRuntime } from '../containers/runtime.ts';

export interface Terminals {
  /** For `serveCore`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): void;
}

/** Nobody types more at once. */
const FRAME_MAX_BYTES = 1024 * 1024;
/** How long a connection may keep its password to itself. */
const PASSWORD_WITHIN_MS = 30_000;

/** Websocket close codes (RFC 6455, 7.4.1). */
const CLOSE = { done: 1000, refused: 1008, failed: 1011 } as const;

const PATHS: readonly (readonly [kind: TerminalSession['kind'], path: RegExp])[] = [
  ['exec', /^\/exec\/([0-9a-f]+)$/],
  ['attach', /^\/logstream\/sessionId\/([0-9a-f]+)$/],
];

export function createTerminals(options: {
  readonly core: Pick<ArmCore, 'claimTerminal'>;
  readonly runtime: Pick<ContainerRuntime, 'exec' | 'attachOutput'>;
  readonly clock: Clock;
}): Terminals {
  const { core, runtime } = options;
  const sockets = new Set<WebSocket>();
  let server: Promise<WebSocketServer> | undefined;

  const serve = async (socket: WebSocket, kind: TerminalSession['kind'], id: string, header: string | undefined) => {
    const password = kind === 'attach' ? header : await firstFrame(socket, options.clock);
    const session =
      password === undefined ? undefined : core.claimTerminal({ id, kind, password }, options.clock.now());
    if (!session) return hangUp(socket, CLOSE.refused, 'The session or its password is not known.');
    const terminal =
      session.kind === 'exec'
        ? await runtime.exec(session, session.command, session.size)
        : await runtime.attachOutput(session);
    return join(socket, terminal);
  };
  return {
    upgrade(request, socket, head) {
      const { pathname } = new URL(request.url ?? '/', 'wss://arm.invalid');
      const found = PATHS.flatMap(([kind, path]) => {
        const id = path.exec(pathname)?.[1];
        return id === undefined ? [] : [{ kind, id }];
      })[0];
      if (!found) return void socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n');
      server ??= import('ws').then(
        (ws) => new ws.WebSocketServer({ noServer: true, clientTracking: false, maxPayload: FRAME_MAX_BYTES }),
      );
      void server.then((ready) =>
        ready.handleUpgrade(request, socket, head, (client) => {
          sockets.add(client);
          client.once('close', () => sockets.delete(client));
          client.on('error', () => client.terminate());
          serve(client, found.kind, found.id, request.headers.authorization).catch((error: unknown) => {
            hangUp(client, CLOSE.failed, String(error instanceof Error ? error.message : error).slice(0, 120));
          });
        }),
      );
    },
    close() {
      for (const socket of sockets) socket.terminate();
    },
  };
}

/** Undefined when none comes. */
function firstFrame(socket: WebSocket, clock: Clock): Promise<string | undefined> {
  return new Promise((resolve) => {
    const cancel = clock.at(clock.now() + PASSWORD_WITHIN_MS, () => resolve(undefined));
    socket.once('close', () => {
      cancel();
      resolve(undefined);
    });
    socket.once('message', (data: Buffer) => {
      cancel();
      // What follows the password in the same packet is typed: it must wait for the terminal.
      socket.pause();
      resolve(data.toString('utf8'));
    });
  });
}

/** A socket that is not read would never see the other side agree. */
function hangUp(socket: WebSocket, code: number, reason?: string): void {
  socket.close(code, reason);
  socket.resume();
}

/** Both ends live and die together; each waits for the other to take what it has. */
function join(socket: WebSocket, terminal: Duplex | Readable): void {
  const typed = 'write' in terminal ? terminal : new Writable({ write: (_chunk, _encoding, done) => done() });
  socket.on('message', (data: Buffer) => {
    if (typed.writable && !typed.write(data)) {
      socket.pause();
      typed.once('drain', () => socket.resume());
    }
  });
  terminal.on('data', (shown: Buffer) => {
    if (socket.readyState !== socket.OPEN) return;
    terminal.pause();
    socket.send(shown, () => terminal.resume());
  });
  terminal.once('error', () => hangUp(socket, CLOSE.failed, 'The terminal failed.'));
  terminal.once('end', () => hangUp(socket, CLOSE.done));
  terminal.once('close', () => hangUp(socket, CLOSE.done));
  socket.once('close', () => terminal.destroy());
  if (socket.readyState !== socket.OPEN) terminal.destroy();
  socket.resume();
}
