/**
 * The daemons of the Docker tests and their images. The one that all files share is that of DOCKER_HOST; without, a dockerd of our own on its own
 * socket, data and exec directories, which needs root, and the `docker.io` package, which root installs. Images are built from Debian packages.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connectDocker } from '../../src/docker/connection.ts';

const START_MS = 60_000;
const STOP_MS = 90_000;
const CLEAR_MS = 20_000;

/** For `DOCKER_HOST`. */
export function dockerHost(): string {
  const host = process.env['DOCKER_HOST'];
  if (!host) throw new Error('the global setup sets DOCKER_HOST');
  return host;
}

export const isRoot = (): boolean => process.getuid?.() === 0;

export interface Daemon {
  /** For `DOCKER_HOST`. */
  readonly host: string;
  readonly dataRoot: string;
  /** Resolves when it answers. */
  start(): Promise<void>;
  /** Resolves when its process has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Ended, with every process, mount, bridge and file that it left. Names the mounts and bridges, which a daemon that ends takes away itself. */
  remove(): Promise<readonly string[]>;
  /** The same within one moment, for a process that was interrupted and is about to exit. Nothing happens when it has been removed. */
  abandon(): void;
}

export interface DaemonOptions {
  /** Its groups need not reach each other: it leaves the machine's firewall to the other daemon. */
  readonly isolated?: boolean;
  /** Its data root is a file system in memory of this size; absent = a directory on the disk. */
  readonly dataMiB?: number;
}

export function createDaemon({ isolated = false, dataMiB }: DaemonOptions = {}): Daemon {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-dockerd-'));
  const host = `unix://${directory}/docker.sock`;
  const dataRoot = join(directory, 'data');
  mkdirSync(dataRoot);
  if (dataMiB !== undefined) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${dataMiB}m`, 'tmpfs', dataRoot]);
  const at = { '-H': host, '--data-root': dataRoot };
  const more = { '--exec-root': join(directory, 'exec'), '--pidfile': join(directory, 'pid') };
  // Two daemons that look for a free subnet at one moment find the same one.
  const pool = freePool();
  const networks = { '--default-address-pool': `base=${pool}.0.0/16,size=22`, '--bridge': 'none' };
  const beside = isolated ? ['--iptables=false', '--ip6tables=false'] : [];
  const limits = { '--default-ulimit': 'nofile=1024:1024' };
  const args = [...Object.entries({ ...at, ...more, ...networks, ...limits }).flat(), ...beside];
  const log = openSync(join(directory, 'log'), 'a');
  let pid: number | undefined;
  const end: Daemon['end'] = async (signal) => {
    if (pid === undefined || !isRunning(pid)) return;
    process.kill(pid, signal);
    const deadline = Date.now() + STOP_MS;
    while (isRunning(pid)) {
      if (Date.now() > deadline) throw new Error(`dockerd does not end on ${signal}`);
      await pause();
    }
  };
  const sweep = (containers: readonly string[]): readonly string[] => {
    for (const one of [...processesOf(directory), ...processesIn(containers)]) kill(one);
    const found = [...unmountBelow(directory, dataRoot), ...removeBridges(pool)];
    rmSync(directory, { recursive: true, force: true });
    return found;
  };
  return {
    host,
    dataRoot,
    end,
    async start() {
      // Nobody reaps the last daemon's containerd where process 1 does not; its pid file would make this start wait in vain.
      rmSync(join(directory, 'exec/containerd/containerd.pid'), { force: true });
      rmSync(join(directory, 'pid'), { force: true });
      // It ends with the test process that has it, however that ends.
      const daemon = spawn('setpriv', ['--pdeathsig', 'TERM', 'dockerd', ...args], {
        stdio: ['ignore', log, log],
        detached: true,
      });
      pid = daemon.pid;
      const failed = once(daemon, 'error').then(([error]) => {
        throw error as Error;
      });
      const deadline = Date.now() + START_MS;
      while ('problem' in (await Promise.race([failed, connectDocker({ dockerHost: host })]))) {
        if (daemon.exitCode !== null || Date.now() > deadline) {
          throw new Error(`dockerd does not start:\n${readFileSync(join(directory, 'log'), 'utf8').slice(-2_000)}`);
        }
        await pause();
      }
      daemon.unref();
    },
    async remove() {
      await clear(host);
      const left = containersIn(dataRoot);
      await end('SIGTERM');
      return sweep(left);
    },
    abandon() {
      if (!existsSync(directory)) return;
      const left = containersIn(dataRoot);
      const clearing = 'docker ps -aq | xargs -r docker rm -fv; docker network prune -f';
      spawnSync('sh', ['-c', clearing], { env: { ...process.env, DOCKER_HOST: host }, timeout: CLEAR_MS });
      if (pid !== undefined) kill(pid);
      sweep(left);
    },
  };
}

const pause = () => new Promise((done) => setTimeout(done, 100));

/** As `10.123`: nothing of this machine is in it. */
function freePool(): string {
  for (;;) {
    const pool = `10.${100 + Math.floor(Math.random() * 128)}`;
    if (devicesIn(pool).length === 0) return pool;
  }
}

/** Devices with an address in the pool, up or not: bridges have one from their first moment to their last. */
function devicesIn(pool: string): readonly string[] {
  const lines = execFileSync('ip', ['-o', '-4', 'addr', 'show'], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => (line.includes(` inet ${pool}.`) ? (line.split(/\s+/)[1] ?? []) : []));
}

/** A daemon that is killed while it makes or removes a network forgets the network and leaves its bridge. */
function removeBridges(pool: string): readonly string[] {
  const left = devicesIn(pool);
  for (const device of left) execFileSync('ip', ['link', 'delete', device]);
  return left.map((device) => `bridge ${device}`);
}

/** What the tests have left on a daemon, although every one of them should have cleared up. */
async function leftBehind(host: string): Promise<readonly string[]> {
  const connection = await connectDocker({ dockerHost: host });
  if ('problem' in connection) return [connection.problem];
  const { docker } = connection;
  const containers = await docker.listContainers({ all: true });
  const networks = await docker.listNetworks();
  const { Volumes } = await docker.listVolumes();
  return [
    ...containers.map(({ Names, Id }) => `container ${Names[0] ?? Id}`),
    ...networks.filter(({ Name }) => !['none', 'host'].includes(Name)).map(({ Name }) => `network ${Name}`),
    ...(Volumes ?? []).map(({ Name }) => `volume ${Name}`),
  ];
}

/** A zombie has ended: who started it may not have looked yet. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** What a failed test left: networks are bridges of the machine, and outlive the daemon. Nothing happens when it does not answer. */
async function clear(host: string): Promise<void> {
  const connection = await connectDocker({ dockerHost: host });
  if ('problem' in connection) return;
  const { docker } = connection;
  const containers = await docker.listContainers({ all: true });
  await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
  await docker.pruneNetworks();
}

const containersIn = (dataRoot: string): readonly string[] => {
  const directory = join(dataRoot, 'containers');
  return existsSync(directory) ? readdirSync(directory) : [];
};

/** A container's processes go on when its shim is killed; their control group names the container. */
function processesIn(containers: readonly string[]): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      const group = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
      return containers.some((id) => group.includes(id));
    } catch {
      return false; // it has ended meanwhile
    }
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** containerd and its shims outlive a daemon that is killed; their command lines name the directory. */
function processesOf(directory: string): readonly number[] {
  const listed = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return listed.filter((line) => line.includes(`${directory}/`)).map((line) => Number.parseInt(line, 10));
}

/** A daemon that was killed leaves its mounts behind, the namespaces of networks among them. */
function unmountBelow(directory: string, expected: string): readonly string[] {
  const points = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${directory}/`));
  for (const point of [...points].reverse()) execFileSync('umount', ['-l', point]);
  return points.filter((point) => point !== expected).map((point) => `mount ${point}`);
}

