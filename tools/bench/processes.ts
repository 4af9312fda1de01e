/** What a process and all its descendants use, from Linux's /proc. */
import { readFileSync } from 'node:fs';

export interface Usage {
  /** Resident set, shared pages counted in each process that maps them. */
  readonly rssMiB: number;
  /** User and system time since the processes began. */
  readonly cpuMs: number;
}

/** Resolution of the times in /proc/PID/stat: USER_HZ, 100 per second on every Linux that Node runs on. */
const tickMs = 10;

/** @throws Error where there is no /proc. */
export function usageOfTree(pid: number): Usage {
  return treeOf(pid)
    .map(usageOf)
    .reduce((sum, one) => ({ rssMiB: sum.rssMiB + one.rssMiB, cpuMs: sum.cpuMs + one.cpuMs }));
}

function treeOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return [pid, ...children.flatMap((child) => treeOf(Number(child)))];
}

function usageOf(pid: number): Usage {
  const rssKiB = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  // The name of the command stands in parentheses and may hold anything; utime and stime are the 12th and 13th fields after it.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return { rssMiB: Number(rssKiB ?? 0) / 1024, cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs };
}
