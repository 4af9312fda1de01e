/** Terminals inside containers, as the API and ARM describe them. */

/** In characters. */
export interface TerminalSize {
  readonly rows: number;
  readonly cols: number;
}
