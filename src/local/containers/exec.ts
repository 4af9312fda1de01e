/**
 * Runs the commands that health checks are made of, against the group's model instead of a process. It knows a handful of programs
 * (`CATALOGUE.md`); any other exits 127, as in an image that lacks it. Pure; never throws.
 */
import type { ExecResult, Inside } from '../aci/containers-port.ts';
import { PROGRAMS } from './programs.ts';
import { type Pipeline, parseScript } from './shell.ts';

export function execute(command: readonly string[], inside: Inside, timeoutMs: number): ExecResult {
  return run(command, inside, '', timeoutMs);
}

const SHELLS: readonly string[] = ['sh', 'bash', 'ash', 'dash'];
const nameOf = (path: string): string => path.split('/').at(-1) ?? '';

export const isShell = (path: string): boolean => SHELLS.includes(nameOf(path));

/** Can it be started at all? */
export const isProgram = (path: string): boolean => isShell(path) || Object.hasOwn(PROGRAMS, nameOf(path));

function run(command: readonly string[], inside: Inside, input: string, timeoutMs: number): ExecResult {
  const [path = '', ...args] = command;
  const name = nameOf(path);
  if (isShell(path)) return runShell(args, inside, timeoutMs);
  const program = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
  if (!program) return { exitCode: 127, output: `${name}: command not found`, tookMs: 0 };
  return program(args, inside, input, timeoutMs);
}

function runShell(args: readonly string[], inside: Inside, timeoutMs: number): ExecResult {
  const flag = args.findIndex((arg) => /^-[a-z]*c$/.test(arg));
  const script = flag < 0 ? undefined : args[flag + 1];
  if (script === undefined) return { exitCode: 127, output: 'sh: only -c is supported', tookMs: 0 };
  const parsed = parseScript(script);
  if (typeof parsed === 'string') return { exitCode: 127, output: `sh: ${parsed}`, tookMs: 0 };
  let last: ExecResult = { exitCode: 0, output: '', tookMs: 0 };
  for (const { when, pipeline } of parsed) {
    if (when === 'success' && last.exitCode !== 0) continue;
    if (when === 'failure' && last.exitCode === 0) continue;
    const exit = exitOf(pipeline, last.exitCode);
    if (exit !== undefined) return { ...last, exitCode: exit };
    const result = runPipeline(pipeline, inside, timeoutMs);
    last = { ...result, output: last.output + result.output, tookMs: last.tookMs + result.tookMs };
  }
  return last;
}

/** `exit` ends the script; without a number, with the last command's code. */
function exitOf(pipeline: Pipeline, lastCode: number): number | undefined {
  const [first] = pipeline.commands;
  if (pipeline.commands.length !== 1 || first?.[0] !== 'exit') return undefined;
  return first[1] === undefined ? lastCode : Number(first[1]) & 255;
}

function runPipeline(pipeline: Pipeline, inside: Inside, timeoutMs: number): ExecResult {
  let result: ExecResult = { exitCode: 0, output: '', tookMs: 0 };
  let tookMs = 0;
  for (const command of pipeline.commands) {
    result = run(command, inside, result.output, timeoutMs);
    tookMs = Math.max(tookMs, result.tookMs);
  }
  const exitCode = pipeline.negated ? Number(result.exitCode === 0) : result.exitCode;
  return { exitCode, output: result.output, tookMs };
}
