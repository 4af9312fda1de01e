/** Listens on a loopback port; when it is taken, says which process holds it. */
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HostStartError } from './start-error.ts';

/** Resolves with the port (0 asks for any free one). @throws HostStartError naming the holder when the port is taken. */
export async function listenOnLoopback(server: Server, port: number): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    const holder = code === 'EADDRINUSE' ? await portHolder(port) : undefined;
    const problem = code === 'EACCES' ? 'may not be used by this user' : `is taken${holder ? ` by ${holder}` : ''}`;
    const remedy = 'stop that process, or choose another port';
    throw new HostStartError([{ path: `port ${port} on 127.0.0.1`, problem, remedy }], { cause: error });
  }
  return (server.address() as AddressInfo).port;
}

/** @throws HostStartError naming the holder when the port is taken. Nothing keeps it free afterwards. */
export async function requireFreePort(port: number): Promise<void> {
  const server = createServer();
  await listenOnLoopback(server, port);
  await new Promise((resolve) => server.close(resolve));
}

/** `process 4711 (node server.js)`, or `undefined` where the system does not tell. */
async function portHolder(port: number): Promise<string | undefined> {
  try {
    if (process.platform === 'linux') return await linuxHolder(port);
    if (process.platform === 'darwin') return await macHolder(port);
  } catch {
    // Another user's process, or no /proc: the message then goes without the name.
  }
  return undefined;
}

async function linuxHolder(port: number): Promise<string | undefined> {
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const lines = (await readFile(table, 'utf8').catch(() => '')).split('\n').slice(1);
    for (const line of lines) {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      const isListening = state === '0A';
      if (isListening && inode && Number.parseInt(local.split(':')[1] ?? '', 16) === port)
        inodes.add(`socket:[${inode}]`);
    }
  }
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if (!(await holdsSocket(pid, inodes))) continue;
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').join(' ').trim();
    return describe(pid, command);
  }
  return undefined;
}

async function holdsSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
    if (inodes.has(target)) return true;
  }
  return false;
}

async function macHolder(port: number): Promise<string | undefined> {
  const output = await new Promise<string>((resolve, reject) => {
    const args = ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'];
    execFile('lsof', args, { timeout: 3_000 }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
  const pid = /^p(\d+)$/m.exec(output)?.[1];
  return pid === undefined ? undefined : describe(pid, /^c(.+)$/m.exec(output)?.[1] ?? '');
}

function describe(pid: string, command: string): string {
  const short = command.length > 120 ? `${command.slice(0, 119)}…` : command;
  return `process ${pid}${short === '' ? '' : ` (${short})`}`;
}
