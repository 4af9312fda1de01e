/** S4 and S5 for commands: whatever is sent, repeated, lost or handled at once, each command counts once, in the order of acceptance. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accept, type Command } from '../../src/commands/accept.ts';
import { createQueueHandlers } from '../../src/commands/queue-handlers.ts';
import type { OperationRow } from '../../src/model/state.ts';
import type { AppRows } from '../../src/ports/state-store.ts';
import { type CommandFixture, commandFixture, incoming, noReplies } from '../support/command-fixture.ts';

/** The services of a document with their number of replicas (0 = it states none); null = delete; or a command that changes what is wanted now. */
type Wish = Readonly<Record<string, number>> | null | Imperative;
type Imperative = {
  readonly command: 'scale' | 'stop' | 'start' | 'restart';
  readonly service: string;
  readonly to: number;
};
const isImperative = (wanted: Wish): wanted is Imperative => wanted !== null && 'command' in wanted;

const wish: fc.Arbitrary<Wish> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 3 }), { minKeys: 1 }),
  },
  { weight: 1, arbitrary: fc.constant(null) },
  {
    weight: 4,
    arbitrary: fc.record({
      command: fc.constantFrom<Imperative['command']>('scale', 'scale', 'stop', 'start', 'restart'),
      service: fc.constantFrom('a', 'b', 'c'),
      to: fc.nat(4),
    }),
  },
);

interface Act {
  readonly kind: 'send' | 'repeat' | 'deliver' | 'deliverTwice';
  readonly wish: Wish;
  /** Which earlier command or message is meant, modulo their number. */
  readonly pick: number;
  /** What happens to a request of this act to the table. */
  readonly fault: 0 | 2 | 3 | 6;
  readonly faultAt: number;
}

const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom<Act['kind']>('send', 'send', 'repeat', 'deliver', 'deliverTwice'),
  wish,
  pick: fc.nat(50),
  fault: fc.constantFrom<Act['fault']>(0, 0, 2, 3, 6),
  faultAt: fc.nat(6),
});

const documentOf = (services: Readonly<Record<string, number>>) => ({
  name: 'shop',
  services: Object.fromEntries(
    Object.entries(services).map(([name, replicas]) => [
      name,
      { image: `${name}:${replicas % 2}`, ...(replicas > 0 && { deploy: { replicas } }) },
    ]),
  ),
});

function commandOf(wanted: Wish, n: number): Command {
  const idempotencyKey = `k${n}`;
  if (wanted === null) return { app: 'shop', command: 'delete', document: null, idempotencyKey };
  if (!isImperative(wanted)) return { app: 'shop', command: 'apply', document: documentOf(wanted), idempotencyKey };
  const { command, service, to } = wanted;
  const services = command === 'scale' ? { [service]: to } : [service];
  return { app: 'shop', command, document: { services }, idempotencyKey };
}

async function rowsOf({ store }: CommandFixture): Promise<AppRows> {
  const rows = await store.readWholeApp('shop');
  if (!rows.ok) throw new Error(rows.error.message);
  return rows.value;
}

async function play(acts: readonly Act[]): Promise<{ fixture: CommandFixture; commands: Command[] }> {
  const fixture = commandFixture();
  const { onMessage } = createQueueHandlers(fixture.ports, noReplies);
  const commands: Command[] = [];
  const hints: { app: string; operationId: string }[] = [];
  const send = async (command: Command) => {
    const result = await accept(fixture.ports, command);
    if (result.ok) hints.push({ app: 'shop', operationId: result.value.id });
    return result;
  };
  const deliver = async (pick: number) => {
    const hint = hints[pick % Math.max(1, hints.length)];
    if (hint) await onMessage(incoming(hint), fixture.workflows);
  };
  for (const { kind, wish: wanted, pick, fault, faultAt } of acts) {
    let seen = 0;
    fixture.fail((key) => (key.endsWith('/fault') && seen++ === faultAt ? fault : 0));
    if (kind === 'send') {
      const command = commandOf(wanted, commands.length);
      const result = await send(command);
      // Refused (nothing to delete), or unanswered: then its sender asks again, as it must.
      if (!result.ok && result.error.kind === 'port') await send(command);
      commands.push(command);
    }
    const earlier = commands[pick % Math.max(1, commands.length)];
    if (kind === 'repeat' && earlier) await send(earlier);
    if (kind === 'deliver') await deliver(pick);
    if (kind === 'deliverTwice') await Promise.all([deliver(pick), deliver(pick + 1)]);
  }
  fixture.fail(() => 0);
  await deliver(0);
  return { fixture, commands };
}

