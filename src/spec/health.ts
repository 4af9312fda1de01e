/**
 * Compose `healthcheck` → ACI's liveness probe, and how a replica is found ready (semantics, "Ready"): our own network probe where one is
 * given or can be derived from an HTTP healthcheck of a declared port, else time spent Running.
 */

import type { LivenessProbe, Port, Readiness } from '../model/app-spec.ts';
import { formatDuration } from '../model/units.ts';
import { splitWords } from './command.ts';
import { isObject, joinPath } from './json.ts';
import { readPort } from './ports.ts';
import { readBoolean, readDurationMs, readNumber, readStrings } from './read.ts';
import type { Report } from './report.ts';

export interface Health {
  readonly liveness?: LivenessProbe;
  readonly readiness: Readiness;
}

/** Wait for a service without a healthcheck (semantics, "Which knob wins": minReady). */
export const minReadyMs = 10_000;
/** Patience of a network probe: unless stated, and at most; a sweep waits for its slowest probe. */
const probeTimeoutMs = 2_000;
const probeTimeoutMaxMs = 10_000;
/** Docker's defaults: `HEALTHCHECK` of the Dockerfile reference (read 2025-11-17). */
const defaults = { intervalMs: 30_000, timeoutMs: 30_000, retries: 3, startPeriodMs: 0 };

export function readHealth(
  service: Readonly<Record<string, unknown>>,
  path: string,
  ports: readonly Port[],
  report: Report,
): Health {
  const check = readCheck(service['healthcheck'], joinPath(path, 'healthcheck'), report);
  const probed =
    readProbe(service['x-flotilla'], joinPath(path, 'x-flotilla'), ports, check?.timeoutMs, report) ??
    deriveHttpProbe(check, ports);
  const liveness = check?.liveness;
  if (liveness === undefined) return { readiness: probed ?? { kind: 'running', afterMs: minReadyMs } };
  const afterMs = (liveness.initialDelaySeconds + liveness.failureThreshold * liveness.periodSeconds) * 1000;
  return { liveness, readiness: probed ?? { kind: 'running', afterMs } };
}

interface Check {
  readonly liveness: LivenessProbe;
  /** Stated by the user, not a default. */
  readonly timeoutMs?: number;
}

function readCheck(value: unknown, path: string, report: Report): Check | undefined {
  if (!isObject(value)) return undefined;
  const interval = readDurationMs(value['interval'], joinPath(path, 'interval'), report);
  const timeoutMs = readDurationMs(value['timeout'], joinPath(path, 'timeout'), report);
  const startPeriod = readDurationMs(value['start_period'], joinPath(path, 'start_period'), report);
  const retriesRange = { min: 1, max: 1000, of: 'retries' };
  const retries = readNumber(value['retries'], joinPath(path, 'retries'), retriesRange, report);
  const isDisabled = readBoolean(value['disable'], false, joinPath(path, 'disable'), report);
  const exec = isDisabled ? undefined : readTest(value['test'], joinPath(path, 'test'), report);
  if (exec === undefined) return undefined;
  const seconds = (key: string, durationMs: number, min: number): number => {
    const rounded = Math.max(min, Math.ceil(durationMs / 1000));
    if (rounded * 1000 !== durationMs) {
      report.warn(
        joinPath(path, key),
        `${formatDuration(durationMs)} becomes ${rounded}s: Azure Container Instances probes in whole seconds${min > 0 ? `, at least ${min}` : ''}.`,
        `Write \`${rounded}s\`.`,
      );
    }
    return rounded;
  };
  const liveness: LivenessProbe = {
    exec,
    initialDelaySeconds: seconds('start_period', startPeriod ?? defaults.startPeriodMs, 0),
    // Docker reads 0 as "not stated".
    periodSeconds: seconds('interval', interval || defaults.intervalMs, 1),
    failureThreshold: retries ?? defaults.retries,
    timeoutSeconds: seconds('timeout', timeoutMs || defaults.timeoutMs, 1),
  };
  return { liveness, ...(timeoutMs && { timeoutMs }) };
}

/** The words to execute; `undefined` where there is nothing to check. */
function readTest(test: unknown, path: string, report: Report): readonly string[] | undefined {
  if (test === undefined || test === null) {
    report.warn(
      path,
      'is missing, and Azure Container Instances does not read the image’s own HEALTHCHECK: the service runs without one.',
      'State `test`, or remove `healthcheck`.',
    );
    return undefined;
  }
  if (typeof test === 'string') return test.trim() === '' ? undefined : ['/bin/sh', '-c', test];
  const [form, ...words] = readStrings(test);
  if (form === 'NONE' || form === undefined) return undefined;
  if (form === 'CMD' && words.length > 0) return words;
  if (form === 'CMD-SHELL' && words.length === 1) return ['/bin/sh', '-c', ...words];
  report.refuse(
    path,
    form === 'CMD' || form === 'CMD-SHELL'
      ? `\`${form}\` needs ${form === 'CMD' ? 'words after it' : 'one text after it'}.`
      : `begins with \`${form}\`.`,
    'Write `["CMD", "program", "argument"]`, `["CMD-SHELL", "text"]`, `["NONE"]` or a text.',
  );
  return undefined;
}

