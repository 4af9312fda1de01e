/**
 * What a stand-in container does, from its image, command and environment (`CATALOGUE.md`). Pure: the ARM core asks it when a group is
 * accepted and keeps the answer.
 */
import type { ContainerSpec, Containers } from '../aci/containers-port.ts';
import type { Behaviour } from '../aci/model.ts';
import { execute } from './exec.ts';
import { KNOWN_IMAGES, type KnownImage, repositoryOf } from './images.ts';

/** The stand-in containers of the embedded platform. */
export const standinContainers: Containers = { behaviour: behaviourOf, exec: execute };

export function behaviourOf(spec: ContainerSpec): Behaviour {
  const image = imageOf(spec);
  const env = spec.environment;
  const command = commandOf(spec.command, image);
  const exitAfterMs = milliseconds(env['STANDIN_CRASH_AFTER_S']) ?? command.exitAfterMs ?? image.exitAfterMs;
  const crashes = env['STANDIN_CRASH_AFTER_S'] !== undefined;
  const hangAfterMs =
    env['STANDIN_HANG'] === 'true' ? 0 : (milliseconds(env['STANDIN_HANG_AFTER_S']) ?? image.hangAfterMs);
  const sickAfterMs = milliseconds(env['STANDIN_UNHEALTHY_AFTER_S']);
  const protocol = image.protocol;
  const fallback = image.port === undefined ? [] : [image.port];
  return {
    pull: image.pull ?? 'ok',
    pullMs: milliseconds(env['STANDIN_PULL_S']) ?? 0,
    protocol,
    ports: protocol === 'none' ? [] : spec.ports.length > 0 ? spec.ports : fallback,
    startDelayMs: milliseconds(env['STANDIN_START_DELAY_S']) ?? image.startDelayMs ?? 0,
    ...(exitAfterMs !== undefined && { exitAfterMs }),
    exitCode: number(env['STANDIN_EXIT_CODE']) ?? command.exitCode ?? image.exitCode ?? (crashes ? 1 : 0),
    ...(hangAfterMs !== undefined && { hangAfterMs }),
    ...(sickAfterMs !== undefined && { sickAfterMs }),
    httpStatus: number(env['STANDIN_HTTP_STATUS']) ?? 200,
    responseDelayMs: milliseconds(env['STANDIN_RESPONSE_DELAY_S']) ?? image.responseDelayMs ?? 0,
    banner: env['STANDIN_BANNER'] ?? image.banner ?? '',
    log: [`stand-in for ${spec.image}`, ...lines(env['STANDIN_LOG'])],
    files: (env['STANDIN_FILES'] ?? '').split(',').filter((path) => path !== ''),
  };
}

const UNKNOWN: KnownImage = { protocol: 'none', pull: 'notFound' };

/** `STANDIN_AS` lets an image of one's own stand in as a known one; an unknown image cannot be pulled. */
function imageOf(spec: ContainerSpec): KnownImage {
  const named = spec.environment['STANDIN_AS'] ?? spec.image;
  return KNOWN_IMAGES[repositoryOf(named)] ?? UNKNOWN;
}

/** How long a command runs, as far as that can be read off it: `sleep N`, `exit N`, `true`, `false`. Any other command of a shell image runs on. */
function commandOf(command: readonly string[], image: KnownImage): { exitAfterMs?: number; exitCode?: number } {
  if (command.length === 0) return image.shell ? { exitAfterMs: 0, exitCode: 0 } : {};
  if (!image.shell) return {};
  const isShell = /(^|\/)(ba|a|da)?sh$/.test(command[0] ?? '') && command[1] === '-c';
  const script = isShell ? (command[2] ?? '') : command.join(' ');
  let exitAfterMs = 0;
  for (const part of script.split(/&&|;/)) {
    const [name, argument] = part.trim().split(/\s+/);
    if (name === 'sleep') {
      const seconds = Number(argument);
      if (!Number.isFinite(seconds)) return {};
      exitAfterMs += seconds * 1000;
    } else if (name === 'exit') return { exitAfterMs, exitCode: number(argument) ?? 0 };
    else if (name === 'false') return { exitAfterMs, exitCode: 1 };
    else if (name !== 'true' && name !== 'echo') return {};
  }
  return { exitAfterMs, exitCode: 0 };
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
