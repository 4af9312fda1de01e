/** `flotilla exec APP.SERVICE[.SLOT] -- PROGRAM`: a terminal inside a running replica. */
import type { ExecResource } from '../../model/api.ts';
import { isLoopback, localAccess } from '../api-key.ts';
import type { Session, Surroundings } from '../context.ts';
import { type Place, readKeys } from '../escape.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { InvocationOf } from '../invocation.ts';
import { failWith, openSession } from '../session.ts';
import type { Connection } from '../web-socket.ts';

type Options = InvocationOf<'exec'>;

export async function exec(surroundings: Surroundings, options: Options): Promise<ExitCode> {
  const opened = await openSession(surroundings, options);
  if (!opened.ok) return opened.error;
  const session = opened.value;
  const { target, container, program } = options;
  const size = session.keyboard.size();
  const given = await session.client.exec(target.app, {
    service: target.service,
    ...(target.slot !== null && { slot: target.slot }),
    ...(container !== null && { container }),
    command: program,
    ...(size !== null && { terminalSize: size }),
  });
  if (!given.ok) return failWith(session, given.error);
  const replica = `${target.app}.${given.value.service}.${given.value.slot}`;
  if (given.value.state !== 'ready') session.terminal.note(`${replica} is ${given.value.state}.`);
  const connected = await connect(session, given.value);
  if (typeof connected === 'string') {
    session.terminal.note(`error: the terminal of ${replica} cannot be reached: ${connected}`);
    return exitCodes.failed;
  }
  connected.say(given.value.password);
  return await converse(session, connected, replica);
}

/** A text says why not. The password opens a shell: it travels over TLS or to this machine alone. */
async function connect(session: Session, { webSocketUri }: ExecResource): Promise<Connection | string> {
  const uri = URL.parse(webSocketUri);
  const isLocal = uri !== null && isLoopback(uri.hostname);
  if (uri === null || !(uri.protocol === 'wss:' || (uri.protocol === 'ws:' && isLocal)))
    return `its address is not one of wss://: ${webSocketUri}.`;
  const ca = isLocal ? (await localAccess(session, session.api))?.ca : undefined;
  const pem = ca === undefined ? undefined : await session.readFile(ca).catch(() => undefined);
  const connection = await session.dial(webSocketUri, { ca: pem ?? null });
  return connection.ok ? connection.value : `${connection.error}.`;
}

const [newline, endOfInput] = [10, 4] as const;

/** Joins the user's terminal, or what is piped in, with the program's until that ends. */
async function converse(session: Session, connection: Connection, replica: string): Promise<ExitCode> {
  const { keyboard, terminal, interrupted } = session;
  let left: 'escape' | 'interrupt' | 'hangup' | null = null;
  const leave = (why: NonNullable<typeof left>): void => {
    left ??= why;
    connection.close();
  };
  const type = typist(connection, keyboard.isTerminal ? () => leave('escape') : null);
  const listening = keyboard.listen(
    type.keys,
    // A window that was closed; what is piped in ends as a keyboard tells it.
    () => (keyboard.isTerminal ? leave('hangup') : void type.end()),
  );
  const interrupt = (): void => leave('interrupt');
  interrupted.addEventListener('abort', interrupt);
  if (interrupted.aborted) interrupt();
  try {
    for await (const bytes of connection.received) await keyboard.show(bytes);
  } finally {
    interrupted.removeEventListener('abort', interrupt);
    listening.end();
  }
  if (left === 'interrupt') return exitCodes.interrupted;
  if (left !== null) {
    terminal.note(`Disconnected; the program in ${replica} may go on.`);
    return exitCodes.failed;
  }
  return sayEnd(session, connection.ended(), replica);
}

interface Typist {
  keys(typed: Uint8Array): Promise<void>;
  /** Ctrl-D, at the beginning of a line: elsewhere it would only hand over what is typed. */
  end(): Promise<void>;
}

/** @param onEscape null: nobody types, so that `~.` is text like any other. */
function typist(connection: Connection, onEscape: (() => void) | null): Typist {
  let place: Place = 'lineStart';
  let last: number = newline;
  return {
    async keys(typed) {
      const read = onEscape === null ? { keys: typed, place, leaves: false } : readKeys(typed, place);
      place = read.place;
      last = read.keys.at(-1) ?? last;
      if (read.keys.length > 0) await connection.send(read.keys);
      if (read.leaves) onEscape?.();
    },
    end: () => connection.send(Uint8Array.from(last === newline ? [endOfInput] : [newline, endOfInput])),
  };
}

/** The service ends with a close frame of its own; its codes are not published, but these two are refusals by any reading. */
function sayEnd(
  { terminal }: Session,
  { code, reason }: { readonly code: number; readonly reason: string },
  replica: string,
): ExitCode {
  const why = refusals[code];
  if (why === undefined) return exitCodes.ok;
  terminal.note(`error: ${why(replica)}${reason === '' ? '' : ` (${reason})`}.`);
  return exitCodes.failed;
}

const refusals: Readonly<Record<number, (replica: string) => string>> = {
  1006: (replica) => `the connection to ${replica} was lost; its program may go on`,
  1008: (replica) => `ACI turned the connection to ${replica} away`,
  1011: (replica) => `ACI could not go on with the terminal of ${replica}`,
};
