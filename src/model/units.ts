/**
 * Durations and sizes as people write them in Compose files, and back. Parsers answer `undefined` for text they do not understand:
 * the caller knows the path and says so.
 */

const msPerUnit: Readonly<Record<string, number>> = {
  ns: 0.000_001,
  us: 0.001,
  µs: 0.001,
  μs: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const durationPart = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)/y;

/**
 * `1m30s`, `1.5h`, `250ms`, `0` in whole ms, rounded up so that a stated wait is never shortened; a number without a unit is not a duration.
 * Units: Compose Specification, "Specifying durations", and `ns`, `d`, `w` as Docker Compose takes them; both signs for micro.
 */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  let totalMs = 0;
  durationPart.lastIndex = 0;
  while (durationPart.lastIndex < text.length) {
    const part = durationPart.exec(text);
    if (part === null) return undefined;
    totalMs += Number(part[1]) * (msPerUnit[part[2] ?? ''] ?? Number.NaN);
  }
  const wholeMs = Math.ceil(Number(totalMs.toFixed(6)));
  return text !== '' && Number.isSafeInteger(wholeMs) ? wholeMs : undefined;
}

/** `90_500` → `1m30.5s`; below a second in ms; `0s` for nothing. The inverse of {@link parseDurationMs} for whole, non-negative ms. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0s';
  if (durationMs < 1000) return `${durationMs}ms`;
  const hours = Math.floor(durationMs / 3_600_000);
  const minutes = Math.floor((durationMs % 3_600_000) / 60_000);
  const seconds = (durationMs % 60_000) / 1000;
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${seconds > 0 ? `${seconds}s` : ''}`;
}

/** Epoch ms as `2026-11-24T12:00:05Z`, rounded up to whole seconds: what is due then is never due before. */
export const formatInstant = (at: number): string =>
  new Date(Math.ceil(at / 1000) * 1000).toISOString().replace('.000Z', 'Z');

export const bytesPerGiB = 1024 ** 3;

const sizePattern = /^(\d+(?:\.\d+)?) ?([kmgt]?)i?b?$/i;
const prefixes = ['', 'k', 'm', 'g', 't'];

/** `512m`, `1G`, `1gb`, `1.5GiB`, `1024` in bytes, fractions rounded up; every prefix is a power of 1024, as in Docker. */
export function parseBytes(text: string): number | undefined {
  const match = sizePattern.exec(text);
  if (match === null) return undefined;
  const sizeBytes = Math.ceil(Number(match[1]) * 1024 ** prefixes.indexOf((match[2] ?? '').toLowerCase()));
  return Number.isSafeInteger(sizeBytes) ? sizeBytes : undefined;
}

/** `1536 MiB` → `1.5 GiB`: the largest unit that keeps at least one whole, with at most two decimals. */
export function formatBytes(sizeBytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let power = 0;
  while (power < units.length - 1 && sizeBytes >= 1024 ** (power + 1)) power += 1;
  return `${Number((sizeBytes / 1024 ** power).toFixed(2))} ${units[power]}`;
}

/** Rounds up to a multiple of `1 / perUnit`, without the noise of binary fractions: `ceilTo(0.1 + 0.2, 10)` is 0.3. */
export const ceilTo = (value: number, perUnit: number): number =>
  Math.ceil(Number((value * perUnit).toFixed(9))) / perUnit;
