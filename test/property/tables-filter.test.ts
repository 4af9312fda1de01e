/** What a query's filter says of an entity does not depend on how it is evaluated. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EdmValue } from '../../src/local/tables/edm.ts';
import { lookup } from '../../src/local/tables/entity.ts';
import { type Filter, matches } from '../../src/local/tables/filter.ts';
import { predicateOf } from '../../src/local/tables/predicate.ts';
import type { StoredEntity } from '../../src/local/tables/store.ts';

const text = fc.constantFrom('', 'a', 'b', 'ab', 'a|', '\u{1f600}', '\uffff');
const value: fc.Arbitrary<EdmValue> = fc.oneof(
  text.map((it): EdmValue => ({ type: 'Edm.String', value: it })),
  fc.integer({ min: -1, max: 1 }).map((it): EdmValue => ({ type: 'Edm.Int32', value: it })),
  fc.constantFrom<EdmValue>({ type: 'Edm.Int64', value: '1' }, { type: 'Edm.Boolean', value: true }),
  fc.constant<EdmValue>({ type: 'Edm.DateTime', value: '2026-01-02T03:04:05.006Z' }),
);
const name = fc.constantFrom('x', 'y');
const entity: fc.Arbitrary<StoredEntity> = fc.record({
  partitionKey: text,
  rowKey: text,
  timestamp: fc.constant('2026-01-02T03:04:05.0060000Z'),
  properties: fc.array(fc.tuple(name, value), { maxLength: 2 }).map((pairs) => new Map(pairs)),
});

const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    fc.record({
      kind: fc.constant('compare' as const),
      property: fc.oneof(name, fc.constantFrom('PartitionKey', 'RowKey', 'Timestamp')),
      operator: fc.constantFrom('eq', 'ne', 'gt', 'ge', 'lt', 'le'),
      literal: value,
    }),
    fc.record({ kind: fc.constant('constant' as const), value: fc.boolean() }),
    fc.record({ kind: fc.constant('not' as const), operand: tie('filter') }),
    fc.record({ kind: fc.constantFrom('and', 'or'), left: tie('filter'), right: tie('filter') }),
  ) as fc.Arbitrary<Filter>,
}));

describe('a filter made into a function', () => {
  it('holds for exactly the entities that it matches', () => {
    fc.assert(
      fc.property(filter, fc.array(entity, { minLength: 1, maxLength: 5 }), (made, entities) => {
        for (const one of entities) expect(predicateOf(made)(one)).toBe(matches(made, lookup(one)));
      }),
      { numRuns: 2_000 },
    );
  });
});