/** `x-flotilla.probes.readiness`; the support table has already refused unknown keys and wrong shapes around it. */
function readProbe(
  extension: unknown,
  path: string,
  ports: readonly Port[],
  checkTimeoutMs: number | undefined,
  report: Report,
): Readiness | undefined {
  const probes = isObject(extension) ? extension['probes'] : undefined;
  const readiness = isObject(probes) ? probes['readiness'] : undefined;
  if (!isObject(readiness)) return undefined;
  const place = joinPath(path, 'probes', 'readiness');
  const { http, tcp, timeout } = readiness;
  if ((http === undefined) === (tcp === undefined)) {
    report.refuse(
      place,
      http === undefined ? 'says neither `http` nor `tcp`.' : 'has both `http` and `tcp`.',
      'Write `http: {path: /healthz, port: 80}` or `tcp: {port: 5432}`.',
    );
    return undefined;
  }
  if (timeout !== undefined && typeof timeout !== 'string') {
    report.refuse(joinPath(place, 'timeout'), 'must be a duration.', 'Write it with a unit, such as `2s`.');
  }
  const stated = readDurationMs(timeout, joinPath(place, 'timeout'), report);
  const timeoutMs = boundTimeout(stated ?? checkTimeoutMs);
  if (stated !== undefined && stated !== timeoutMs) {
    report.warn(
      joinPath(place, 'timeout'),
      `${formatDuration(stated)} becomes ${formatDuration(timeoutMs)}: a probe waits at most ${formatDuration(probeTimeoutMaxMs)}.`,
      `Write \`${formatDuration(timeoutMs)}\`.`,
    );
  }
  return http !== undefined
    ? readHttpProbe(http, joinPath(place, 'http'), ports, timeoutMs, report)
    : readTcpProbe(tcp, joinPath(place, 'tcp'), ports, timeoutMs, report);
}

const boundTimeout = (timeoutMs: number | undefined): number =>
  Math.min(timeoutMs || probeTimeoutMs, probeTimeoutMaxMs);

function readHttpProbe(
  http: unknown,
  place: string,
  ports: readonly Port[],
  timeoutMs: number,
  report: Report,
): Readiness | undefined {
  if (!isObject(http)) return http === null ? readHttpProbe({}, place, ports, timeoutMs, report) : undefined;
  const port = readProbePort(http['port'], joinPath(place, 'port'), ports, report);
  const path = http['path'] ?? '/';
  if (typeof path !== 'string' || !/^\/[\x21-\x7e]*$/.test(path)) {
    report.refuse(
      joinPath(place, 'path'),
      'must be a path of a URL.',
      'Write it with a leading slash, such as `/healthz`.',
    );
    return undefined;
  }
  const scheme = http['scheme'] ?? 'http';
  if (scheme !== 'http' && scheme !== 'https') {
    report.refuse(joinPath(place, 'scheme'), 'must be `http` or `https`.', 'Write `http` or `https`.');
    return undefined;
  }
  const expected = readExpectations(http, place, report);
  return port === undefined || expected === undefined
    ? undefined
    : { kind: 'http', path, port, scheme, timeoutMs, ...expected };
}

type Expectations = Pick<Extract<Readiness, { kind: 'http' }>, 'status' | 'headers' | 'body'>;

/** Bodies that are searched for longer texts would have to be kept whole. */
const bodyTextMax = 256;

/** What is asked beyond the path, and what counts as success; `undefined` where something is wrong with it. */
function readExpectations(
  { status, headers, body }: Readonly<Record<string, unknown>>,
  place: string,
  report: Report,
): Expectations | undefined {
  const range = status === undefined ? null : /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(String(status));
  const [min, max] = [Number(range?.[1]), Number(range?.[2] ?? range?.[1])];
  if (status !== undefined && !(min <= max)) {
    report.refuse(joinPath(place, 'status'), 'must be a status or a range of them.', 'Write `200` or `"200-299"`.');
    return undefined;
  }
  const named = headers === undefined ? {} : readHeaders(headers, joinPath(place, 'headers'), report);
  if (named === undefined) return undefined;
  if (body !== undefined && (typeof body !== 'string' || body === '' || body.length > bodyTextMax)) {
    report.refuse(
      joinPath(place, 'body'),
      `must be a text of 1 to ${bodyTextMax} characters.`,
      'Write a text that the body holds.',
    );
    return undefined;
  }
  return {
    ...(range !== null && { status: { min, max } }),
    ...(Object.keys(named).length > 0 && { headers: named }),
    ...(body !== undefined && { body: body as string }),
  };
}

