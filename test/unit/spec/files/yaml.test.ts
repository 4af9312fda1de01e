import { describe, expect, it } from 'vitest';
import { readYaml } from '../../../../src/spec/files/yaml-document.ts';
import { check, environmentOf, resolved } from '../../../support/compose.ts';

const read = (text: string) => readYaml(text, 'compose.yaml');
const faults = (text: string) => read(text).problems.map(({ line, path, problem }) => [line, path, problem]);

describe('YAML values', () => {
  it.each([
    ['a: 1', { a: 1 }],
    ['a: "1"', { a: '1' }],
    ['a: yes\nb: no\nc: on\nd: true', { a: 'yes', b: 'no', c: 'on', d: true }],
    ['a: 22:22', { a: '22:22' }],
    ['a: 8080:80', { a: '8080:80' }],
    ['a: ~\nb:\nc: null', { a: null, b: null, c: null }],
    ['a: 2024-01-01', { a: '2024-01-01' }],
    ['a: |\n  x\n  y\nb: >\n  x\n  y\n', { a: 'x\ny\n', b: 'x y\n' }],
    ['1: a\ntrue: b', { '1': 'a', true: 'b' }],
    ['{"json": ["is", {"yaml": 1.5}]}', { json: ['is', { yaml: 1.5 }] }],
    ['---\na: 1\n...\n', { a: 1 }],
    ['%YAML 1.2\n---\na: 1\n', { a: 1 }],
    ['\uFEFFa: 1\r\nb: 2\r\n', { a: 1, b: 2 }],
    ['a: !!str 1\nb: !!int "2"', { a: '1', b: 2 }],
  ])('%j means %j', (text, value) => {
    expect(read(text)).toMatchObject({ problems: [], root: value });
  });

  it('reads `__proto__` and `constructor` as ordinary keys', () => {
    const { root } = read('__proto__: 1\nconstructor: 2\na: {__proto__: {b: 1}}');
    expect(JSON.stringify(root)).toBe('{"__proto__":1,"constructor":2,"a":{"__proto__":{"b":1}}}');
  });
});

describe('anchors and merge keys', () => {
  it.each([
    ['x: &a {k: 1}\ny: *a', { x: { k: 1 }, y: { k: 1 } }],
    ['x: &a {k: 1, l: 1}\ny: {<<: *a, k: 2}', { x: { k: 1, l: 1 }, y: { k: 2, l: 1 } }],
    ['x: &a {k: 1, l: 1}\ny: {k: 2, <<: *a}', { x: { k: 1, l: 1 }, y: { k: 2, l: 1 } }],
    ['x: &a {k: 1}\ny: &b {k: 2, l: 2}\nz: {<<: [*a, *b]}', { z: { k: 1, l: 2 } }],
    ['x: &a {k: {m: 1}}\ny: {<<: *a, k: {n: 2}}', { y: { k: { n: 2 } } }],
    ['x: &a {k: 1}\ny: &b {<<: *a, l: 2}\nz: {<<: *b}', { z: { k: 1, l: 2 } }],
    ['x: &l [1, 2]\ny: *l', { y: [1, 2] }],
    ['x: &s text\ny: [*s, *s]', { y: ['text', 'text'] }],
    ['x: &a 1\ny: &a 2\nz: *a', { z: 2 }],
    ['"<<": {k: 1}', { '<<': { k: 1 } }],
    ['y: {<<: {k: 1}}', { y: { k: 1 } }],
  ])('%j', (text, expected) => {
    expect(read(text)).toMatchObject({ problems: [], root: expected });
  });

  it('a merged value keeps the place where it is written', () => {
    const { places } = read('x: &a\n  k: 1\ny:\n  <<: *a\n');
    expect(places.get('y.k')).toEqual({ file: 'compose.yaml', line: 2, column: 3 });
  });

  it.each([
    ['a: *nope', 1, 'a', 'there is no anchor `&nope` above this alias.'],
    ['a: *later\nb: &later 1', 1, 'a', 'there is no anchor `&later` above this alias.'],
    ['a: {<<: 1}', 1, 'a["<<"]', '`<<` can merge mappings only.'],
    ['a: {<<: [{k: 1}, 2]}', 1, 'a["<<"]', '`<<` can merge mappings only.'],
    ['a: {<<: *nope}', 1, 'a["<<"]', 'there is no anchor `&nope` above this alias.'],
  ])('%j is refused', (text, line, path, problem) => {
    expect(faults(text)).toEqual([[line, path, problem]]);
  });

  it('an anchor inside itself is refused', () => {
    expect(faults('a: &x\n  b: *x')).toMatchObject([[2, expect.any(String), expect.stringContaining('64 levels')]]);
    expect(faults('a: &x {<<: *x}')).toMatchObject([[1, expect.any(String), expect.stringContaining('64 levels')]]);
  });

  const laughs = (kind: (previous: string) => string) => {
    const lines = ['a0: &a0 {k: lol}'];
    for (let level = 1; level < 30; level += 1) lines.push(`a${level}: &a${level} ${kind(`*a${level - 1}`)}`);
    return lines.join('\n');
  };
  it.each([
    ['aliases', laughs((alias) => `[${Array(10).fill(alias).join(', ')}]`)],
    ['merge keys', laughs((alias) => `{<<: [${Array(10).fill(alias).join(', ')}]}`)],
    ['both', laughs((alias) => `{<<: ${alias}, k: [${Array(9).fill(alias).join(', ')}]}`)],
  ])('a few lines of %s that mean billions of values are refused at once', (_, text) => {
    expect(faults(text)).toMatchObject([
      [expect.any(Number), expect.any(String), expect.stringMatching(/more than (50000 values|64 levels)/)],
    ]);
  });
});

