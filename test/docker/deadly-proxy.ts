/**
 * A socket before a daemon's own that kills the daemon at a chosen request: before it arrives, or after it was carried out and before anybody
 * hears of it. Then the daemon is started again.
 */
import { request as ask, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Daemon } from './daemon.ts';

export interface Blow {
  readonly when: 'before' | 'after';
  readonly method: 'POST' | 'PUT' | 'DELETE';
  /** Of the path without version, with its query. */
  readonly path: RegExp;
}

export interface DeadlyProxy {
  /** For `DOCKER_HOST`. */
  readonly host: string;
  /** Struck one after the other, each by the first request that fits. */
  arm(blows: readonly Blow[]): void;
  /** Blows that no request has met yet. */
  readonly left: number;
  /** Resolves when the daemon answers after the last blow. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export async function createDeadlyProxy(daemon: Daemon, path: string): Promise<DeadlyProxy> {
  const target = daemon.host.replace(/^unix:\/\//, '');
  let pending: readonly Blow[] = [];
  let reviving: Promise<void> = Promise.resolve();
  const blowFor = ({ method, url = '' }: IncomingMessage): Blow | undefined => {
    const [next] = pending;
    if (!next || next.method !== method || !next.path.test(url.replace(/^\/v[\d.]+/, ''))) return undefined;
    pending = pending.slice(1);
    return next;
  };
  const strike = () => {
    reviving = daemon.end('SIGKILL').then(() => daemon.start());
    reviving.catch(() => undefined); // whoever waits for it hears of it
  };
  const handle = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const blow = blowFor(incoming);
    const cut = () => outgoing.destroy();
    if (blow?.when === 'before') {
      strike();
      return cut();
    }
    const { method, url, headers } = incoming;
    const forwarded = ask({ socketPath: target, method, path: url, headers }, (answer) => {
      if (blow) {
        strike();
        return cut();
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.once('error', cut);
      return void answer.pipe(outgoing);
    });
    forwarded.once('error', cut);
    outgoing.once('close', () => forwarded.destroy());
    return void incoming.pipe(forwarded);
  };
  const server = createServer(handle);
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { method, url, rawHeaders } = incoming;
    const onward = connect(target, () => {
      const lines = rawHeaders.flatMap((name, index) => (index % 2 ? [] : [`${name}: ${rawHeaders[index + 1]}`]));
      onward.write(`${method} ${url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.once('error', () => socket.destroy());
    socket.once('error', () => onward.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    host: `unix://${path}`,
    arm(blows) {
      pending = blows;
    },
    get left() {
      return pending.length;
    },
    settled: () => reviving,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
