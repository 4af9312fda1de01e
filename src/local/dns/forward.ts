/** Questions that no private zone answers, passed on as they are to the resolvers of this machine, as the resolver of an Azure network asks the public DNS. */
import { createSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { connect } from 'node:net';

/** One resolver's time; who asks waits 5 s by default (resolv.conf). */
const PATIENCE_MS = 2_000;
const DNS_PORT = 53;

/** The first answer, or undefined when no resolver gives one. @param servers as `node:dns` writes them: an address, with its port if it is not 53 */
export async function forward(
  message: Buffer,
  by: 'datagram' | 'stream',
  servers: readonly string[] = getServers(),
): Promise<Buffer | undefined> {
  for (const server of servers) {
    const answer = await (by === 'datagram' ? overUdp : overTcp)(message, placeOf(server));
    if (answer) return answer;
  }
  return undefined;
}

interface Place {
  readonly host: string;
  readonly port: number;
}

function placeOf(server: string): Place {
  const [, bracketed, port] = /^\[(.*)\]:(\d+)$/.exec(server) ?? /^([^:]+):(\d+)$/.exec(server) ?? [];
  return { host: bracketed ?? server, port: Number(port ?? DNS_PORT) };
}

function overUdp(message: Buffer, { host, port }: Place): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const timer = setTimeout(() => done(), PATIENCE_MS);
    const done = (answer?: Buffer) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    socket.once('error', () => done());
    // The answer to a question bears its number; anything else is not for us.
    socket.on('message', (answer) => answer.subarray(0, 2).equals(message.subarray(0, 2)) && done(answer));
    socket.connect(port, host, () => socket.send(message));
  });
}

function overTcp(message: Buffer, { host, port }: Place): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let read = Buffer.alloc(0);
    const done = (answer?: Buffer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PATIENCE_MS, () => done());
    socket.once('error', () => done());
    socket.once('end', () => done());
    socket.on('data', (chunk: Buffer) => {
      read = Buffer.concat([read, chunk]);
      const length = read.length < 2 ? Number.POSITIVE_INFINITY : read.readUInt16BE(0);
      if (read.length >= 2 + length) done(read.subarray(2, 2 + length));
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    socket.write(Buffer.concat([length, message]));
  });
}
