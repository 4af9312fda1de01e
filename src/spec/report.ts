/** Collects the problems of one document: all at once, each place once, in an order that does not depend on who looked first. */

import type { Problem } from '../model/problem.ts';
import { compareText, isWithin } from './json.ts';

export interface Report {
  /** Something is wrong at `path`; further rules about the same place still speak. */
  error(path: string, problem: string, remedy: string): void;
  /** As `error`, and what others say from then on about `path` or its members is dropped as an echo: a value of the wrong type breaks every rule. */
  refuse(path: string, problem: string, remedy: string): void;
  /** An error whose place is known to be elsewhere than `path`: a line of an env file. */
  errorAt(
    path: string,
    problem: string,
    remedy: string,
    place: Required<Pick<Problem, 'file' | 'line' | 'column'>>,
  ): void;
  warn(path: string, problem: string, remedy: string): void;
  hasErrors(): boolean;
  /** Sorted by path (list positions as numbers), then by file and line, errors first, then by text. */
  problems(): readonly Problem[];
}

export function createReport(): Report {
  const found = new Map<string, Problem>();
  const refused: string[] = [];
  const say = (severity: Problem['severity']) => (path: string, problem: string, remedy: string) => {
    if (refused.some((ancestor) => isWithin(path, ancestor))) return;
    found.set(JSON.stringify([severity, path, problem]), { severity, path, problem, remedy });
  };
  const error = say('error');
  return {
    error,
    errorAt: (path, problem, remedy, place) => {
      const key = JSON.stringify([path, problem, place.file, place.line]);
      found.set(key, { severity: 'error', path, problem, remedy, ...place });
    },
    warn: say('warning'),
    refuse: (path, problem, remedy) => {
      error(path, problem, remedy);
      refused.push(path);
    },
    hasErrors: () => [...found.values()].some((problem) => problem.severity === 'error'),
    problems: () => [...found.values()].sort(compareProblems),
  };
}

export const compareProblems = (left: Problem, right: Problem): number =>
  compareText(sortablePath(left.path), sortablePath(right.path)) ||
  compareText(left.file ?? '', right.file ?? '') ||
  (left.line ?? 0) - (right.line ?? 0) ||
  compareText(left.severity, right.severity) ||
  compareText(left.problem, right.problem);

/** `ports[10]` must follow `ports[9]`. */
const sortablePath = (path: string): string =>
  path.replace(/\[(\d+)\]/g, (_, digits: string) => `[${digits.padStart(9, '0')}]`);
