/**
 * Keeps sockets in step with the endpoints that should be listening: one server per address and port, opened, changed in place and closed
 * as the list says. What cannot be opened is reported with cause and remedy, and tried again. It decides nothing about containers.
 */
import type { Server } from 'node:net';
import type { Clock } from '../../model/clock.ts';
import type { Endpoint } from '../aci/endpoints.ts';
import { bindProblem } from './bind-problem.ts';
import { createHttpResponder, createTcpResponder, type StandinServer } from './servers.ts';

export interface BindingReport {
  readonly groupKey: string;
  readonly container: string;
  readonly port: number;
  /** Absent = it listens now. */
  readonly cause?: string;
}

export interface Responders {
  /** Makes the listening sockets those of the list. */
  reconcile(endpoints: readonly Endpoint[]): void;
  /** Resolves when every socket that was asked for is open, reported or closed. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

interface Responder {
  endpoint: Endpoint;
  readonly standin: StandinServer;
  state: 'opening' | 'open' | 'refused';
  closed: boolean;
}

/** How long a refused address rests before the next try, in ms: long enough to cost nothing, short enough for somebody who adds the alias. */
const RETRY_MS = 5_000;

export function createResponders(options: {
  readonly clock: Clock;
  readonly report: (report: BindingReport) => void;
}): Responders {
  const responders = new Map<string, Responder>();
  const pending = new Set<Promise<void>>();
  let cancelRetry: (() => void) | undefined;

  const track = (work: Promise<void>) => {
    pending.add(work);
    void work.finally(() => pending.delete(work));
  };
  const open = (key: string, endpoint: Endpoint) => {
    const create = endpoint.protocol === 'http' ? createHttpResponder : createTcpResponder;
    const responder: Responder = {
      endpoint,
      standin: create(() => responder.endpoint),
      state: 'opening',
      closed: false,
    };
    responders.set(key, responder);
    listen(responder, false);
  };
  const listen = (responder: Responder, again: boolean) => {
    const { groupKey, container, port, address } = responder.endpoint;
    responder.state = 'opening';
    track(
      bind(responder.standin.server, address, port).then((code) => {
        if (responder.closed) return responder.standin.end(); // shut while it was still opening
        responder.state = code === undefined ? 'open' : 'refused';
        if (code === undefined && again) options.report({ groupKey, container, port });
        if (code !== undefined) {
          if (!again)
            options.report({ groupKey, container, port, cause: bindProblem(code, address, port, process.platform) });
          scheduleRetry();
        }
        return undefined;
      }),
    );
  };
  const scheduleRetry = () => {
    cancelRetry ??= options.clock.at(options.clock.now() + RETRY_MS, () => {
      cancelRetry = undefined;
      for (const responder of responders.values()) if (responder.state === 'refused') listen(responder, true);
    });
  };
  const shut = (key: string, responder: Responder) => {
    responders.delete(key);
    responder.closed = true;
    track(responder.standin.end());
  };
  return {
    reconcile(endpoints) {
      const wanted = new Map(endpoints.map((endpoint) => [keyOf(endpoint), endpoint]));
      for (const [key, responder] of responders) if (!wanted.has(key)) shut(key, responder);
      for (const [key, endpoint] of wanted) {
        const responder = responders.get(key);
        if (responder) responder.endpoint = endpoint;
        else open(key, endpoint);
      }
    },
    async settled() {
      while (pending.size > 0) await Promise.all(pending);
    },
    async close() {
      cancelRetry?.();
      for (const [key, responder] of responders) shut(key, responder);
      while (pending.size > 0) await Promise.all(pending);
    },
  };
}

/** Another group or protocol on the same address and port is another server. */
const keyOf = (e: Endpoint): string => `${e.address}:${e.port} ${e.protocol} ${e.groupKey} ${e.container}`;

/** The system's error code, or undefined when it listens. */
function bind(server: Server, address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => {
      server.off('listening', listening);
      resolve(error.code ?? error.message);
    };
    const listening = () => {
      server.off('error', failed);
      resolve(undefined);
    };
    server.once('error', failed);
    server.once('listening', listening);
    server.listen(port, address);
  });
}
