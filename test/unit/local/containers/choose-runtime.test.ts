/** Which runtime a world takes, and in which words it says why; no daemon is needed for that. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createMemoryAciStore } from '../../../../src/local/aci/store.ts';
import { chooseRuntime, type RuntimeChoice } from '../../../../src/local/containers/choose-runtime.ts';
import { freshKey } from '../../../../src/local/secrets-key.ts';
import { systemClock } from '../../../../src/local/system-clock.ts';
import { createVault } from '../../../../src/local/vault.ts';
import { armFixture } from '../../../support/arm-fixture.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'flotilla-runtime-'));
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(dataDir, { recursive: true });
});

const vault = createVault(freshKey());
const choose = (choice: Omit<RuntimeChoice, 'dataDir' | 'vault'>, store = createMemoryAciStore()) =>
  chooseRuntime(
    { ...choice, dataDir, vault },
    store,
    systemClock,
    async (work) => work(),
    () => undefined,
  );

/** A daemon that tells of itself what it is asked to, and refuses everything else. */
async function daemonSaying(info: object): Promise<string> {
  const path = join(dataDir, `socket-${servers.length}`);
  const server = createServer(({ url }, response) => {
    const known = url === '/info';
    response.writeHead(known ? 200 : 500, { 'content-type': 'application/json' });
    response.end(JSON.stringify(known ? info : { message: 'no such thing here' }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return `unix://${path}`;
}

describe('auto', () => {
  it.each([
    { at: { dockerHost: 'unix:///no/such/socket' }, why: /there is no Docker socket \/no\/such\/socket/ },
    {
      at: { dockerHost: 'tcp://10.0.0.1:2375' },
      why: /DOCKER_HOST is tcp:\/\/10.0.0.1:2375: only a daemon on this machine/,
    },
    {
      at: { dockerContext: 'far', dockerHost: 'ssh://far' },
      why: /the Docker context "far" is ssh:\/\/far: only a daemon/,
    },
    { at: { dockerContext: 'gone' }, why: /the Docker context "gone" names no daemon/ },
  ])('takes stand-ins where nobody answers at $at, and says so', async ({ at, why }) => {
    const runtime = await choose({ containers: 'auto', ...at });
    expect(runtime).toMatchObject({ kind: 'standin', description: expect.stringMatching(why) });
  });

  it('says how to insist on Docker', async () => {
    const { description } = await choose({ containers: 'auto', dockerHost: 'unix:///no/such/socket' });
    expect(description).toMatch(/\(--containers docker insists\)$/);
  });

  const linux = { OSType: 'linux', OperatingSystem: 'Debian', ServerVersion: '1', NCPU: 1, SecurityOptions: [] };
  it.each([
    {
      name: 'runs Windows containers',
      info: { ...linux, OSType: 'windows' },
      why: /runs windows containers, not Linux ones/,
    },
    {
      name: 'refuses all but to tell of itself',
      info: linux,
      why: /the Docker daemon is of no use: no such thing here/,
    },
  ])('takes stand-ins when the daemon $name', async ({ info, why }) => {
    const runtime = await choose({ containers: 'auto', dockerHost: await daemonSaying(info) });
    expect(runtime).toMatchObject({ kind: 'standin', description: expect.stringMatching(why) });
  });
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
