/** Exit codes of `flotilla`; scripts rely on them. */
export const exitCodes = {
  ok: 0,
  /** The command was understood and did not succeed; the reason was printed. */
  failed: 1,
  /** The arguments or the Compose file are wrong; nothing was sent or stored. */
  invalid: 2,
  /** Done as far as it goes, with a warning that matters: the app is frozen. */
  warned: 3,
  /** `--timeout` passed; the operation goes on. */
  timeout: 4,
  /** The API does not answer. */
  unreachable: 5,
  /** `plan --exit-code`: there are changes. */
  changes: 6,
  /** `run`: nobody can tell the exit code of its program. As of `docker run`. */
  unknown: 125,
  /** Ctrl-C; the operation goes on, but a run is ended. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