/** Builds the images, or only those that are named, into the daemon. */
export function buildImages(host: string, ...only: readonly string[]): void {
  const script = join(import.meta.dirname, 'images.sh');
  execFileSync(script, [resolve('node_modules/.cache/docker-test-images'), ...only], {
    stdio: 'inherit',
    env: { ...process.env, DOCKER_HOST: host },
  });
}

function ensureDockerd(): void {
  const has = (program: string) => execFileSync('sh', ['-c', `command -v ${program} || true`], { encoding: 'utf8' });
  if (has('dockerd') !== '') return;
  if (!isRoot()) throw new Error('there is no dockerd: set DOCKER_HOST, or run as root to have docker.io installed');
  const lists = 'ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1 || apt-get -qq update';
  execFileSync('sh', ['-ec', `${lists}; apt-get install -qq -y --no-install-recommends docker.io`], {
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

export default async function setup(): Promise<() => Promise<void>> {
  if (process.env['DOCKER_HOST']) {
    buildImages(process.env['DOCKER_HOST']);
    return async () => undefined;
  }
  ensureDockerd();
  const daemon = createDaemon();
  try {
    await daemon.start();
    buildImages(daemon.host);
  } catch (error) {
    await daemon.remove();
    throw error;
  }
  process.env['DOCKER_HOST'] = daemon.host;
  process.once('exit', daemon.abandon);
  return async () => {
    const left = [...(await leftBehind(daemon.host)), ...(await daemon.remove())];
    if (left.length > 0) throw new Error(`the Docker tests have left behind:\n${left.join('\n')}`);
  };
}
