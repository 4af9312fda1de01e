/** Sockets follow the list of endpoints; what cannot be opened is told and tried again. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../../src/local/aci/endpoints.ts';
import { bindProblem } from '../../../../src/local/containers/bind-problem.ts';
import { type BindingReport, createResponders, type Responders } from '../../../../src/local/containers/responders.ts';
import { type ManualClock, manualClock } from '../../../support/manual-clock.ts';

const address = `127.${110 + Math.floor(Math.random() * 40)}.${Math.floor(Math.random() * 256)}.7`;

/** A port of that address that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  return typeof bound === 'object' && bound ? bound.port : 0;
}

const endpoint = (port: number, over: Partial<Endpoint> = {}): Endpoint => ({
  groupKey: 'g',
  group: 'g',
  container: 'main',
  address,
  port,
  protocol: 'http',
  silent: false,
  httpStatus: 200,
  responseDelayMs: 0,
  banner: '',
  identity: { slot: '1' },
  ...over,
});

describe('responders', () => {
  let responders: Responders | undefined;
  afterEach(() => responders?.close());
  const build = (): { clock: ManualClock; reports: BindingReport[]; all: Responders } => {
    const clock = manualClock(0);
    const reports: BindingReport[] = [];
    const all = createResponders({ clock, report: (report) => reports.push(report) });
    responders = all;
    return { clock, reports, all };
  };
  const status = async (port: number): Promise<number | string> => {
    try {
      return (await fetch(`http://${address}:${port}/`, { headers: { connection: 'close' } })).status;
    } catch (error) {
      return (error as { cause?: { code?: string } }).cause?.code ?? 'failed';
    }
  };

  it('open, change in place, and close', async () => {
    const { all, reports } = build();
    const port = await freePort();
    all.reconcile([endpoint(port)]);
    await all.settled();
    expect(await status(port)).toBe(200);
    all.reconcile([endpoint(port, { httpStatus: 503 })]);
    expect(await status(port)).toBe(503);
    all.reconcile([]);
    await all.settled();
    expect(await status(port)).toBe('ECONNREFUSED');
    expect(reports).toEqual([]);
  });

  it('open again at once where another group was', async () => {
    const { all } = build();
    const port = await freePort();
    all.reconcile([endpoint(port)]);
    await all.settled();
    all.reconcile([endpoint(port, { groupKey: 'other', httpStatus: 404 })]);
    await all.settled();
    expect(await status(port)).toBe(404);
  });

  it('leave nothing open that was closed while it opened', async () => {
    const { all } = build();
    const port = await freePort();
    all.reconcile([endpoint(port)]);
    all.reconcile([]);
    await all.settled();
    expect(await status(port)).toBe('ECONNREFUSED');
  });

  it('tell once what cannot be opened, try every 5 s, and tell when it could', async () => {
    const { all, clock, reports } = build();
    const squatter = createServer().listen(0, address);
    await once(squatter, 'listening');
    const { port } = squatter.address() as { port: number };
    all.reconcile([endpoint(port)]);
    await all.settled();
    expect(reports).toEqual([{ groupKey: 'g', container: 'main', port, cause: expect.stringContaining('EADDRINUSE') }]);
    clock.advance(5_000);
    await all.settled();
    expect(reports).toHaveLength(1);
    squatter.close();
    await once(squatter, 'close');
    clock.advance(5_000);
    await all.settled();
    expect(reports.slice(1)).toEqual([{ groupKey: 'g', container: 'main', port }]);
    expect(await status(port)).toBe(200);
    expect(clock.nextAt()).toBeUndefined();
  });
});

describe('a port that cannot be opened', () => {
  it.each([
    ['EADDRNOTAVAIL', 'darwin', 'Remedy: sudo ifconfig lo0 alias 127.64.0.1 up'],
    ['EADDRNOTAVAIL', 'linux', 'add it to the loopback device'],
    ['EACCES', 'linux', 'declare a port from 1024 on, or run: sudo sysctl net.ipv4.ip_unprivileged_port_start=0'],
    ['EACCES', 'darwin', 'declare a port from 1024 on'],
    ['EADDRINUSE', 'linux', 'lsof -nP -iTCP:80 -sTCP:LISTEN'],
  ])('%s on %s names its remedy', (code, platform, remedy) => {
    const said = bindProblem(code, '127.64.0.1', 80, platform);
    expect(said).toContain(`127.64.0.1:80 (${code})`);
    expect(said).toContain(remedy);
  });
});
