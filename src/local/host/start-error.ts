/** Why the host cannot start, as data: every problem of one start is collected, so that a user mends them all at once. */

export interface StartProblem {
  /** Where: a file with a path inside it (`host.json: extensions.http.hsts`) or `function "name"`. */
  readonly path: string;
  readonly problem: string;
  /** What the user can do. */
  readonly remedy: string;
}

/** The host did not start. The message lists every problem with its remedy. */
export class HostStartError extends Error {
  readonly problems: readonly StartProblem[];

  constructor(problems: readonly StartProblem[], options?: ErrorOptions) {
    super(problems.map((p) => `${p.path}: ${p.problem} — ${p.remedy}`).join('\n'), options);
    this.name = 'HostStartError';
    this.problems = problems;
  }
}