interface Service {
  readonly stated: number | null;
  readonly scaledTo: number | null;
  readonly stopped: boolean;
}

/** What the app must look like, by the applied operations alone: an independent reading of the rules. */
function expected(operations: readonly OperationRow[], bodies: ReadonlyMap<string, Command>) {
  let services: Readonly<Record<string, Service>> = {};
  for (const operation of operations.toSorted((a, b) => a.seq - b.seq)) {
    if (operation.state === 'applied') services = after(services, bodies.get(operation.bodyHash));
  }
  const count = ({ stated, scaledTo, stopped }: Service) => (stopped ? 0 : (scaledTo ?? stated ?? 1));
  return Object.fromEntries(Object.entries(services).map(([name, service]) => [name, count(service)]));
}

function after(services: Readonly<Record<string, Service>>, command: Command | undefined): typeof services {
  if (!command || command.command === 'delete') return {};
  if (command.command === 'apply') return applied(services, command.document as ReturnType<typeof documentOf>);
  const body = command.document as { readonly services: readonly string[] | Readonly<Record<string, number>> };
  const [name = ''] = Array.isArray(body.services) ? body.services : Object.keys(body.services);
  const known = services[name];
  if (known === undefined) throw new Error('a command for a service that is not there must be rejected');
  if (command.command === 'scale') {
    return {
      ...services,
      [name]: { ...known, scaledTo: (body.services as Readonly<Record<string, number>>)[name] ?? 0 },
    };
  }
  if (command.command === 'restart') return services;
  return { ...services, [name]: { ...known, stopped: command.command === 'stop' } };
}

function applied(before: Readonly<Record<string, Service>>, document: ReturnType<typeof documentOf>): typeof before {
  const known = Object.values(before);
  const allStopped = known.length > 0 && known.every(({ stopped }) => stopped);
  return Object.fromEntries(
    Object.entries(document.services).map(([name, service]) => {
      const stated = 'deploy' in service && service.deploy ? service.deploy.replicas : null;
      const scaledTo = stated === null ? (before[name]?.scaledTo ?? null) : null;
      return [name, { stated, scaledTo, stopped: before[name]?.stopped ?? allStopped }];
    }),
  );
}

/** Only a command for something that is not there, or not any more, is rejected. */
function expectConcluded({ state, command, reason }: OperationRow): void {
  const isRefused = command !== 'apply' && command !== 'delete' && state === 'rejected';
  if (isRefused) expect(['ServiceNotFound', 'AppBeingDeleted', 'AppNotFound']).toContain(reason);
  else expect(state).toBe('applied');
}

describe('any sequence of commands, repetitions and deliveries, with requests to the table failing on the way', () => {
  it('ends in the state that the commands ask for in the order of acceptance, each accepted one concluded once', async () => {
    const { bodyHashOf } = await import('../../src/commands/accept.ts');
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 14 }), async (acts) => {
        const { fixture, commands } = await play(acts);
        const { app, guards, operations } = await rowsOf(fixture);
        const bodies = new Map(commands.map((command) => [bodyHashOf(command), command]));

        // The order has no gap and no place is taken twice.
        const places = operations.map(({ seq }) => seq).toSorted((a, b) => a - b);
        expect(places).toEqual(places.map((_, n) => n + 1));
        expect(app?.nextSeq ?? 1).toBe(operations.length + 1);
        expect(app?.appliedSeq ?? 0).toBe(operations.length);
        operations.forEach(expectConcluded);

        const wanted = Object.fromEntries(
          guards.filter(({ removed }) => !removed).map(({ service, desired }) => [service, desired]),
        );
        expect(wanted).toEqual(expected(operations, bodies));

        // One event tells of each conclusion, and generations rise one at a time with the order.
        const events = await fixture.store.readEvents('shop', { limit: 1000 });
        const told = events.ok
          ? events.value.events.filter(({ type }) => type === 'OperationApplied' || type === 'OperationRejected')
          : [];
        expect(told.map(({ cause }) => cause).sort()).toEqual(operations.map(({ id }) => id).sort());
        const generations = operations
          .filter(({ state }) => state === 'applied')
          .toSorted((a, b) => a.seq - b.seq)
          .map(({ generation }) => generation ?? 0);
        for (const [n, generation] of generations.entries()) {
          const before = generations[n - 1] ?? 0;
          expect([before, before + 1]).toContain(generation);
        }
        for (const guard of guards) expect(guard.generation).toBeLessThanOrEqual(app?.generation ?? 0);
      }),
      { numRuns: 40 },
    );
  }, 120_000);
});
