/** Commands over a real store in this process: a clock that only sleeping moves, ids that count, and records of what was sent, started and logged. */
import type { ExecPorts } from '../../src/commands/http/exec.ts';
import type { LogPorts } from '../../src/commands/http/logs.ts';
import type { WhyPorts } from '../../src/commands/http/why.ts';
import type { Incoming } from '../../src/commands/incoming.ts';
import type { CommandPorts } from '../../src/commands/ports.ts';
import { defaults } from '../../src/model/defaults.ts';
import { ok, type Result } from '../../src/model/result.ts';
import type { Observation } from '../../src/model/snapshot.ts';
import type { Reply } from '../../src/ports/command-bus.ts';
import type { ExecQuery, ExecSession } from '../../src/ports/container-groups.ts';
import type { PortError } from '../../src/ports/errors.ts';
import type { Workflows } from '../../src/ports/workflows.ts';
import { aPool, at } from './rows.ts';
import { secretsFixture } from './secrets-fixture.ts';
import { type TableFixture, tableFixture } from './table-fixture.ts';

export interface CommandFixture extends TableFixture {
  readonly ports: CommandPorts & LogPorts & ExecPorts & WhyPorts;
  /** What a look at a replica shows, by the name of its container group; missing where nothing is said. */
  readonly looks: Map<string, Observation>;
  /** What ARM answers to a read of the logs of a container group, by its name; what was asked is in `logReads`. */
  readonly groupLogs: Map<string, Result<string, PortError>>;
  readonly logReads: { readonly group: string; readonly container: string; readonly tail: number }[];
  /** What ARM was asked for a terminal, and what it answers. */
  readonly execs: { readonly group: string; readonly container: string; readonly query: ExecQuery }[];
  answerExecs(answer: Result<ExecSession, PortError>): void;
  readonly sent: { readonly app: string; readonly operationId: string; readonly attempt: number }[];
  readonly replies: Reply[];
  /** Instance ids of started assessors. */
  readonly started: string[];
  readonly logged: string[];
  readonly workflows: Pick<Workflows, 'start'>;
  readonly clock: { now: number };
  /** Answer of the bus from now on. */
  answerSends(answer: Result<void, PortError>): void;
  answerReplies(answer: Result<void, PortError>): void;
}

export function commandFixture(): CommandFixture {
  const table = tableFixture();
  const clock = { now: at };
  const sent: CommandFixture['sent'] = [];
  const replies: Reply[] = [];
  const started: string[] = [];
  const logged: string[] = [];
  let answer: Result<void, PortError> = ok(undefined);
  const groupLogs: CommandFixture['groupLogs'] = new Map();
  const looks: CommandFixture['looks'] = new Map();
  const logReads: { group: string; container: string; tail: number }[] = [];
  let replyAnswer: Result<void, PortError> = ok(undefined);
  const execs: CommandFixture['execs'] = [];
  let execAnswer: Result<ExecSession, PortError> = ok({ webSocketUri: 'wss://aci.test/exec/1', password: 'pass-1' });
  let count = 0;
  const log = (level: string) => (message: string, fields?: unknown) => {
    logged.push(`${level}: ${message} ${JSON.stringify(fields ?? {})}`);
  };
  const ids = { next: () => `id-${String(count++).padStart(6, '0')}` };
  const now = () => clock.now;
  return {
    ...table,
    groupLogs,
    logReads,
    execs,
    answerExecs: (next) => {
      execAnswer = next;
    },
    looks,
    sent,
    replies,
    started,
    logged,
    clock,
    answerReplies: (next) => {
      replyAnswer = next;
    },
    answerSends: (next) => {
      answer = next;
    },
    workflows: {
      start: async (_, id) => {
        started.push(id);
        return ok('started');
      },
    },
    ports: {
      store: table.store,
      secrets: secretsFixture({ store: table.store, now, ids }),
      pools: table.store.readPools,
      bus: {
        send: async (message) => {
          sent.push(message);
          return answer;
        },
        reply: async (reply) => {
          replies.push(reply);
          return replyAnswer;
        },
      },
      groups: {
        async logs(_, group, container, { tail }) {
          logReads.push({ group, container, tail });
          return groupLogs.get(group) ?? ok('');
        },
        async exec(_, group, container, query) {
          execs.push({ group, container, query });
          return execAnswer;
        },
      },
      look: async ({ group }) => looks.get(group) ?? { kind: 'missing' },
      settings: defaults,
      now,
      ids,
      log: { info: log('info'), warn: log('warn'), error: log('error') },
      sleep: async (ms) => {
        clock.now += ms;
      },
    },
  };
}

export const noReplies = { replyQueues: [] };

/** A message of the command queue whose sender asks for no reply. */
export const incoming = (body: unknown, over: Partial<Incoming> = {}): Incoming => ({
  body,
  messageId: 'message-1',
  replyTo: null,
  replyToSessionId: null,
  ...over,
});

/** A document of one service, `web`. */
export const document = (image = 'nginx:1.27', over: Readonly<Record<string, unknown>> = {}) => ({
  name: 'shop',
  services: { web: { image, deploy: { replicas: 2 } } },
  ...over,
});

export async function givenPools(fixture: CommandFixture, ...names: string[]): Promise<void> {
  const changes = names.map((pool, order) => ({ type: 'insert' as const, row: aPool({ pool, order }) }));
  const result = await fixture.store.commit({ txId: 'pools', changes });
  if (!result.ok) throw new Error(result.error.message);
}
