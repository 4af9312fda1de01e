/** The programs a health check may call. Each answers from the group's model: which port listens, what it answers, which file exists. Pure. */
import type { ExecResult, Inside } from '../aci/containers-port.ts';

export type Program = (args: readonly string[], inside: Inside, input: string, timeoutMs: number) => ExecResult;

const done = (exitCode: number, output = '', tookMs = 0): ExecResult => ({ exitCode, output, tookMs });
const LOCAL = new Set(['localhost', '127.0.0.1', '0.0.0.0', '[::1]', '::1']);

/** Longer than any probe waits: what hangs. */
const FOR_EVER_MS = 24 * 3_600_000;

export const PROGRAMS: Readonly<Record<string, Program>> = {
  true: () => done(0),
  ':': () => done(0),
  false: () => done(1),
  echo: (args) => done(0, `${args.join(' ')}\n`),
  sleep: ([seconds]) => done(0, '', seconds === 'infinity' ? FOR_EVER_MS : Number.parseFloat(seconds ?? '0') * 1000),
  cat,
  ls: (_args, inside) => done(0, inside.files.map((path) => `${path}\n`).join('')),
  pwd: () => done(0, '/\n'),
  whoami: () => done(0, 'root\n'),
  hostname: (_args, inside) => done(0, `${inside.hostname}\n`),
  env: (_args, inside) => done(0, environment(inside)),
  printenv: ([name], inside) => printenv(name, inside),
  test: (args, inside) => test(args, inside),
  '[': (args, inside) => test(args.slice(0, -1), inside),
  grep,
  wget: (args, inside) => download('wget', args, inside),
  curl: (args, inside) => download('curl', args, inside),
  nc: netcat,
  netcat,
  ncat: netcat,
  'redis-cli': (args, inside) =>
    ask('redis-cli', port(args, '-p', 6379), inside, args.at(-1) === 'ping' ? 'PONG\n' : ''),
  'valkey-cli': (args, inside) =>
    ask('valkey-cli', port(args, '-p', 6379), inside, args.at(-1) === 'ping' ? 'PONG\n' : ''),
  pg_isready: (args, inside) => {
    const at = port(args, '-p', 5432);
    const answer = ask('pg_isready', at, inside, `:${at} - accepting connections\n`);
    return answer.exitCode === 0 ? answer : { ...answer, exitCode: 2, output: `:${at} - no response\n` };
  },
  mysqladmin: (args, inside) => ask('mysqladmin', port(args, '-P', 3306), inside, 'mysqld is alive\n'),
  'rabbitmq-diagnostics': (_args, inside) => ask('rabbitmq-diagnostics', 5672, inside, 'Ping succeeded\n'),
};

const environment = (inside: Inside): string =>
  Object.entries(inside.environment)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');

function printenv(name: string | undefined, inside: Inside): ExecResult {
  if (name === undefined) return done(0, environment(inside));
  const value = inside.environment[name];
  return value === undefined ? done(1) : done(0, `${value}\n`);
}

function cat(args: readonly string[], inside: Inside): ExecResult {
  const missing = args.find((path) => !inside.files.includes(path));
  return missing === undefined ? done(0) : done(1, `cat: ${missing}: No such file or directory`);
}

function test(args: readonly string[], inside: Inside): ExecResult {
  const [operator = '', path = ''] = args;
  if (['-f', '-e', '-r'].includes(operator)) return done(inside.files.includes(path) ? 0 : 1);
  if (operator === '-n') return done(path === '' ? 1 : 0);
  if (operator === '-z') return done(path === '' ? 0 : 1);
  return done(2, `test: ${operator}: not supported by the stand-in`);
}

