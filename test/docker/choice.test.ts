/** `--containers auto` before real daemons: when it is Docker, when stand-ins, and what a try leaves. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryAciStore } from '../../src/local/aci/store.ts';
import { chooseRuntime, type RuntimeChoice } from '../../src/local/containers/choose-runtime.ts';
import { freshKey } from '../../src/local/secrets-key.ts';
import { systemClock } from '../../src/local/system-clock.ts';
import { createVault } from '../../src/local/vault.ts';
import { dockerHost } from './daemon.ts';
import { engine, leftOn } from './fixture.ts';

let docker: Docker;
let dataDir: string;
const notices: string[] = [];
beforeAll(async () => {
  docker = await engine();
  dataDir = mkdtempSync(join(tmpdir(), 'flotilla-choice-'));
});
afterAll(() => rmSync(dataDir, { recursive: true }));

const choose = (choice: Omit<RuntimeChoice, 'dataDir' | 'vault'>) =>
  chooseRuntime(
    { ...choice, dataDir, ephemeral: true, vault: createVault(freshKey()) },
    createMemoryAciStore(),
    systemClock,
    async (work) => work(),
    (text) => notices.push(text),
  );

describe('auto', () => {
  it('is Docker where containers are reached and the images are there, and says how to have stand-ins', async () => {
    const images = ['flotilla-test/nginx:1', 'flotilla-test/node:1'];
    const runtime = await choose({ containers: 'auto', dockerHost: dockerHost(), images });
    expect(runtime.kind).toBe('docker');
    expect(runtime.description).toMatch(
      /^Docker: real containers on Docker Engine \S+ at \/\S+ \(--containers standin/,
    );
    expect(notices).toEqual([]);
    await runtime.close();
    expect(await leftOn(docker, dataDir)).toEqual([]);
  });

  it('is stand-ins where an image cannot be had, names it, and leaves nothing', async () => {
    const images = ['flotilla-test/nginx:1', 'registry.invalid/nobody/nothing:1'];
    const runtime = await choose({ containers: 'auto', dockerHost: dockerHost(), images });
    expect(runtime.kind).toBe('standin');
    expect(runtime.description).toMatch(/: registry.invalid\/nobody\/nothing:1: .*\(--containers docker insists\)$/);
    expect(notices).toEqual([
      expect.stringMatching(/^Docker pulls registry.invalid\/nobody\/nothing:1 \(at most 60 s/),
    ]);
    expect(await leftOn(docker, dataDir)).toEqual([]);
  });

  it('is stand-ins where the registry accepts and says nothing, after a while', { timeout: 60_000 }, async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const images = [`127.0.0.1:${port}/nobody/nothing:1`];
    const runtime = await choose({ containers: 'auto', dockerHost: dockerHost(), images });
    expect(runtime).toMatchObject({ kind: 'standin', description: expect.stringMatching(/says nothing for 10 s/) });
    expect(await leftOn(docker, dataDir)).toEqual([]);
    silent.close();
  });
});

/** Its bridges are in another network namespace, as those of Docker Desktop or of rootless Docker are. */
describe.skipIf(process.getuid?.() !== 0)('a daemon whose containers are out of reach', () => {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-far-'));
  const socket = join(directory, 'docker.sock');
  let daemon: ChildProcess;
  beforeAll(async () => {
    daemon = startFarDaemon(directory);
    const deadline = Date.now() + 60_000;
    while (!existsSync(socket) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
  });
  afterAll(async () => {
    daemon.kill('SIGTERM');
    await new Promise((resolve) => daemon.once('exit', resolve));
    rmSync(directory, { recursive: true, force: true });
  });

  it('is passed over by auto, and refused to who insists, with what was tried', async () => {
    const at = { dockerHost: `unix://${socket}`, images: [] };
    const tried =
      /containers are out of reach by address: (this machine has no part in their network|a container at) 172\./;
    const runtime = await choose({ containers: 'auto', ...at });
    expect(runtime).toMatchObject({ kind: 'standin', description: expect.stringMatching(tried) });
    await expect(choose({ containers: 'docker', ...at })).rejects.toThrow(tried);
  });
});

function startFarDaemon(directory: string): ChildProcess {
  const flags = { '-H': `unix://${directory}/docker.sock`, '--data-root': join(directory, 'data') };
  const more = { '--exec-root': join(directory, 'exec'), '--pidfile': join(directory, 'pid') };
  const args = Object.entries({ ...flags, ...more, '--default-ulimit': 'nofile=1024:1024' }).flat();
  return spawn('unshare', ['--net', 'dockerd', ...args], { stdio: 'ignore' });
}
