/** S4 and S5 for commands: whatever is sent, repeated, lost or handled at once, each command counts once, in the order of acceptance. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accept, type Command } from '../../src/commands/accept.ts';
import { createQueueHandlers } from '../../src/commands/queue-handlers.ts';
import type { OperationRow } from '../../src/model/state.ts';
import type { AppRows } from '../../src/ports/state-store.ts';
import { parseApp } from '../../src/spec/parse-app.ts';
import { type CommandFixture, commandFixture, incoming, noReplies } from '../support/command-fixture.ts';

/** The services of a document with their number of replicas; null = delete. */
type Wish = Readonly<Record<string, number>> | null;

const wish: fc.Arbitrary<Wish> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 3 }), { minKeys: 1 }),
  },
  { weight: 1, arbitrary: fc.constant(null) },
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
      { image: `${name}:${replicas % 2}`, deploy: { replicas } },
    ]),
  ),
});

const commandOf = (wanted: Wish, n: number): Command => ({
  app: 'shop',
  command: wanted === null ? 'delete' : 'apply',
  document: wanted === null ? null : documentOf(wanted),
  idempotencyKey: `k${n}`,
});

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

/** What the app must look like, by the accepted operations alone: an independent reading of the rule. */
function expected(operations: readonly OperationRow[], bodies: ReadonlyMap<string, Command>) {
  const last = operations.toSorted((a, b) => a.seq - b.seq).at(-1);
  const command = last && bodies.get(last.bodyHash);
  if (!command || command.command === 'delete') return {};
  const parsed = parseApp(command.document);
  if (!parsed.ok) throw new Error('the test sends only valid documents');
  return Object.fromEntries(parsed.value.app.services.map(({ name, replicas }) => [name, replicas]));
}

describe('any sequence of commands, repetitions and deliveries, with requests to the table failing on the way', () => {
  it('ends in the state of the command that was accepted last, each accepted one concluded once', async () => {
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
        expect(operations.map(({ state }) => state)).toEqual(operations.map(() => 'applied'));

        const wanted = Object.fromEntries(
          guards.filter(({ removed }) => !removed).map(({ service, desired }) => [service, desired]),
        );
        expect(wanted).toEqual(expected(operations, bodies));

        // One event tells of each conclusion, and generations rise one at a time with the order.
        const events = await fixture.store.readEvents('shop', { limit: 1000 });
        const told = events.ok ? events.value.events.filter(({ type }) => type === 'OperationApplied') : [];
        expect(told.map(({ cause }) => cause).sort()).toEqual(operations.map(({ id }) => id).sort());
        const generations = operations.toSorted((a, b) => a.seq - b.seq).map(({ generation }) => generation ?? 0);
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
