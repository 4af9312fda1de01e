/** The document as a whole: names, pools, limits, and that everything is said at once and in order. */
import { describe, expect, it } from 'vitest';
import { parseApp } from '../../../src/spec/parse-app.ts';
import { proposeName } from '../../../src/spec/suggest.ts';
import { appOf, brief, documentOf, problemsOf } from '../../support/compose.ts';

const services = { web: { image: 'a' } };
const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, { image: 'a' }]));

describe('names', () => {
  it.each(['a', 'a1', 'shop', 'my-shop-2', '0', 'x'.repeat(40), 'a--b'])(
    '%s is legal for an app and a service',
    (name) => {
      expect(appOf({ name, services: { [name]: { image: 'a' } } })).toMatchObject({ name, services: [{ name }] });
    },
  );

  it.each([
    ['Shop', 'shop'],
    ['my_shop', 'my-shop'],
    ['my.shop', 'my-shop'],
    ['-a-', 'a'],
    ['Ünsere Äpfel', 'nsere-pfel'],
    ['x'.repeat(41), 'x'.repeat(40)],
    [`${'a'.repeat(39)}-b`, 'a'.repeat(39)],
    ['~due', 'due'],
    ['a/b', 'a-b'],
  ])('%s is refused; %s is proposed', (name, proposal) => {
    for (const document of [
      { name, services },
      { name: 'shop', services: { [name]: { image: 'a' } } },
    ]) {
      const problems = problemsOf(document);
      expect(problems).toMatchObject([{ severity: 'error', remedy: `Name it \`${proposal}\`.` }]);
    }
    expect(problemsOf({ name: proposal, services })).toEqual([]);
  });

  it.each(['', '---', '日本'])('%j is refused without a proposal', (name) => {
    expect(proposeName(name)).toBeUndefined();
    expect(problemsOf({ name, services })).toMatchObject([{ path: 'name', remedy: 'Choose another name.' }]);
  });

  it('no name, or one that is no text, is refused', () => {
    expect(problemsOf({ services })).toMatchObject([{ path: 'name', problem: 'the app has no name.' }]);
    expect(problemsOf({ name: null, services })).toMatchObject([{ path: 'name' }]);
    expect(problemsOf({ name: 5, services })).toMatchObject([{ path: 'name', problem: 'must be a string, not `5`.' }]);
  });
});

describe('x-flotilla.pools', () => {
  it.each([
    [undefined, []],
    [[], []],
    [
      ['eastus', 'westus2'],
      ['eastus', 'westus2'],
    ],
  ])('%j → %j, order kept', (pools, expected) => {
    expect(appOf({ name: 'shop', services, 'x-flotilla': { pools } }).pools).toEqual(expected);
  });

  it.each([
    ['eastus', 'x-flotilla.pools'],
    [[''], 'x-flotilla.pools[0]'],
    [['a b'], 'x-flotilla.pools[0]'],
    [[1], 'x-flotilla.pools[0]'],
    [['a', 'b', 'a'], 'x-flotilla.pools[2]'],
  ])('%j is refused', (pools, path) => {
    expect(problemsOf({ name: 'shop', services, 'x-flotilla': { pools } })).toMatchObject([
      { severity: 'error', path },
    ]);
  });
});

describe('limits', () => {
  it('30 services are accepted, 31 refused with both numbers', () => {
    expect(appOf({ name: 'shop', services: many(30) }).services.length).toBe(30);
    expect(problemsOf({ name: 'shop', services: many(31) }).map(brief)).toEqual([
      'error services: the app has 31 services, but may have at most 30.',
    ]);
  });

  it('192 KiB of canonical JSON are accepted, a byte more refused with both numbers', () => {
    const frame = JSON.stringify({ name: 'shop', services, 'x-pad': '' }).length;
    const padded = (length: number) => ({ name: 'shop', services, 'x-pad': 'x'.repeat(length - frame) });
    expect(problemsOf(padded(192 * 1024))).toEqual([]);
    expect(problemsOf(padded(193 * 1024)).map(brief)).toEqual([
      'error : the document has 193 KiB, but may have at most 192 KiB.',
    ]);
    expect(parseApp(padded(192 * 1024 + 1)).ok).toBe(false);
  });

  it('counts bytes, not characters', () => {
    expect(parseApp({ name: 'shop', services, 'x-pad': '€'.repeat(70_000) }).ok).toBe(false);
  });

  it('nesting and long lists are refused before anything walks them', () => {
    let deep: unknown = 'x';
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(problemsOf({ name: 'shop', services, 'x-deep': deep })).toMatchObject([
      { severity: 'error', problem: expect.stringContaining('32 levels') },
    ]);
    const long = { name: 'shop', services: { web: { image: 'a', ports: Array(1001).fill('80') } } };
    expect(problemsOf(long).map(brief)).toEqual([
      'error services.web.ports: has 1001 items, but a list may have at most 1000.',
    ]);
  });
});

describe('anything that is not a document', () => {
  it.each([null, undefined, 1, 'x', true, [], [{ services }]])('%j is refused in one sentence', (value) => {
    expect(problemsOf(value)).toEqual([
      {
        severity: 'error',
        path: '',
        problem: 'the document is not a mapping.',
        remedy: 'Write `services:` with at least one service below it.',
      },
    ]);
  });
});

describe('the problems of a document', () => {
  it('come all at once, errors and warnings, sorted by path with list positions as numbers', () => {
    const document = documentOf(`
      name: Shop
      version: "3"
      services:
        web:
          image: a
          tty: true
          privileged: true
          ports: ["1", "x", "3", "y", "4", "5", "1/udp", "1:1", "3:3", "4:4", "z"]
        Api: {image: b}
    `);
    expect(problemsOf(document).map(({ severity, path }) => `${severity} ${path}`)).toEqual([
      'error name',
      'error services.Api',
      'error services.web.ports[1]',
      'error services.web.ports[3]',
      'error services.web.ports[10]',
      'error services.web.privileged',
      'warning services.web.tty',
      'warning version',
    ]);
  });

  it('say one thing about one place: a wrong type is not followed by what else it breaks', () => {
    const document = {
      name: 'shop',
      services: { web: { image: ['a'], deploy: 'x', healthcheck: [], environment: 5, ports: {} } },
    };
    const paths = problemsOf(document).map(({ path }) => path);
    expect(paths).toEqual([...new Set(paths)]);
    expect(paths.length).toBe(5);
  });
});
