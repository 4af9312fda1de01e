/** What `resolve.ts` is told: files, variables, profiles, and how to read. */
export interface ResolveOptions {
  /**
   * The Compose file, relative to the working directory, or several that are merged in order; default: the first of
   * `defaultFileNames` in the project directory, and the first of `overrideFileNames` beside it.
   */
  readonly path?: string | readonly string[];
  /** Where `.env` lies, and what an app without a name is called after. */
  readonly projectDirectory: string;
  /** The shell's variables; they win over `.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `--profile`; where empty, `COMPOSE_PROFILES` counts. */
  readonly profiles: readonly string[];
  /** `--name`; wins over `COMPOSE_PROJECT_NAME`, which wins over `name:` in the file. */
  readonly name?: string;
  /** Text of a file, `undefined` where there is none; may reject for any other reason. */
  readonly readFile: (path: string) => Promise<string | undefined>;
  /** The same as bytes, for secrets and configs, which need not be text; default: what `readFile` gives. */
  readonly readBytes?: (path: string) => Promise<Uint8Array | undefined>;
}
