/** Where the CLI writes. On a terminal a status block is redrawn below the lines that scroll by; in a pipe there are only lines. */
export interface Terminal {
  /** Lines may have colours: standard output is a terminal and NO_COLOR is not set (no-color.org). */
  readonly colours: boolean;
  /** Result lines, to stdout. */
  line(text: string): void;
  /** Warnings and errors, to stderr. */
  note(text: string): void;
  /** Replaces the status block; nothing in a pipe. */
  status(lines: readonly string[]): void;
}

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export function createTerminal(
  out: Stream,
  errors: Stream,
  environment: Readonly<Record<string, string | undefined>> = {},
): Terminal {
  const isLive = out.isTTY === true;
  let drawn: readonly string[] = [];
  const erase = () => {
    if (drawn.length > 0) out.write(`\r\u001b[${drawn.length}A\u001b[0J`);
  };
  const draw = (lines: readonly string[]) => {
    const width = (out.columns ?? 80) - 1;
    // What has scrolled out of sight could not be erased again.
    drawn = lines
      .slice(-Math.max(1, (out.rows ?? 24) - 1))
      .map((line) => (line.length > width ? `${line.slice(0, width - 1)}…` : line));
    for (const line of drawn) out.write(`${line}\n`);
  };
  const above = (write: () => void) => {
    const block = drawn;
    erase();
    drawn = [];
    write();
    draw(block);
  };
  return {
    colours: isLive && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb',
    line: (text) => above(() => out.write(`${text}\n`)),
    note: (text) => above(() => errors.write(`${text}\n`)),
    status(lines) {
      if (!isLive) return;
      erase();
      draw(lines);
    },
  };
}