function grep(args: readonly string[], _inside: Inside, input: string): ExecResult {
  const words = args.filter((arg) => !arg.startsWith('-'));
  const [pattern = ''] = words;
  const flags = args.some((arg) => /^-[a-z]*i/.test(arg)) ? 'i' : '';
  const literal = args.some((arg) => /^-[a-z]*F/.test(arg));
  let expression: RegExp;
  try {
    expression = new RegExp(literal ? pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : pattern, flags);
  } catch {
    return done(2, 'grep: invalid pattern');
  }
  const found = input.split('\n').filter((line) => line !== '' && expression.test(line));
  return found.length > 0 ? done(0, `${found.join('\n')}\n`) : done(1);
}

/** Exit codes from the tools' manuals. */
const DOWNLOAD_CODES = {
  wget: { usage: 1, host: 4, refused: 4, timedOut: 4, garbage: 1, status: 8 },
  curl: { usage: 3, host: 6, refused: 7, timedOut: 28, garbage: 52, status: 22 },
} as const;

/** Options that take the next word as their value. */
const VALUED = {
  wget: /^(-[OTtU]|--(timeout|tries|output-document))$/,
  curl: /^(-[omXHdwAu]|--(max-time|connect-timeout|output|request|header|retry|data|user))$/,
} as const;

function download(tool: 'wget' | 'curl', args: readonly string[], inside: Inside): ExecResult {
  const codes = DOWNLOAD_CODES[tool];
  const address = args.find((arg, index) => !arg.startsWith('-') && !VALUED[tool].test(args[index - 1] ?? ''));
  const url = address === undefined ? undefined : parseUrl(address);
  if (!url) return done(codes.usage, `${tool}: bad address`);
  if (!LOCAL.has(url.host)) return done(codes.host, `${tool}: bad address '${url.host}'`);
  const reached = inside.reach(url.port);
  switch (reached.kind) {
    case 'refused':
      return done(codes.refused, `${tool}: can't connect to remote host (127.0.0.1:${url.port}): Connection refused`);
    case 'silent':
      return done(codes.timedOut, `${tool}: download timed out`, FOR_EVER_MS);
    case 'tcp':
      return done(codes.garbage, `${tool}: error getting response`);
    case 'http': {
      const { status, delayMs } = reached;
      if (status >= 400 && minds(tool, args))
        return done(codes.status, `${tool}: server returned error: HTTP/1.1 ${status}`, delayMs);
      return done(0, `{"status":${status}}\n`, delayMs);
    }
  }
}

/** curl is content with an error page unless told otherwise. */
function minds(tool: 'wget' | 'curl', args: readonly string[]): boolean {
  return tool === 'wget' || args.some((arg) => arg === '--fail' || /^-[a-zA-Z]*f/.test(arg));
}

function parseUrl(address: string): { host: string; port: number } | undefined {
  const match = /^(?:(https?):\/\/)?(\[[^\]]+\]|[^/:]+)(?::(\d+))?(?:\/.*)?$/.exec(address);
  if (!match) return undefined;
  return { host: match[2] ?? '', port: match[3] === undefined ? (match[1] === 'https' ? 443 : 80) : Number(match[3]) };
}

function netcat(args: readonly string[], inside: Inside): ExecResult {
  const words = args.filter((arg, index) => !arg.startsWith('-') && !/^-[a-z]*w$/.test(args[index - 1] ?? ''));
  const [host = '', at = ''] = words;
  if (!LOCAL.has(host)) return done(1, `nc: bad address '${host}'`);
  const reached = inside.reach(Number(at));
  return reached.kind === 'refused' ? done(1, `nc: ${host} (127.0.0.1:${at}): Connection refused`) : done(0);
}

/** A client of a TCP server: content when the port is open and the process answers. */
function ask(tool: string, at: number, inside: Inside, answer: string): ExecResult {
  const reached = inside.reach(at);
  if (reached.kind === 'silent') return done(1, `${tool}: timed out`, FOR_EVER_MS);
  if (reached.kind === 'tcp') return done(0, answer);
  return done(1, `${tool}: could not connect to 127.0.0.1:${at}: Connection refused`);
}

function port(args: readonly string[], flag: string, fallback: number): number {
  const index = args.indexOf(flag);
  return index < 0 ? fallback : Number(args[index + 1]);
}
