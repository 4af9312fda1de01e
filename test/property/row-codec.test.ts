import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromEntity, toEntity } from '../../src/azure/row-codec.ts';
import type { Row } from '../../src/model/state.ts';
import { aDue, aGuard, anAppRow, anEvent, anOperation, aPool, aReplica, aReply, aRevision } from '../support/rows.ts';

const whole = fc.oneof(fc.nat(), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
const instant = fc.integer({ min: Date.UTC(1601, 0, 1), max: Date.UTC(9999, 11, 31) });
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
/** `JSON.parse` makes 0 of -0, and no row holds one. */
const anyJson = fc.jsonValue({ depthSize: 'small' }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);

const rows: fc.Arbitrary<Row> = fc.oneof(
  fc
    .record({ uid: text, generation: whole, nextSeq: whole, updatedAt: instant, spec: orNull(anyJson) })
    .map((over) => anAppRow(over as never)),
  fc
    .record({
      workflow: orNull(text),
      epoch: whole,
      claimedAt: orNull(instant),
      removed: fc.boolean(),
      healthyRevision: orNull(whole),
      message: orNull(text),
    })
    .map((over) => aGuard(over)),
  fc.record({ hash: text, template: anyJson, createdAt: instant }).map((over) => aRevision(over as never)),
  fc
    .record({
      slot: fc.nat(499),
      incarnation: whole,
      attempt: orNull(fc.record({ id: text, startedAt: orNull(instant), expiresAt: instant })),
      endpoint: fc.boolean(),
      ip: orNull(fc.ipV4()),
      logTail: orNull(text),
    })
    .map((over) => aReplica(over)),
  fc
    .record({ body: anyJson, finishedAt: orNull(instant), problems: fc.array(anyJson, { maxLength: 3 }) })
    .map((over) => anOperation(over as never)),
  fc.record({ at: instant, n: fc.nat(99), message: text, service: orNull(text) }).map((over) => anEvent(over)),
  fc.record({ dueAt: instant, since: instant }).map((over) => aDue(over)),
  fc
    .record({ app: orNull(text), bodyHash: orNull(text), outcome: orNull(anyJson), nextAt: instant })
    .map((over) => aReply(over as never)),
  fc
    .record({
      cordoned: fc.boolean(),
      listedAt: orNull(instant),
      listedGroups: orNull(whole),
      pending: orNull(fc.record({ subscriptionId: text, resourceGroup: text, region: text })),
      reservations: fc.array(
        fc.record({ owner: text, cores: fc.double({ noNaN: true, min: 0, max: 31 }), at: instant }),
      ),
    })
    .map((over) => aPool(JSON.parse(JSON.stringify(over)))),
);

const reread = (row: Row) => {
  const entity = toEntity(row);
  return fromEntity({ ...entity, etag: 'etag' });
};

describe('rows as entities', () => {
  it('come back as they were', () => {
    void fc.assert(
      fc.property(rows, (row) => {
        expect(reread(row)).toEqual({ ...row, etag: 'etag' });
      }),
      { numRuns: 500 },
    );
  });

  it('hold only properties of the service, none above its limits', () => {
    void fc.assert(
      fc.property(rows, fc.nat(200_000), (row, size) => {
        const long = row.kind === 'op' ? { ...row, body: { long: noise(size) } } : row;
        const entity = toEntity(long);
        for (const [name, value] of Object.entries(entity)) {
          expect(name).toMatch(/^[A-Za-z_]\w{0,254}$/);
          if (typeof value === 'string') expect(value.length).toBeLessThanOrEqual(32 * 1024);
          if (value instanceof Uint8Array) expect(value.length).toBeLessThanOrEqual(60 * 1024);
        }
        expect(Object.keys(entity).length).toBeLessThan(252);
        expect(reread(long)).toEqual({ ...long, etag: 'etag' });
      }),
      { numRuns: 40 },
    );
  });

  it('refuse a number that is not whole, by the name of its field', () => {
    expect(() => toEntity(aGuard({ desired: 1.5 }))).toThrow('desired is 1.5, not a whole number');
    expect(() => toEntity(aGuard({ wakeAt: Number.NaN }))).toThrow('wakeAt is NaN');
  });

  it('refuse a property of another type, by the name of its row', () => {
    const entity = { ...toEntity(aGuard()), desired: '1' };
    expect(() => fromEntity(entity)).toThrow('row service|web of partition shop: property desired is a string');
  });

  it('are passed over when their kind is not known yet', () => {
    expect(fromEntity({ partitionKey: 'shop', rowKey: 'release|1', kind: 'release' })).toBeNull();
    expect(fromEntity({ partitionKey: 'shop', rowKey: 'x' })).toBeNull();
  });
});

/** Text that does not compress well. */
function noise(length: number): string {
  let seed = 7;
  let made = '';
  while (made.length < length) {
    seed = (seed * 48_271) % 2_147_483_647;
    made += String.fromCharCode(35 + (seed % 57));
  }
  return made;
}
