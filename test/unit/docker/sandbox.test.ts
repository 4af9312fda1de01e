/** What is written by hand for the engine: the program of sandboxes, archives, and the half of a subnet that is ours to give out. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ownerRange } from '../../../src/docker/network.ts';
import { waitingProgram } from '../../../src/docker/sandbox-image.ts';
import { tarOf } from '../../../src/docker/tar.ts';

const dir = mkdtempSync(join(tmpdir(), 'flotilla-sandbox-'));
afterAll(() => rmSync(dir, { recursive: true }));

const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];

describe('the program of sandboxes', () => {
  it.runIf(process.platform === 'linux' && architecture)('runs here, and waits until it is killed', async () => {
    const path = join(dir, 'pause');
    writeFileSync(path, waitingProgram(architecture ?? ''), { mode: 0o755 });
    const child = spawn(path);
    await once(child, 'spawn');
    const ended = once(child, 'exit');
    const still = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 100, 'waiting'))]);
    expect(still).toBe('waiting');
    child.kill('SIGKILL');
    expect(await ended).toEqual([null, 'SIGKILL']);
  });

  it.each([
    { name: 'amd64', machine: 62 },
    { name: 'arm64', machine: 183 },
  ])('is a Linux program for $name', ({ name, machine }) => {
    const program = waitingProgram(name);
    expect(program.subarray(0, 4).toString('latin1')).toBe('\x7fELF');
    expect(program.readUInt16LE(18)).toBe(machine);
    expect(program.length).toBeLessThan(200);
  });

  it('says for which architecture there is none', () => {
    expect(() => waitingProgram('riscv64')).toThrow(/riscv64; there are amd64 and arm64/);
  });
});

describe('an archive', () => {
  it('is what tar reads', () => {
    const path = join(dir, 'files.tar');
    const files = [
      { path: 'a/b', mode: 0o755, content: Buffer.from('first') },
      { path: 'empty', mode: 0o600, content: Buffer.alloc(0) },
      { path: 'block', mode: 0o644, content: Buffer.alloc(512, 'x') },
      { path: 'x'.repeat(101), mode: 0o644, content: Buffer.from('long') },
      { path: 'directory/', mode: 0o777 },
    ];
    writeFileSync(path, tarOf(files));
    const listed = execFileSync('tar', ['-tvf', path], { encoding: 'utf8' }).trim().split('\n');
    expect(listed.map((line) => [line.split(/\s+/)[0], line.split(/\s+/)[2], line.split(/\s+/).at(-1)])).toEqual([
      ['-rwxr-xr-x', '5', 'a/b'],
      ['-rw-------', '0', 'empty'],
      ['-rw-r--r--', '512', 'block'],
      ['-rw-r--r--', '4', 'x'.repeat(101)],
      ['drwxrwxrwx', '0', 'directory/'],
    ]);
    expect(execFileSync('tar', ['-xOf', path, 'a/b'], { encoding: 'utf8' })).toBe('first');
  });
});

describe('our half of a subnet', () => {
  it.each([
    { subnet: '172.18.0.0/16', first: '172.18.0.2', count: 32_766 },
    { subnet: '192.168.16.0/20', first: '192.168.16.2', count: 2_046 },
    { subnet: '10.201.7.0/24', first: '10.201.7.2', count: 126 },
  ])('of $subnet begins after the gateway at $first', ({ subnet, first, count }) => {
    expect(ownerRange(subnet)).toEqual({ first, count });
  });
});
