/**
 * Probes over the network. An answer is read only as far as its status needs; redirects are answers; connections are never kept, because the next probe
 * must find out whether one can be made. What takes too long has failed.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Prober, ProbeTarget } from '../ports/prober.ts';

type Outcome = Awaited<ReturnType<Prober['probe']>>;
type HttpTarget = Extract<ProbeTarget, { kind: 'http' }>;
type TcpTarget = Extract<ProbeTarget, { kind: 'tcp' }>;

const readBytesMax = 4 * 1024;

export const networkProber: Prober = {
  probe: (target) => (target.kind === 'http' ? probeHttp(target) : probeTcp(target)),
};

const failed = (detail: string, reached = false): Outcome => ({ passed: false, reached, detail });
/** Who refuses or resets a connection is there. */
const isAnswer = ({ code }: NodeJS.ErrnoException): boolean => code === 'ECONNREFUSED' || code === 'ECONNRESET';
const textOf = (error: NodeJS.ErrnoException): string => error.code ?? error.message;

function probeHttp({ ip, port, path, scheme, timeoutMs }: HttpTarget): Promise<Outcome> {
  return new Promise((resolve) => {
    let outcome = failed(`no answer within ${timeoutMs} ms`);
    // The certificate is made out to a name, not to the address that is probed; kubelet does not check it either.
    const send = scheme === 'https' ? httpsRequest : httpRequest;
    const request = send(
      { host: ip, port, path, method: 'GET', agent: false, rejectUnauthorized: false },
      (response) => {
        const status = response.statusCode ?? 0;
        outcome = { passed: status >= 200 && status < 400, reached: true, detail: `HTTP ${status}` };
        let readBytes = 0;
        response.on('data', (chunk: Buffer) => {
          readBytes += chunk.length;
          if (readBytes > readBytesMax) end(outcome);
        });
        response.on('end', () => end(outcome));
        response.on('error', (error) => end(failed(textOf(error), true)));
      },
    );
    const timer = setTimeout(() => end(outcome), timeoutMs);
    const end = (outcome: Outcome): void => {
      clearTimeout(timer);
      request.destroy();
      resolve(outcome);
    };
    let isConnected = false;
    request.on('socket', (socket) =>
      socket.once('connect', () => {
        isConnected = true;
        outcome = { ...outcome, reached: true };
      }),
    );
    request.on('error', (error) => end(failed(textOf(error), isConnected || isAnswer(error))));
    request.end();
  });
}

function probeTcp({ ip, port, timeoutMs }: TcpTarget): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: ip, port });
    const timer = setTimeout(() => end(failed(`no connection within ${timeoutMs} ms`)), timeoutMs);
    const end = (outcome: Outcome): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    socket.on('connect', () => end({ passed: true, reached: true, detail: 'connected' }));
    socket.on('error', (error) => end(failed(textOf(error), isAnswer(error))));
  });
}
