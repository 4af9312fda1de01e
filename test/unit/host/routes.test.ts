import { describe, expect, it } from 'vitest';
import { createRouter, parseTemplate, type Route } from '../../../src/local/host/routes.ts';

const routes = (...templates: (string | [string, ...string[]])[]): Route<string>[] =>
  templates.map((t) => {
    const [template, ...methods] = typeof t === 'string' ? [t] : t;
    return { template, methods, target: template };
  });

function lookUp(list: Route<string>[], method: string, path: string, prefix = 'api') {
  const created = createRouter(list, prefix);
  if (!created.ok) throw new Error(created.problems[0]?.problem);
  const match = created.router.match(method, path);
  return match.found ? [match.target, match.parameters] : match.pathKnown ? 'other method' : 'unknown path';
}

describe('routes', () => {
  it.each([
    ['a literal, case-insensitively, with or without a trailing slash', ['apps'], '/API/Apps/', ['apps', {}]],
    ['a parameter, percent-decoded', ['apps/{name}'], '/api/apps/my%20shop', ['apps/{name}', { name: 'my shop' }]],
    ['an encoded slash stays encoded', ['apps/{name}'], '/api/apps/a%2Fb', ['apps/{name}', { name: 'a%2Fb' }]],
    ['a broken escape is taken as it is', ['apps/{name}'], '/api/apps/50%', ['apps/{name}', { name: '50%' }]],
    ['an optional parameter that is there', ['apps/{name?}'], '/api/apps/x', ['apps/{name?}', { name: 'x' }]],
    ['an optional parameter that is not', ['apps/{name?}'], '/api/apps', ['apps/{name?}', {}]],
    ['a catch-all', ['files/{*path}'], '/api/files/a/b.txt', ['files/{*path}', { path: 'a/b.txt' }]],
    ['a catch-all of nothing', ['files/{*path}'], '/api/files', ['files/{*path}', {}]],
    ['int', ['n/{id:int}'], '/api/n/42', ['n/{id:int}', { id: '42' }]],
    ['not int', ['n/{id:int}'], '/api/n/x', 'unknown path'],
    ['too short', ['a/{b}'], '/api/a', 'unknown path'],
    ['too long', ['a/{b}'], '/api/a/b/c', 'unknown path'],
    ['outside the prefix', ['a'], '/a', 'unknown path'],
  ])('match %s', (_what, templates, path, expected) => {
    expect(lookUp(routes(...templates), 'GET', path)).toEqual(expected);
  });

  it('take the most literal template whatever the order of registration', () => {
    const list = routes('{*any}', 'apps/{name}', 'apps/{id:int}', 'apps/new');
    expect(lookUp(list, 'GET', '/api/apps/new')).toEqual(['apps/new', {}]);
    expect(lookUp(list, 'GET', '/api/apps/7')).toEqual(['apps/{id:int}', { id: '7' }]);
    expect(lookUp(list, 'GET', '/api/apps/x')).toEqual(['apps/{name}', { name: 'x' }]);
    expect(lookUp(list, 'GET', '/api/other/x')).toEqual(['{*any}', { any: 'other/x' }]);
  });

  it('pass over a template whose methods do not fit', () => {
    const list = routes(['apps/new', 'POST'], ['apps/{name}', 'GET']);
    expect(lookUp(list, 'GET', '/api/apps/new')).toEqual(['apps/{name}', { name: 'new' }]);
    expect(lookUp(list, 'PUT', '/api/apps/new')).toBe('other method');
  });

  it('work without a prefix', () => {
    expect(lookUp(routes('x/{y}'), 'GET', '/x/1', '')).toEqual(['x/{y}', { y: '1' }]);
  });

  it.each([
    ['/a', 'begins with "/"'],
    ['a//b', 'empty segment'],
    ['a/{b=1}', 'not supported'],
    ['a/v{b}', 'not supported'],
    ['{a?}/b', 'only possible at the end'],
    ['{*a}/b', 'only possible at the end'],
    ['{a}/{A}', 'twice'],
    ['{a:datetime}', 'constraint ":datetime" is not supported (int, alpha, guid are)'],
    ['{a:int:min(1)}', 'constraint ":int:min(1)" is not supported'],
  ])('refuse the template %s', (template, problem) => {
    expect(parseTemplate(template)).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
  });

  it('refuse two templates for the same requests, but not for different methods', () => {
    const clash = createRouter(routes(['a/{x}', 'GET'], ['A/{y}', 'GET', 'POST']), 'api');
    expect(clash).toMatchObject({
      ok: false,
      problems: [{ problem: 'route "A/{y}" is taken by "a/{x}" of another function' }],
    });
    expect(createRouter(routes(['a/{x}', 'GET'], ['a/{y}', 'POST']), 'api').ok).toBe(true);
  });
});
