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

/** Of a body that is searched; of any other no more than shows that it comes. */
const searchedBytesMax = 64 * 1024;
const readBytesMax = 4 * 1024;
/** Kubernetes' rule for an HTTP probe. */
const wellStatus = { min: 200, max: 399 };

export const networkProber: Prober = {
  probe: (target) => (target.kind === 'http' ? probeHttp(target) : probeTcp(target)),
};

const failed = (detail: string, reached = false): Outcome => ({ passed: false, reached, detail });
/** Who refuses or resets a connection is there. */
const isAnswer = ({ code }: NodeJS.ErrnoException): boolean => code === 'ECONNREFUSED' || code === 'ECONNRESET';
/** As bytes, so that a character may be cut between two chunks. */
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const textOf = (error: NodeJS.ErrnoException): string => error.code ?? error.message;

function probeHttp({ ip, port, path, scheme, timeoutMs, status, headers, body }: HttpTarget): Promise<Outcome> {
  return new Promise((resolve) => {
    let outcome = failed(`no answer within ${timeoutMs} ms`);
    // The certificate is made out to a name, not to the address that is probed; kubelet does not check it either.
    const send = scheme === 'https' ? httpsRequest : httpRequest;
    const request = send(
      { host: ip, port, path, method: 'GET', agent: false, rejectUnauthorized: false, headers: { ...headers } },
      (response) => {
        const code = response.statusCode ?? 0;
        const { min, max } = status ?? wellStatus;
        const isWell = code >= min && code <= max;
        // Until the text is found a good status is not enough.
        const wanted = isWell ? body : undefined;
        outcome =
          wanted === undefined
            ? { passed: isWell, reached: true, detail: `HTTP ${code}` }
            : failed(`HTTP ${code} without the text`, true);
        let text = '';
        let readBytes = 0;
        response.on('data', (chunk: Buffer) => {
          readBytes += chunk.length;
          if (wanted !== undefined) text += chunk.toString('latin1');
          if (wanted !== undefined && text.includes(latin1(wanted))) {
            end({ passed: true, reached: true, detail: `HTTP ${code} with the text` });
          } else if (readBytes > (wanted === undefined ? readBytesMax : searchedBytesMax)) end(outcome);
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
