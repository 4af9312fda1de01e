/**
 * The daemon of the Docker tests and its images. With DOCKER_HOST it is that one; without, a dockerd of our own on its own socket, data and
 * exec directories, which needs root and the `docker.io` package. Images are built from Debian packages; nothing is pulled.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connectDocker } from '../../src/docker/connection.ts';

const DIRECTORY = 'FLOTILLA_TEST_DOCKERD';
const START_MS = 60_000;

/** For `DOCKER_HOST`. */
export function dockerHost(): string {
  const host = process.env['DOCKER_HOST'];
  if (!host) throw new Error('the global setup sets DOCKER_HOST');
  return host;
}

/** Where the daemon that was started for the tests lives; undefined = it is somebody else's, and must not be disturbed. */
export const ownDaemon = (): string | undefined => process.env[DIRECTORY];

export async function startDaemon(directory: string): Promise<ChildProcess> {
  // Nobody reaps the last daemon's containerd where process 1 does not; its pid file would make this start wait in vain.
  rmSync(join(directory, 'exec/containerd/containerd.pid'), { force: true });
  rmSync(join(directory, 'pid'), { force: true });
  const log = openSync(join(directory, 'log'), 'a');
  const flags = { '-H': `unix://${directory}/docker.sock`, '--data-root': join(directory, 'data') };
  const more = { '--exec-root': join(directory, 'exec'), '--pidfile': join(directory, 'pid') };
  const args = Object.entries({ ...flags, ...more, '--default-ulimit': 'nofile=1024:1024' }).flat();
  const daemon = spawn('dockerd', args, { stdio: ['ignore', log, log], detached: true });
  const failed = once(daemon, 'error').then(([error]) => {
    throw error as Error;
  });
  const deadline = Date.now() + START_MS;
  while (
    'problem' in (await Promise.race([failed, connectDocker({ dockerHost: `unix://${directory}/docker.sock` })]))
  ) {
    if (daemon.exitCode !== null || Date.now() > deadline) {
      throw new Error(`dockerd does not start:\n${readFileSync(join(directory, 'log'), 'utf8').slice(-2_000)}`);
    }
    await new Promise((done) => setTimeout(done, 200));
  }
  daemon.unref();
  return daemon;
}

export async function stopDaemon(directory: string, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'));
  process.kill(pid, signal);
  const deadline = Date.now() + 30_000;
  while (isRunning(pid) && Date.now() < deadline) await new Promise((done) => setTimeout(done, 100));
}

/** A zombie has ended: who started it may not have looked yet. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** A daemon that was killed leaves its mounts behind. */
function unmountBelow(directory: string): void {
  const points = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${directory}/`));
  for (const point of points.reverse()) execFileSync('umount', ['-l', point]);
}

export default async function setup(): Promise<() => Promise<void>> {
  const own = process.env['DOCKER_HOST'] ? undefined : mkdtempSync(join(tmpdir(), 'flotilla-dockerd-'));
  if (own) {
    await startDaemon(own);
    process.env['DOCKER_HOST'] = `unix://${own}/docker.sock`;
    process.env[DIRECTORY] = own;
  }
  const script = join(import.meta.dirname, 'images.sh');
  execFileSync(script, [resolve('node_modules/.cache/docker-test-images')], { stdio: 'inherit' });
  return async () => {
    if (!own) return;
    await stopDaemon(own);
    unmountBelow(own);
    rmSync(own, { recursive: true, force: true });
  };
}
