/** The hands of a workload: a user with a patient HTTP client, in virtual time. */
import { bodyHashOf, operationIdOf } from '../../../src/commands/accept.ts';
import type { CommandKind, CommandRecord, Drive, OrderRecord } from '../types.ts';
import { causes, clock, epoch } from '../virtual/clock.ts';
import { type Bus, replyQueue } from './bus.ts';
import type { WorldCore } from './core.ts';
import type { SimHost } from './host.ts';
import type { Table } from './table.ts';

export interface DriveParts {
  readonly world: WorldCore;
  readonly hosts: readonly SimHost[];
  readonly bus: Bus;
  readonly table: Table;
  readonly commands: CommandRecord[];
  readonly orders: OrderRecord[];
}

/** A client that hears nothing for this long gives up the connection. */
const clientTimeoutMs = 100_000;
const attemptsMax = 200;

const methods: Readonly<Partial<Record<CommandKind, string>>> = { apply: 'PUT', delete: 'DELETE' };

export function createDrive({ world, hosts, bus, table, commands, orders }: DriveParts): Drive {
  let serial = 0;
  const wait = (ms: number) =>
    new Promise<void>((resolve) => void causes.run(undefined, () => clock.at(clock.now + ms, resolve)));

  async function request(method: string, path: string, body?: unknown, key?: string) {
    const live = hosts.filter(({ isServing }) => isServing);
    const host = live[world.choices.pick(`api ${method} ${path}/host`, Math.max(1, live.length))];
    if (!host) return null;
    const isRaw = body instanceof Uint8Array;
    const bytes = isRaw ? Buffer.from(body) : Buffer.from(body === undefined ? '' : JSON.stringify(body));
    const headers: Record<string, string> = {
      host: 'localhost:7071',
      ...(bytes.length > 0 && {
        'content-type': isRaw ? 'application/octet-stream' : 'application/json',
        'content-length': String(bytes.length),
      }),
      ...(key !== undefined && { 'idempotency-key': key }),
    };
    const sent = { method, origin: 'http://localhost:7071', url: path, headers, body: bytes };
    return await new Promise<{ status: number; body: string } | null>((resolve) => {
      const giveUp = clock.at(clock.now + clientTimeoutMs, () => resolve(null));
      const end = (answer: { status: number; body: string } | null) => {
        clock.cancel(giveUp);
        clock.at(clock.now + 1 + world.choices.pick(`api ${method} ${path}/reply`, 20), () => resolve(answer));
      };
      host.onDeath(() => end(null));
      clock.at(clock.now + 1 + world.choices.pick(`api ${method} ${path}/ms`, 20), () => {
        if (!host.isServing) return end(null);
        void host.request(sent).then(
          (answer) => !host.owner.dead && end(answer),
          () => !host.owner.dead && end(null),
        );
      });
    });
  }

  async function command(kind: CommandKind, app: string, document: unknown): Promise<CommandRecord> {
    serial += 1;
    const id = `cmd-${serial}`;
    const record: CommandRecord = {
      id,
      app,
      command: kind,
      document,
      sentAt: clock.now,
      acknowledgedAt: null,
      operationId: null,
      status: null,
    };
    commands.push(record);
    const note = (moment: 'sent' | 'acknowledged' | 'refused' | 'given-up') =>
      world.emit({ type: 'command', at: clock.now, moment, command: { ...record } });
    note('sent');
    const method = methods[kind] ?? 'POST';
    const path = `/api/v1/apps/${app}${method === 'POST' ? '/commands' : ''}`;
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const answer = await request(method, path, document ?? undefined, id);
      if (answer && answer.status < 500 && answer.status !== 429) {
        const accepted = answer.status < 300;
        record.status = answer.status;
        record.acknowledgedAt = clock.now;
        if (accepted) record.operationId = String((JSON.parse(answer.body) as { id?: unknown }).id);
        note(accepted ? 'acknowledged' : 'refused');
        return record;
      }
      await wait(Math.min(30_000, 1_000 * 2 ** Math.min(attempt, 5)));
    }
    note('given-up');
    return record;
  }

  async function store(app: string, name: string, value: string): Promise<string | null> {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const answer = await request('PUT', `/api/v1/apps/${app}/secrets/${name}`, Buffer.from(value));
      if (answer && answer.status < 300) return String((JSON.parse(answer.body) as { version?: unknown }).version);
      if (answer && answer.status < 500 && answer.status !== 429) return null;
      await wait(Math.min(30_000, 1_000 * 2 ** Math.min(attempt, 5)));
    }
    return null;
  }

  function isConverged(): boolean {
    const rows = table.rows().filter(({ partitionKey }) => !partitionKey.startsWith('~'));
    return rows.every((row) => {
      switch (row['kind']) {
        case 'op':
          return row['state'] !== 'accepted';
        case 'service':
          return row['workflow'] === undefined && row['generation'] === row['observedGeneration'];
        case 'app':
          return (
            row['state'] === 'deleted' || (row['state'] === 'active' && row['generation'] === row['observedGeneration'])
          );
        default:
          return true;
      }
    });
  }

  /** Hash of the command that has a key of an app, by operation id. */
  const bodies = new Map<string, string>();

  /** Whether the command is the first with its key; null: the key is another's. */
  function firstOf(operationId: string, command: Parameters<typeof bodyHashOf>[0]): boolean | null {
    const hash = bodyHashOf(command);
    const known = bodies.get(operationId);
    bodies.set(operationId, known ?? hash);
    return known === undefined ? true : known === hash ? false : null;
  }

  const order: Drive['order'] = ({ app, document, key, replyTo, replyToSessionId, garbage }) => {
    serial += 1;
    const messageId = `order-${serial}`;
    const idempotencyKey = key ?? messageId;
    const kind = document === null ? 'delete' : 'apply';
    const operationId = operationIdOf({ app, idempotencyKey });
    const first = garbage === undefined ? firstOf(operationId, { command: kind, document }) : null;
    const own = first === null ? null : operationId;
    // Which of two commands gets their key is not known before one of them has it.
    if (first === null && garbage === undefined && !table.row(app, `op|${operationId}`)) return idempotencyKey;
    const now = clock.now;
    orders.push({
      messageId,
      app,
      sentAt: now,
      replyTo,
      replyToSessionId: replyToSessionId ?? null,
      listed: replyTo === replyQueue,
      operationId: own,
    });
    if (first) {
      const sent = { id: messageId, app, command: kind, document, sentAt: now, acknowledgedAt: now } as const;
      commands.push({ ...sent, operationId: own, status: null });
    }
    const body = { command: kind, app, idempotencyKey, ...(document !== null && { document }) };
    bus.send({
      id: messageId,
      session: app,
      body: garbage ?? JSON.stringify(body),
      replyTo: replyTo ?? undefined,
      replyToSessionId,
      kept: true,
    });
    return idempotencyKey;
  };

  return {
    order,
    get now() {
      return clock.now - epoch;
    },
    pick: (key, options) => world.choices.pick(`workload ${key}`, options),
    wait,
    apply: (app, document) => command('apply', app, document),
    delete: (app) => command('delete', app, null),
    command: (app, body) => command(body.command, app, body),
    store,
    request: (method, path, body) => request(method, path, body),
    message(session, body) {
      serial += 1;
      bus.send({ id: `foreign-${serial}`, session, body });
    },
    async converged(withinMs) {
      const until = clock.now + withinMs;
      for (;;) {
        if (isConverged()) return true;
        if (clock.now >= until) return false;
        await wait(5_000);
      }
    },
  };
}