describe('broken YAML', () => {
  it.each([
    ['services:\n\tweb: 1', 2, 'YAML: a tab is used to indent.'],
    ['a: 1\nb: 2\na: 3', 3, 'the key `a` stands twice in one mapping.'],
    ['a: {b: 1, b: 2}', 1, 'the key `b` stands twice in one mapping.'],
    ['1: a\n"1": b', 2, 'the key `1` stands twice in one mapping.'],
    ['a: "x', 1, 'YAML: missing closing "quote'],
    ['a: [1, 2', 1, /flow|YAML/i],
    ['a: b: c', 1, /YAML: /],
    ['a: 1\n b: 2', 1, /YAML: /],
    ['a: !frobnicate 1', 1, /unresolved tag/i],
    ['a: !!binary aGVsbG8=', 1, /gives no text, number or boolean/],
    ['a: 1\n---\nb: 2', 2, 'YAML: the file holds several documents.'],
    ['? [a]\n: b', 1, 'a key must be a text.'],
    ['~: a', 1, 'a key must be a text.'],
    ['a: .nan', 1, '`.nan` is not a finite number.'],
    ['a: -.inf', 1, '`-.inf` is not a finite number.'],
    ['a: 1e999', 1, '`1e999` is not a finite number.'],
    ['ok: 1\nb: \uFFFD', 2, 'the file is not UTF-8 text.'],
    ['\uFFFD\uFFFDs\0e\0r\0', 1, 'the file is not UTF-8 text.'],
  ])('%j is refused at line %d', (text, line, problem) => {
    const [first] = read(text).problems;
    expect(first).toMatchObject({
      severity: 'error',
      file: 'compose.yaml',
      line,
      problem: typeof problem === 'string' ? expect.stringContaining(problem) : expect.stringMatching(problem),
      remedy: expect.stringMatching(/\.$/),
    });
  });

  it('several mistakes are reported at once', () => {
    expect(faults('a: 1\na: 2\nb: !x 1\nc: 1\nc: 2').length).toBeGreaterThanOrEqual(3);
  });

  it('any depth and any length end in a sentence', () => {
    for (const text of [
      '['.repeat(100_000),
      '{a: '.repeat(50_000),
      '- '.repeat(20_000),
      `a: ${'x'.repeat(1_100_000)}`,
      `${'&a '.repeat(1_000)}x`,
    ]) {
      expect(read(text).problems.length).toBeGreaterThan(0);
    }
  });
});

describe('a file that holds no app', () => {
  it.each([
    ['', 'the file holds no mapping.'],
    ['# nothing but a comment\n', 'the file holds no mapping.'],
    ['- web', 'the file holds no mapping.'],
    ['web', 'the file holds no mapping.'],
    ['42', 'the file holds no mapping.'],
    ['{}', 'the app has no services.'],
    ['services:', 'the app has no services.'],
    ['services: {}', 'the app has no services.'],
    ['services: []', 'must be a mapping, not an empty list.'],
    ['services: {web: }', 'must be a mapping, not empty.'],
    ['services: {web: nginx}', 'must be a mapping, not `nginx`.'],
    ['services: {web: {}}', 'has no `image`.'],
  ])('%j is told so once, with its line', async (text, problem) => {
    const result = await check(text);
    expect(result.ok ? [] : result.error).toMatchObject([{ problem, file: 'shop/compose.yaml', line: 1 }]);
  });
});

describe('numbers', () => {
  it('stay in an environment as they are written', async () => {
    const text =
      'services: {web: {image: a, environment: {A: 1.10, B: 0x1F, C: 1e3, D: 007, E: true, F: 1_000, G: 12345678901234567890}}}';
    expect(await environmentOf(text)).toEqual({
      A: '1.10',
      B: '0x1F',
      C: '1e3',
      D: '007',
      E: true,
      F: '1_000',
      G: '12345678901234567890',
    });
  });

  it('stay as they are written in a list of ports', async () => {
    expect(await resolved('services: {web: {image: a, ports: [80, "81", 82:82]}}')).toMatchObject({
      services: { web: { ports: [80, '81', '82:82'] } },
    });
  });
});
