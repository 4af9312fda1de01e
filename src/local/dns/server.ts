/**
 * DNS over UDP and TCP for the private zones, on one port of one address. A name outside the zones is REFUSED, or asked elsewhere where that is given. The
 * codec is loaded with the first packet: most worlds never see one.
 */
import { createSocket, type RemoteInfo } from 'node:dgram';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { DecodedPacket, Packet } from 'dns-packet';
import type { Question, Resolution } from './resolve.ts';

export interface DnsServer {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
/** What fits into a datagram when the client does not say. RFC 1035, 4.2.1. */
const DATAGRAM_MAX = 512;
const RCODES: Readonly<Record<Resolution['rcode'] | 'NOTIMP' | 'FORMERR' | 'SERVFAIL', number>> = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
};
/** How often a port that TCP got and UDP cannot have is given back for another. */
const PORT_TRIES = 5;

export interface DnsServerOptions {
  /** Default the loopback. */
  readonly address?: string;
  /** 0 = any that both protocols can have. */
  readonly port: number;
  readonly resolve: Resolve;
  /** Answers what `resolve` refuses, message for message; undefined = nobody does. Absent = it stays refused. */
  readonly elsewhere?: (message: Buffer, by: Transport) => Promise<Buffer | undefined>;
}

/** @throws when the port is taken, or may not be had. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { address = LOOPBACK } = options;
  for (let attempt = 1; ; attempt += 1) {
    const tcp = await listenTcp(address, options.port, options);
    const { port } = tcp.address() as AddressInfo;
    try {
      const udp = await listenUdp(address, port, options);
      return { address, port, close: () => closeBoth(tcp, udp) };
    } catch (error) {
      tcp.close();
      if (options.port !== 0 || attempt === PORT_TRIES) throw error;
    }
  }
}

/** @param from address of who asks */
type Resolve = (question: Question, from: string) => Resolution;
type Transport = 'datagram' | 'stream';
type Answering = Pick<DnsServerOptions, 'resolve' | 'elsewhere'>;

async function listenUdp(address: string, port: number, answering: Answering) {
  const socket = createSocket('udp4');
  await new Promise<void>((bound, failed) => {
    socket.once('error', failed);
    socket.bind(port, address, bound);
  });
  socket.on('error', () => undefined);
  socket.on('message', (message: Buffer, from: RemoteInfo) => {
    void answer(message, answering, 'datagram', from.address).then(
      (reply) => reply && socket.send(reply, from.port, from.address),
    );
  });
  return socket;
}

const connections = new WeakMap<Server, Set<Socket>>();

async function listenTcp(address: string, port: number, answering: Answering): Promise<Server> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      // Two bytes of length before every message. RFC 1035, 4.2.2.
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const message = pending.subarray(2, 2 + pending.readUInt16BE(0));
        pending = pending.subarray(2 + message.length);
        void answer(message, answering, 'stream', socket.remoteAddress ?? '').then((reply) => {
          if (!reply || !socket.writable) return;
          const length = Buffer.alloc(2);
          length.writeUInt16BE(reply.length);
          socket.write(Buffer.concat([length, reply]));
        });
      }
    });
  });
  connections.set(server, sockets);
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(port, address, listening);
  });
  return server;
}

async function closeBoth(tcp: Server, udp: ReturnType<typeof createSocket>): Promise<void> {
  for (const socket of connections.get(tcp) ?? []) socket.destroy();
  await Promise.all([
    new Promise<void>((closed) => tcp.close(() => closed())),
    new Promise<void>((closed) => udp.close(() => closed())),
  ]);
}

/** Undefined: it is no question. */
async function answer(
  message: Buffer,
  { resolve, elsewhere }: Answering,
  by: Transport,
  from: string,
): Promise<Buffer | undefined> {
  const codec = await import('dns-packet');
  let query: DecodedPacket;
  try {
    query = codec.decode(message);
  } catch {
    return message.length < 2 ? undefined : codec.encode(replyTo({ id: message.readUInt16BE(0) }, 'FORMERR'));
  }
  if (query.type !== 'query') return undefined;
  const [question] = query.questions ?? [];
  // Only questions about one name are asked in practice; anything but a query is for servers that take updates.
  if (((query.flags ?? 0) & 0x7800) !== 0 || !question || query.questions?.length !== 1) {
    return codec.encode(replyTo(query, 'NOTIMP'));
  }
  const { rcode, answers, authorities } = resolve({ name: question.name, type: question.type }, from);
  if (rcode === 'REFUSED' && elsewhere)
    return (await elsewhere(message, by)) ?? codec.encode(replyTo(query, 'SERVFAIL'));
  const reply = replyTo(query, rcode);
  const full = codec.encode({
    ...reply,
    answers: answers as Packet['answers'] & [],
    authorities: authorities as Packet['authorities'] & [],
  });
  const most = Math.max(DATAGRAM_MAX, payloadOf(query));
  if (by === 'stream' || full.length <= most) return full;
  return codec.encode({ ...reply, flags: (reply.flags ?? 0) | codec.TRUNCATED_RESPONSE });
}

/** What the client says it can take in a datagram (EDNS). */
function payloadOf(query: DecodedPacket): number {
  const option = query.additionals?.find((record) => record.type === 'OPT');
  return option?.type === 'OPT' ? (option.udpPayloadSize ?? 0) : 0;
}

function replyTo(query: Pick<Packet, 'id' | 'flags' | 'questions'>, rcode: keyof typeof RCODES): Packet {
  const AUTHORITATIVE = 1 << 10;
  const RECURSION_DESIRED = 1 << 8;
  return {
    type: 'response',
    id: query.id ?? 0,
    flags: AUTHORITATIVE | ((query.flags ?? 0) & RECURSION_DESIRED) | RCODES[rcode],
    questions: query.questions ?? [],
  };
}
