/**
 * A filter as a function of the entity, made once for the many entities that a query looks at. It says what `matches` says; comparisons of texts, which
 * are nearly all there are, need no detour by typed values.
 */
import { lookup } from './entity.ts';
import { type Filter, matches } from './filter.ts';
import { compareOrdinal, type StoredEntity } from './store.ts';

type Predicate = (entity: StoredEntity) => boolean;
type Comparison = Extract<Filter, { kind: 'compare' }>;

const made = new WeakMap<Filter, Predicate>();

export function predicateOf(filter: Filter): Predicate {
  const known = made.get(filter);
  if (known) return known;
  const predicate = make(filter);
  made.set(filter, predicate);
  return predicate;
}

function make(filter: Filter): Predicate {
  switch (filter.kind) {
    case 'constant':
      return () => filter.value;
    case 'not': {
      const operand = make(filter.operand);
      return (entity) => !operand(entity);
    }
    case 'and': {
      const [left, right] = [make(filter.left), make(filter.right)];
      return (entity) => left(entity) && right(entity);
    }
    case 'or': {
      const [left, right] = [make(filter.left), make(filter.right)];
      return (entity) => left(entity) || right(entity);
    }
    case 'compare':
      return filter.literal.type === 'Edm.String'
        ? ofText(filter, String(filter.literal.value))
        : (entity) => matches(filter, lookup(entity));
  }
}

function ofText({ property, operator }: Comparison, wanted: string): Predicate {
  const textOf = readText(property);
  const test = (holds: (text: string) => boolean): Predicate => {
    return (entity) => {
      const text = textOf(entity);
      return text !== undefined && holds(text);
    };
  };
  switch (operator) {
    case 'eq':
      return test((text) => text === wanted);
    case 'ne':
      return test((text) => text !== wanted);
    case 'gt':
      return test((text) => compareOrdinal(text, wanted) > 0);
    case 'ge':
      return test((text) => compareOrdinal(text, wanted) >= 0);
    case 'lt':
      return test((text) => compareOrdinal(text, wanted) < 0);
    case 'le':
      return test((text) => compareOrdinal(text, wanted) <= 0);
  }
}

/** `undefined` where the entity has no such property, or one of another type. */
function readText(property: string): (entity: StoredEntity) => string | undefined {
  if (property === 'PartitionKey') return (entity) => entity.partitionKey;
  if (property === 'RowKey') return (entity) => entity.rowKey;
  if (property === 'Timestamp') return () => undefined;
  return (entity) => {
    const value = entity.properties.get(property);
    return value?.type === 'Edm.String' ? (value.value as string) : undefined;
  };
}
