/** Whether something answers at an address, as seen from this machine: any HTTP answer, or for `tcp://` an accepted connection. */
import { connect } from 'node:net';
import type { Answer } from './context.ts';

const knockTimeoutMs = 2_000;

export async function knock(address: string, timeoutMs = knockTimeoutMs): Promise<Answer> {
  const { protocol, hostname, port } = new URL(address);
  if (protocol === 'tcp:') return await knockTcp(hostname, Number(port), timeoutMs);
  try {
    const response = await fetch(address, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
    await response.body?.cancel();
    return { answers: true, detail: `HTTP ${response.status}` };
  } catch (error) {
    return { answers: false, detail: sayWhy(error) };
  }
}

function knockTcp(host: string, port: number, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect({ host: host.replace(/^\[|\]$/g, ''), port, timeout: timeoutMs });
    const end = (answer: Answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end({ answers: true, detail: 'accepts connections' }));
    socket.once('timeout', () => end({ answers: false, detail: words['ETIMEDOUT'] ?? '' }));
    socket.once('error', (error) => end({ answers: false, detail: sayWhy(error) }));
  });
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed without an answer',
  UND_ERR_SOCKET: 'connection closed without an answer',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'no route from here',
  ENETUNREACH: 'no route from here',
  EADDRNOTAVAIL: 'no route from here',
};

/** `fetch failed` hides what happened in its cause. */
function sayWhy(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return words['ETIMEDOUT'] ?? '';
  const cause = error.cause instanceof Error ? error.cause : error;
  return words[(cause as NodeJS.ErrnoException).code ?? ''] ?? cause.message;
}
