import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, isWithin, joinPath, parentPath } from '../../../src/spec/json.ts';

describe('canonical JSON', () => {
  it.each([
    [{ b: 1, a: [true, null, 'x'] }, '{"a":[true,null,"x"],"b":1}'],
    [{ a: undefined, b: { d: undefined, c: 0 } }, '{"b":{"c":0}}'],
    [[undefined, 1], '[null,1]'],
    [[], '[]'],
    [{}, '{}'],
    [[[], {}], '[[],{}]'],
    [undefined, 'null'],
    ['ü"\n', '"ü\\"\\n"'],
    [{ a10: 1, a9: 2, B: 3 }, '{"B":3,"a10":1,"a9":2}'],
    [JSON.parse('{"__proto__":1}'), '{"__proto__":1}'],
  ])('of %j is %s', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it('means the same value, whatever the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('is written for any depth and length', () => {
    const deep = JSON.parse(`${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)}`) as unknown;
    expect(canonicalJson(deep).length).toBe(50_000 * 8 + 1);
    expect(canonicalJson(Array(500_000).fill(0)).length).toBe(1_000_001);
  });
});

describe('paths', () => {
  it.each([
    ['', ['a', 'b', 0], 'a.b[0]'],
    ['services', ['web-1', 'x_y'], 'services.web-1.x_y'],
    ['a', ['b.c', ''], 'a["b.c"][""]'],
    ['a', ['say "hi"\\'], 'a["say \\"hi\\"\\\\"]'],
  ])('%s + %j = %s', (path, segments, joined) => {
    expect(joinPath(path, ...segments)).toBe(joined);
  });

  it('lead back to where they came from', () => {
    const segment = fc.oneof(fc.nat(99), fc.string({ maxLength: 5 }), fc.constantFrom('a', 'b.c', '"', '\\', ']['));
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 4 }), segment, (ancestors, last) => {
        const parent = joinPath('x', ...ancestors);
        expect(parentPath(joinPath(parent, last))).toBe(parent);
        expect(isWithin(joinPath(parent, last), parent)).toBe(true);
        expect(isWithin(parent, joinPath(parent, last))).toBe(false);
      }),
    );
    expect(parentPath('x')).toBe('');
    expect(parentPath('')).toBeUndefined();
  });

  it('with a common beginning are not within each other', () => {
    expect(isWithin('services.webs', 'services.web')).toBe(false);
    expect(isWithin('services.web.ports', 'services.web')).toBe(true);
    expect(isWithin('a[10]', 'a[1]')).toBe(false);
  });
});
