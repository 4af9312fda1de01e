/** A durable engine over a loaded function app, with the management API on a loopback port: what the engine's tests and bench need of a host. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type LoadedApp, loadApp } from '../../src/local/host/core.ts';
import { createWorkerHost } from '../../src/local/host/durable.ts';
import { durableClientBinding } from '../../src/local/host/engine/binding.ts';
import { createHttpSender } from '../../src/local/host/engine/call-http.ts';
import { createEngine, type DurableEngine } from '../../src/local/host/engine/engine.ts';
import { createManagement } from '../../src/local/host/engine/management.ts';
import type { EngineOptions, WorkerHost } from '../../src/local/host/engine/types.ts';
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
  readonly engine: DurableEngine;
  readonly url: string;
  close(): Promise<void>;
}

export type ServerOptions = Pick<EngineOptions, 'store'> & Partial<EngineOptions>;

/** Serves both forms of the management API, and the raw binding at `GET /api/_client`. The store stays the caller's. */
export async function startDurableServer(app: LoadedApp, options: ServerOptions): Promise<DurableServer> {
  const engine = createEngine({
    clock: systemClock,
    newId: randomUUID,
    hubName: 'TestHub',
    sendHttp: createHttpSender(),
    ...options,
  });
  let answer: (incoming: IncomingMessage, body: string) => Promise<{ status: number; headers: object; body: string }>;
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
  const settings = { origin: `http://localhost:${port}`, hubName: 'TestHub', systemKey: 'testkey' };
  const management = createManagement({ engine, settings });
  const binding = JSON.stringify(durableClientBinding(settings, `http://127.0.0.1:${port}`));
  answer = async (incoming, body) => {
    if (incoming.url === '/api/_client')
      return { status: 200, headers: { 'content-type': 'application/json' }, body: binding };
    const headers = incoming.headers as Record<string, string | undefined>;
    const response = await management({ method: incoming.method ?? 'GET', url: incoming.url ?? '/', headers, body });
    return response ?? { status: 404, headers: {}, body: '' };
  };
  engine.attach(workerOf(app));
  await engine.start();
  return {
    engine,
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      await engine.stop();
      await new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      });
    },
  };
}

export { loadApp };
