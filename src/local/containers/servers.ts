/** The two kinds of server a stand-in container runs. Each asks for its endpoint at every request, so behaviour changes without a new socket. */
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../aci/endpoints.ts';

export interface StandinServer {
  readonly server: Server;
  /** Stops listening and breaks every connection, as the end of a process does. */
  end(): Promise<void>;
}

/** Answers every path with who it is. */
export function createHttpResponder(endpoint: () => Endpoint): StandinServer {
  const server = createHttpServer((request, response) => {
    const { silent, responseDelayMs } = endpoint();
    request.resume();
    if (silent) return;
    const answer = () => {
      const { httpStatus, identity } = endpoint();
      const body = JSON.stringify({ ...identity, method: request.method, path: request.url });
      response.writeHead(httpStatus, { 'content-type': 'application/json' });
      response.end(request.method === 'HEAD' ? undefined : `${body}\n`);
    };
    if (responseDelayMs > 0) setTimeout(answer, responseDelayMs);
    else answer();
  });
  return withConnections(server);
}

/** Says its banner, answers redis' PING, echoes everything else. */
export function createTcpResponder(endpoint: () => Endpoint): StandinServer {
  const server = createTcpServer((socket) => {
    const { silent, banner } = endpoint();
    if (!silent && banner !== '') socket.write(banner);
    socket.on('data', (data) => {
      const { silent: stillSilent, responseDelayMs } = endpoint();
      if (stillSilent) return;
      const reply = /^(\*1\r\n\$4\r\n)?PING\r\n$/i.test(data.toString('latin1')) ? '+PONG\r\n' : data;
      if (responseDelayMs > 0) setTimeout(() => socket.writable && socket.write(reply), responseDelayMs);
      else socket.write(reply);
    });
  });
  return withConnections(server);
}

function withConnections(server: Server): StandinServer {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()); // a client that went away is no concern of the container
    socket.once('close', () => sockets.delete(socket));
  });
  return {
    server,
    end: () =>
      new Promise((resolve) => {
        if (server.listening) server.close(() => resolve());
        else resolve();
        for (const socket of sockets) socket.destroy();
      }),
  };
}
