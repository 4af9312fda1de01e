/** What a command is given: everything outside of it, so that it runs in a test without process, network or clock. */
import type { ApiClient } from '../client/client.ts';
import type { FaultConsole } from '../client/fault-console.ts';
import type { Keyboard } from './keyboard.ts';
import type { Terminal } from './terminal.ts';
import type { Dial } from './web-socket.ts';

/** The surroundings of one run of `flotilla`. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Absolute; file names are relative to it. */
  readonly workingDirectory: string;
  /** Text of a file, of standard input for `-`; `undefined` where there is no such file. Rejects for any other reason. */
  readonly readFile: (path: string) => Promise<string | undefined>;
  /** The same as bytes: secrets need not be text. */
  readonly readBytes: (path: string) => Promise<Uint8Array | undefined>;
  /** Replaces a file, or makes it with its directories, so that only the user can read it. */
  readonly writePrivateFile: (path: string, text: string) => Promise<void>;
  /** Absolute; what belongs to the user is below it. */
  readonly homeDirectory: string;
  /** @param baseUrl without `/api/v1`. */
  readonly connect: (baseUrl: string, key: string | undefined) => ApiClient;
  /** @param baseUrl without `/control`. */
  readonly connectConsole: (baseUrl: string) => FaultConsole;
  /** Whether something answers at `http://…`, `https://…` or `tcp://…`, seen from here. */
  readonly knock: (address: string) => Promise<Answer>;
  readonly terminal: Terminal;
  /** What is typed or piped in, and where a program of another machine shows what it prints. */
  readonly keyboard: Keyboard;
  /** Connects to a websocket. */
  readonly dial: Dial;
  /** Epoch ms. */
  readonly now: () => number;
  /** Ends early when interrupted. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** Another process started this one and ends it, at Ctrl-C too. */
  readonly isSupervised: boolean;
  /** A fresh Idempotency-Key. */
  readonly newKey: () => string;
}

/** `detail`: what answered (`HTTP 200`), or why nothing did (`connection refused`). */
export interface Answer {
  readonly answers: boolean;
  readonly detail: string;
}

/** The surroundings of a command that talks to the API. */
export interface Session extends Surroundings {
  readonly client: ApiClient;
  /** Without `/api/v1`. */
  readonly api: string;
  /** What must be added to another call to reach the same API: ` --api URL`, ` --context NAME` or nothing. */
  readonly apiOption: string;
}