/** Sorted by name, so that their order makes no revision. Those that frame the message are the prober's own. */
function readHeaders(value: unknown, place: string, report: Report): Readonly<Record<string, string>> | undefined {
  const entries = isObject(value) ? Object.entries(value) : [];
  const isFit = ([name, text]: readonly [string, unknown]): boolean =>
    /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/.test(name) &&
    typeof text === 'string' &&
    /^[\x20-\x7e]{0,512}$/.test(text) &&
    !/^(connection|content-length|transfer-encoding|upgrade)$/i.test(name);
  if (!isObject(value) || entries.length > 16 || !entries.every(isFit)) {
    report.refuse(place, 'must be at most 16 headers with their texts.', 'Write `{ Host: shop.example.com }`.');
    return undefined;
  }
  const lower = entries.map(([name, text]) => [name.toLowerCase(), String(text)] as const);
  return Object.fromEntries(lower.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function readTcpProbe(
  tcp: unknown,
  place: string,
  ports: readonly Port[],
  timeoutMs: number,
  report: Report,
): Readiness | undefined {
  if (!isObject(tcp)) return tcp === null ? readTcpProbe({}, place, ports, timeoutMs, report) : undefined;
  const port = readProbePort(tcp['port'], joinPath(place, 'port'), ports, report);
  return port === undefined ? undefined : { kind: 'tcp', port, timeoutMs };
}

/** Only declared ports of a group answer from outside it. */
function readProbePort(value: unknown, place: string, ports: readonly Port[], report: Report): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') {
    report.refuse(place, 'must be the number of a port.', 'Write the port that the container listens on.');
    return undefined;
  }
  const port = readPort(value, place, report);
  if (port === undefined || isDeclared(port, ports)) return port;
  report.error(
    place,
    `the service does not declare TCP port ${port}, so nothing outside its group can reach it.`,
    `Add \`"${port}"\` to \`ports\` or \`expose\`.`,
  );
  return undefined;
}

const isDeclared = (port: number, ports: readonly Port[]): boolean =>
  ports.some((declared) => declared.port === port && declared.protocol === 'TCP');

/**
 * Flags that change neither what is asked nor what counts as success, alone or with a value behind. curl must be told to fail on an error
 * status, otherwise it asks only whether anything answers.
 */
const clients = {
  curl: {
    plain: /^(-[fsSLI]+|--fail|--silent|--show-error|--location|--head|--(max-time|connect-timeout|retry)=\d+)$/,
    valued: /^(-[fsSLI]*[om]|--output|--max-time|--connect-timeout|--retry)$/,
    required: /^(-[sSLI]*f\w*|--fail)$/,
  },
  wget: {
    plain: /^(-q|-nv|--quiet|--no-verbose|--spider|-q?O-|-q?O\/dev\/null|--(tries|timeout)=\d+)$/,
    valued: /^(-q?[OTt]|--output-document|--tries|--timeout)$/,
    required: /^/,
  },
} as const;
const localUrl = /^(?:http:\/\/)?(?:localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0)(?::(\d{1,5}))?(\/[\x21-\x7e]*)?$/;

/** `wget -qO- localhost`, `curl -f http://localhost:8080/health || exit 1` and the like, of a declared port; anything cleverer is left to ACI. */
function deriveHttpProbe(check: Check | undefined, ports: readonly Port[]): Readiness | undefined {
  const words = plainWords(check?.liveness.exec ?? []);
  const program = words[0]?.split('/').at(-1);
  if (program !== 'curl' && program !== 'wget') return undefined;
  const { plain, valued, required } = clients[program];
  if (!words.some((word) => required.test(word))) return undefined;
  let url: RegExpExecArray | undefined;
  for (let index = 1; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const match = localUrl.exec(word);
    if (match !== null && url === undefined) url = match;
    else if (valued.test(word)) index += 1;
    else if (!plain.test(word)) return undefined;
  }
  const port = Number(url?.[1] ?? 80);
  if (url === undefined || !isDeclared(port, ports)) return undefined;
  return { kind: 'http', path: url[2] ?? '/', port, scheme: 'http', timeoutMs: boundTimeout(check?.timeoutMs) };
}

/** The words of one simple command, also where a shell runs it with `|| exit 1` behind; none where a shell would do more. */
function plainWords(exec: readonly string[]): readonly string[] {
  if (exec[0] !== '/bin/sh' && exec[0] !== 'sh') return exec;
  const [, flag, script] = exec;
  if (flag !== '-c' || script === undefined || exec.length !== 3) return [];
  const simple = script
    .trim()
    .replace(/\s*\|\|\s*(exit \d+|false)$/, '')
    .replace(/\s*(>|1>|2>|&>)\s*\/dev\/null|\s*2>&1/g, '');
  return /[|&;<>$`(){}*?#\n]/.test(simple) ? [] : (splitWords(simple) ?? []);
}
