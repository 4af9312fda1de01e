/**
 * What a stand-in container does, from its image, command and environment (`CATALOGUE.md`). Pure: the ARM core asks it when a group is
 * accepted and keeps the answer.
 */
import type { ContainerLimits, ContainerSpec, Containers } from '../aci/containers-port.ts';
import type { Behaviour } from '../aci/model.ts';
import { execute } from './exec.ts';
import { KNOWN_IMAGES, type KnownImage, registryOf, repositoryOf } from './images.ts';

/** The stand-in containers of the embedded platform. */
export const standinContainers: Containers = {
  behaviour: behaviourOf,
  exec: execute,
  cachedImages: Object.entries(KNOWN_IMAGES).flatMap(([name, image]) => (image.pull === undefined ? [name] : [])),
};

/** Shares of what it may use that a stand-in uses when nothing says otherwise. */
const CPU_SHARE = 0.05;
const MEMORY_SHARE = 0.2;

export function behaviourOf(spec: ContainerSpec, limits: ContainerLimits = { cpuCores: 1, memoryGiB: 1 }): Behaviour {
  const env = { ...spec.environment, ...spec.secureEnvironment };
  const image = imageOf(spec, env);
  /** What is said and shown is kept in the clear, so it is never taken from secure values. */
  const text = (name: string) => spec.environment[name];
  const fallback = image.port === undefined ? [] : [image.port];
  return {
    pull: pullOf(spec, image),
    pullMs: milliseconds(env['STANDIN_PULL_S']) ?? 0,
    protocol: image.protocol,
    ports: image.protocol === 'none' ? [] : spec.ports.length > 0 ? spec.ports : fallback,
    startDelayMs: milliseconds(env['STANDIN_START_DELAY_S']) ?? image.startDelayMs ?? 0,
    ...endOf(spec, env, image),
    ...illnessOf(env, image),
    httpStatus: number(env['STANDIN_HTTP_STATUS']) ?? 200,
    responseDelayMs: milliseconds(env['STANDIN_RESPONSE_DELAY_S']) ?? image.responseDelayMs ?? 0,
    banner: text('STANDIN_BANNER') ?? image.banner ?? '',
    log: [`stand-in for ${spec.image}`, ...lines(text('STANDIN_LOG'))],
    files: [...(text('STANDIN_FILES') ?? '').split(',').filter((path) => path !== ''), ...spec.secretFiles],
    usage: {
      cpuMillicores: Math.round((number(env['STANDIN_CPU']) ?? limits.cpuCores * CPU_SHARE) * 1000),
      memoryBytes: Math.round(
        (number(env['STANDIN_MEMORY_MB']) ?? limits.memoryGiB * 1024 * MEMORY_SHARE) * 1024 * 1024,
      ),
      receivedBytesPerS: number(env['STANDIN_NETWORK_BYTES_S']) ?? 0,
      transmittedBytesPerS: number(env['STANDIN_NETWORK_BYTES_S']) ?? 0,
    },
  };
}

function pullOf(spec: ContainerSpec, image: KnownImage): Behaviour['pull'] {
  const isLockedOut = image.private && !spec.registries.includes(registryOf(spec.image));
  return isLockedOut ? 'inaccessible' : (image.pull ?? 'ok');
}

/** When the process ends by itself, and how. The environment wins over the command, the command over the image. */
function endOf(
  spec: ContainerSpec,
  env: ContainerSpec['environment'],
  image: KnownImage,
): Pick<Behaviour, 'exitAfterMs' | 'exitCode'> {
  const command = commandOf(spec.command, image);
  const crashAfterMs = milliseconds(env['STANDIN_CRASH_AFTER_S']);
  const exitAfterMs = crashAfterMs ?? command.exitAfterMs ?? image.exitAfterMs;
  const exitCode = number(env['STANDIN_EXIT_CODE']) ?? command.exitCode ?? image.exitCode;
  return {
    ...(exitAfterMs !== undefined && { exitAfterMs }),
    exitCode: exitCode ?? (crashAfterMs === undefined ? 0 : 1),
  };
}

function illnessOf(
  env: ContainerSpec['environment'],
  image: KnownImage,
): Pick<Behaviour, 'hangAfterMs' | 'sickAfterMs'> {
  const hangAfterMs =
    env['STANDIN_HANG'] === 'true' ? 0 : (milliseconds(env['STANDIN_HANG_AFTER_S']) ?? image.hangAfterMs);
  const sickAfterMs = milliseconds(env['STANDIN_UNHEALTHY_AFTER_S']);
  return { ...(hangAfterMs !== undefined && { hangAfterMs }), ...(sickAfterMs !== undefined && { sickAfterMs }) };
}

const UNKNOWN: KnownImage = { protocol: 'none', pull: 'notFound' };

/** `STANDIN_AS` lets an image of one's own stand in as a known one; an unknown image cannot be pulled. */
function imageOf(spec: ContainerSpec, env: ContainerSpec['environment']): KnownImage {
  const named = env['STANDIN_AS'] ?? spec.image;
  return KNOWN_IMAGES[repositoryOf(named)] ?? UNKNOWN;
}

/** How long a shell image's command runs, as far as that can be read off it; any command not named in `partOf` runs on. */
function commandOf(command: readonly string[], image: KnownImage): { exitAfterMs?: number; exitCode?: number } {
  if (!image.shell) return {};
  let exitAfterMs = 0;
  for (const text of scriptOf(command).split(/&&|;/)) {
    const part = partOf(text.trim());
    if (part === 'runs on') return {};
    exitAfterMs += part.takesMs;
    if (part.exitCode !== undefined) return { exitAfterMs, exitCode: part.exitCode };
  }
  return { exitAfterMs, exitCode: 0 };
}

/** A shell without a terminal reads the end of its input and is done: the empty script. */
function scriptOf(command: readonly string[]): string {
  const isShell = /(^|\/)(ba|a|da)?sh$/.test(command[0] ?? '') && command[1] === '-c';
  return isShell ? (command[2] ?? '') : command.join(' ');
}

function partOf(text: string): { readonly takesMs: number; readonly exitCode?: number } | 'runs on' {
  const [name = '', argument] = text.split(/\s+/);
  switch (name) {
    case '':
    case 'true':
    case 'echo':
      return { takesMs: 0 };
    case 'false':
      return { takesMs: 0, exitCode: 1 };
    case 'exit':
      return { takesMs: 0, exitCode: number(argument) ?? 0 };
    case 'sleep': {
      const takesMs = milliseconds(argument);
      return takesMs === undefined ? 'runs on' : { takesMs };
    }
    default:
      return 'runs on';
  }
}

function number(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function milliseconds(seconds: string | undefined): number | undefined {
  const value = number(seconds);
  return value === undefined ? undefined : Math.max(0, Math.round(value * 1000));
}

const lines = (text: string | undefined): readonly string[] => (text ? text.split('\n') : []);
