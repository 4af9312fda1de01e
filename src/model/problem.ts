/** What is wrong with something a user wrote: where, what, and what to do about it. All problems of a document are reported at once. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** Place in the document in JSONPath-like dots, `services.web.ports[0]`; `` for the document itself. */
  readonly path: string;
  /** One sentence: what is wrong. */
  readonly problem: string;
  /** One sentence: what to write instead. */
  readonly remedy: string;
  /** Source file as the user named it, with 1-based line and column, where the document came from a file. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export const isError = (problem: Problem): boolean => problem.severity === 'error';
