/** When a reply is sent and what it says: an end of the command's own operation, and nothing else. */
import { describe, expect, it } from 'vitest';
import { decideReply, postponed } from '../../../../src/decide/commands/reply.ts';
import type { OperationRow } from '../../../../src/model/state.ts';
import { anOperation, aReply, at } from '../../../support/rows.ts';

const day = 24 * 60 * 60_000;
const settings = { firstMs: 30_000, capMs: 600_000, giveUpMs: day };
const decide = (operation: OperationRow | null, over = {}, now = at) =>
  decideReply(aReply(over), operation, now, settings);
const fault = { severity: 'error', path: 'services', problem: 'is missing.', remedy: 'Add it.' } as const;

describe('a reply that is owed', () => {
  it.each([
    ['applied', { generation: 3 }, { generation: 3, reason: null, problems: [] }],
    [
      'rejected',
      { reason: 'InvalidDocument', problems: [{ ...fault, file: 'compose.yaml', line: 3 }] },
      { generation: null, reason: 'InvalidDocument', problems: [fault] },
    ],
    [
      'superseded',
      { reason: 'NewerCommandApplied' },
      { generation: null, reason: 'NewerCommandApplied', problems: [] },
    ],
  ] as const)('tells that the command is %s', (state, over, told) => {
    expect(decide(anOperation({ state, ...over } as Partial<OperationRow>))).toEqual({
      kind: 'send',
      outcome: { app: 'shop', operationId: 'op-1', state, problemsOmitted: 0, ...told },
    });
  });

  it.each([
    ['is accepted and not yet applied', anOperation({ state: 'accepted' })],
    ['is not accepted yet', null],
  ])('waits while the command %s', (_, operation) => {
    expect(decide(operation)).toEqual({ kind: 'wait' });
  });

  it('never tells what became of another command with the same key', () => {
    const other = anOperation({ id: 'op-1', bodyHash: 'another', state: 'applied', generation: 7 });
    expect(decide(other)).toMatchObject({
      kind: 'send',
      outcome: {
        state: 'rejected',
        reason: 'KeyReused',
        operationId: null,
        generation: null,
        problems: [{ path: 'idempotencyKey', remedy: 'Give every command a key of its own.' }],
      },
    });
  });

  it('tells at once what was known at once', () => {
    const outcome = {
      app: null,
      operationId: null,
      state: 'rejected',
      generation: null,
      reason: 'InvalidMessage',
      problems: [fault],
      problemsOmitted: 0,
    } as const;
    expect(decide(null, { app: null, operationId: null, bodyHash: null, outcome })).toEqual({ kind: 'send', outcome });
  });

  it('names a hundred faults and counts the others', () => {
    const problems = Array.from({ length: 130 }, () => fault);
    const decision = decide(anOperation({ state: 'rejected', problems }));
    expect(decision).toMatchObject({ outcome: { problemsOmitted: 30 } });
    expect(decision.kind === 'send' && decision.outcome.problems).toHaveLength(100);
  });

  it.each([
    ['is still sent after a day', day, 'send'],
    ['is given up after more than a day', day + 1, 'drop'],
  ] as const)('%s', (_, age, kind) => {
    expect(decide(anOperation({ state: 'applied' }), {}, at + age).kind).toBe(kind);
  });

  it('is tried again after 30 s, 1 min, 2 min … 10 min', () => {
    const waits: number[] = [];
    for (let row = aReply(), n = 0; n < 7; n += 1) {
      row = postponed(row, at, settings);
      waits.push((row.nextAt - at) / 1_000);
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 600, 600]);
  });
});
