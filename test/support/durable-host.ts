/** A durable engine over a loaded function app, with the management API on a loopback port: what the engine's tests and bench need of a host. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadApp } from '../../src/local/host/core.ts';
import { createWorkerHost } from '../../src/local/host/durable.ts';
import { openRuntime, type Runtime, type RuntimeOptions } from '../../src/local/host/engine/runtime.ts';
import type { WorkerHost } from '../../src/local/host/engine/types.ts';
import type { LoadedApp } from '../../src/local/host/functions-core.ts';
import { createInvoker } from '../../src/local/host/invoke.ts';
import { systemClock } from '../../src/local/system-clock.ts';

export interface TemporaryApp {
  readonly appDir: string;
  remove(): void;
}

/** Writes a function app of one ES module; its packages are the project's. */
export function writeApp(javascript: string): TemporaryApp {
  const appDir = mkdtempSync(join(tmpdir(), 'flotilla-app-'));
  symlinkSync(resolve('node_modules'), join(appDir, 'node_modules'), 'dir');
  writeFileSync(join(appDir, 'package.json'), JSON.stringify({ name: 'app', main: 'app.mjs' }));
  writeFileSync(join(appDir, 'app.mjs'), javascript);
  return { appDir, remove: () => rmSync(appDir, { recursive: true, force: true }) };
}

/** One worker for the app's durable functions; failures are the engine's business, so nothing is logged. */
export function workerOf(app: LoadedApp, id = 'worker-1'): WorkerHost {
  const invoker = createInvoker({ app, log: () => undefined, timeoutMs: 2 ** 31, newId: randomUUID });
  const ofType = (type: RegExp) => app.functions.filter((fn) => type.test(fn.trigger.type));
  const plan = {
    orchestrators: ofType(/^orchestrationTrigger$/i),
    activities: ofType(/^activityTrigger$/i),
    entities: ofType(/^entityTrigger$/i),
  };
  return createWorkerHost(id, plan, invoker);
}

export interface DurableServer {
  readonly url: string;
  close(): Promise<void>;
}

export type ServerOptions = Pick<RuntimeOptions, 'storePath' | 'faults' | 'log'>;

/** Serves both forms of the management API, and the raw binding at `GET /api/_client`. */
export async function startDurableServer(app: LoadedApp, options: ServerOptions): Promise<DurableServer> {
  let runtime: Runtime | undefined;
  const answer = async (incoming: IncomingMessage, body: string) => {
    if (!runtime) return { status: 503, headers: {}, body: '' };
    const json = { 'content-type': 'application/json' };
    if (incoming.url === '/api/_client') return { status: 200, headers: json, body: runtime.clientBinding };
    const headers = incoming.headers as Record<string, string | undefined>;
    const request = { method: incoming.method ?? 'GET', url: incoming.url ?? '/', headers, body };
    return (await runtime.management(request)) ?? { status: 404, headers: {}, body: '' };
  };
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      answer(incoming, Buffer.concat(chunks).toString('utf8')).then(
        (response) => outgoing.writeHead(response.status, { ...response.headers }).end(response.body),
        (error: unknown) => outgoing.writeHead(500).end(String(error)),
      );
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const opened = await openRuntime({
    ...options,
    settings: { hubName: 'TestHub' },
    workers: [workerOf(app)],
    clock: systemClock,
    port,
  });
  runtime = opened;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      await opened.close();
      await new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      });
    },
  };
}

export { loadApp };
