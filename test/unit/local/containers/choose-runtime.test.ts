/** Which runtime a world takes, and in which words it says why; no daemon is needed for that. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createMemoryAciStore } from '../../../../src/local/aci/store.ts';
import { chooseRuntime } from '../../../../src/local/containers/choose-runtime.ts';
import { systemClock } from '../../../../src/local/system-clock.ts';
import { armFixture } from '../../../support/arm-fixture.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'flotilla-runtime-'));
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(dataDir, { recursive: true });
});

const choose = (
  choice: { containers?: 'standin' | 'docker' | 'auto'; dockerHost?: string },
  store = createMemoryAciStore(),
) => chooseRuntime({ ...choice, dataDir }, store, systemClock, async (work) => work());

/** A daemon that says of itself what it is asked to, and nothing else. */
async function daemonSaying(info: object): Promise<string> {
  const path = join(dataDir, `socket-${servers.length}`);
  const server = createServer((_request, response) => response.end(JSON.stringify(info)));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return `unix://${path}`;
}

describe('auto', () => {
  it.each([
    { dockerHost: 'unix:///no/such/socket', why: /there is no Docker socket \/no\/such\/socket$/ },
    { dockerHost: 'tcp://10.0.0.1:2375', why: /DOCKER_HOST is tcp:\/\/10.0.0.1:2375: only a daemon on this machine/ },
  ])('takes stand-ins where nobody answers at $dockerHost, and says so', async ({ dockerHost, why }) => {
    const runtime = await choose({ containers: 'auto', dockerHost });
    expect(runtime).toMatchObject({ kind: 'standin', description: expect.stringMatching(why) });
  });

  const linux = { OSType: 'linux', OperatingSystem: 'Debian', ServerVersion: '1', NCPU: 1, SecurityOptions: [] };
  it.each([
    { info: { ...linux, OperatingSystem: 'Docker Desktop' }, why: /Docker Desktop .* out of reach by address$/ },
    { info: { ...linux, SecurityOptions: ['name=rootless'] }, why: /rootless Docker .* out of reach by address$/ },
    { info: { ...linux, OSType: 'windows' }, why: /runs windows containers, not Linux ones$/ },
  ])(
    'takes stand-ins when the daemon says $info.OperatingSystem $info.SecurityOptions $info.OSType',
    async ({ info, why }) => {
      const runtime = await choose({ containers: 'auto', dockerHost: await daemonSaying(info) });
      expect(runtime).toMatchObject({ kind: 'standin', description: expect.stringMatching(why) });
    },
  );
});

describe('docker', () => {
  it('is refused where no daemon answers, with what to do', async () => {
    await expect(choose({ containers: 'docker', dockerHost: 'unix:///no/such/socket' })).rejects.toThrow(
      'containers cannot run on Docker: there is no Docker socket /no/such/socket; mend that, or start with --containers standin',
    );
  });
});

describe('a data directory with container groups', () => {
  const used = async () => {
    const { store, put } = armFixture();
    await choose({ containers: 'standin' }, store);
    put('g');
    return store;
  };

  it('goes on with what it began with, whatever answers now', async () => {
    const runtime = await choose({ containers: 'auto', dockerHost: 'unix:///no/such/socket' }, await used());
    expect(runtime.description).toMatch(/\(as before\)$/);
  });

  it('refuses another runtime, with both ways out', async () => {
    await expect(choose({ containers: 'docker' }, await used())).rejects.toThrow(
      /run on stand-ins, not on Docker; start with --containers standin, or with another --data directory/,
    );
  });
});
