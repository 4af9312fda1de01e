/**
 * `exec` and `attach`: the ARM half of them. A call is answered with where to connect and with what password; whoever has sockets (`world/terminals.ts`)
 * comes back with both and is told once what the connection is for. The password is made from a key and the session's id: the core draws no random numbers.
 */
import { createHash, createHmac } from 'node:crypto';
import type { CoreResponse } from '../core.ts';
import type { Call } from './call.ts';
import { type ArmError, armError, badRequest, json } from './errors.ts';
import { isObject } from './json.ts';
import type { ContainerRecord, GroupRecord } from './model.ts';
import { API_VERSION } from './routes.ts';
import type { AciStore } from './store.ts';

export interface TerminalSize {
  readonly rows: number;
  readonly cols: number;
}

/** One run of one container: whatever looks at it sees its end, and never its successor. */
export interface RunningContainer {
  readonly groupKey: string;
  /** Tells the group from an earlier one of the same id. */
  readonly uid: string;
  readonly container: string;
  /** Ordinal of the run of a real container; 0 for a modelled one. */
  readonly run: number;
  /** Epoch ms. */
  readonly startedAt: number;
}

export type TerminalSession = RunningContainer &
  (
    | { readonly kind: 'exec'; readonly command: string; readonly size: TerminalSize }
    /** What the container prints. */
    | { readonly kind: 'attach' }
  );

interface Issued {
  readonly session: TerminalSession;
  readonly expiresAt: number;
}

/** How long a session waits for its connection, in ms; the service's own time is not published. */
const SESSION_WAITS_MS = 300_000;
/** What a terminal of nobody's choosing measures; the fields are optional in the REST model. */
const SIZE_DEFAULT: TerminalSize = { rows: 24, cols: 80 };

/** Sessions live in memory: a world that restarts has ended every connection anyway. */
const SESSIONS = 'terminals';
const sessionsOf = (store: AciStore): Map<string, Issued> => {
  const known = store.volatile.get(SESSIONS) as Map<string, Issued> | undefined;
  if (known) return known;
  const sessions = new Map<string, Issued>();
  store.volatile.set(SESSIONS, sessions);
  return sessions;
};

/** POST …/exec. One program and nothing else: a blank is a part of its name. Source: "execute a command" page; azure-cli#10039 (read 2026-11). */
export function executeCommand(store: AciStore, key: string, call: Call, group: GroupRecord): CoreResponse | ArmError {
  const request = parse(call.body);
  const command = request?.['command'];
  if (typeof command !== 'string' || command === '') {
    return badRequest(
      'InvalidExecCommand',
      'The command is required: give the path of one program, without arguments.',
    );
  }
  const given = isObject(request?.['terminalSize']) ? request['terminalSize'] : {};
  const size = { rows: given['rows'] ?? SIZE_DEFAULT.rows, cols: given['cols'] ?? SIZE_DEFAULT.cols };
  if (!isLength(size.rows) || !isLength(size.cols)) {
    return badRequest(
      'InvalidTerminalSize',
      'The rows and cols of terminalSize must be whole numbers from 1 to 65535.',
    );
  }
  const { rows, cols } = size as TerminalSize;
  return open(store, key, call, group, (running) => ({ ...running, kind: 'exec', command, size: { rows, cols } }));
}

/** POST …/attach. */
export function attachOutput(store: AciStore, key: string, call: Call, group: GroupRecord): CoreResponse | ArmError {
  return open(store, key, call, group, (running) => ({ ...running, kind: 'attach' }));
}

function open(
  store: AciStore,
  key: string,
  call: Call,
  group: GroupRecord,
  sessionOf: (running: RunningContainer) => TerminalSession,
): CoreResponse | ArmError {
  const name = call.route.container ?? '';
  const container = group.containers.find((one) => one.name === name);
  if (!container) return containerNotFound(group.name, name);
  const running = runOf(group, container);
  if (!running) {
    return armError(
      409,
      'ContainerNotRunning',
      `The container '${name}' in container group '${group.name}' is not running; its state is '${container.current.state}'.`,
    );
  }
  const session = sessionOf(running);
  const id = issue(store, session, call.now);
  const path = session.kind === 'exec' ? `/exec/${id}` : `/logstream/sessionId/${id}`;
  const size = session.kind === 'exec' ? `rows=${session.size.rows}&cols=${session.size.cols}&` : '';
  return json(200, {
    webSocketUri: `${call.origin.replace(/^http/, 'ws')}${path}?${size}api-version=${API_VERSION}`,
    password: passwordOf(key, id),
  });
}

function issue(store: AciStore, session: TerminalSession, now: number): string {
  const sessions = sessionsOf(store);
  for (const [id, { expiresAt }] of sessions) if (expiresAt <= now) sessions.delete(id);
  const sequence = Number(store.volatile.get('terminalSequence') ?? 0) + 1;
  store.volatile.set('terminalSequence', sequence);
  const id = createHash('sha256')
    .update(`${session.groupKey}\n${session.container}\n${now}\n${sequence}`)
    .digest('hex')
    .slice(0, 32);
  sessions.set(id, { session, expiresAt: now + SESSION_WAITS_MS });
  return id;
}

const passwordOf = (key: string, id: string): string => createHmac('sha256', key).update(id).digest('base64url');

/** Hands the session out once. Undefined: unknown, expired, taken, of the other kind, or another password. */
export function claimTerminal(
  store: AciStore,
  key: string,
  asked: { readonly id: string; readonly kind: TerminalSession['kind']; readonly password: string },
  now: number,
): TerminalSession | undefined {
  const sessions = sessionsOf(store);
  const issued = sessions.get(asked.id);
  if (!issued || issued.session.kind !== asked.kind || asked.password !== passwordOf(key, asked.id)) return undefined;
  sessions.delete(asked.id);
  return issued.expiresAt > now ? issued.session : undefined;
}

/** Undefined when the container does not run. */
export function runOf(group: GroupRecord, container: ContainerRecord): RunningContainer | undefined {
  const { current, name, run } = container;
  if (current.state !== 'Running') return undefined;
  return { groupKey: group.key, uid: group.uid, container: name, run, startedAt: current.startedAt };
}

export function containerNotFound(group: string, container: string): ArmError {
  return armError(
    404,
    'ContainerNotFound',
    `The container '${container}' in container group '${group}' was not found.`,
  );
}

const isLength = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535;

function parse(body: string) {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
