import { describe, expect, it } from 'vitest';
import { appOf, brief, documentOf, problemsOf } from '../../support/compose.ts';

const app = (services: string) => documentOf(`name: shop\nservices:\n${services.replace(/^/gm, '  ')}`);
const dependsOn = (value: string) =>
  app(
    `web: {image: a, depends_on: ${value}}\ndb: {image: b, healthcheck: {test: x}}\nqueue: {image: c, healthcheck: {test: x}}`,
  );

describe('depends_on', () => {
  it.each([
    [
      '[queue, db]',
      [
        ['db', 'started'],
        ['queue', 'started'],
      ],
    ],
    ['{db: {condition: service_started}}', [['db', 'started']]],
    [
      '{queue: {condition: service_healthy}, db: {condition: service_started}}',
      [
        ['db', 'started'],
        ['queue', 'healthy'],
      ],
    ],
    ['{db: {condition: service_healthy, required: false}}', [['db', 'healthy']]],
    ['[]', []],
    ['{}', []],
  ])('%s', (value, expected) => {
    const web = appOf(dependsOn(value)).services.find(({ name }) => name === 'web');
    expect(web?.dependsOn.map(({ service, condition }) => [service, condition])).toEqual(expected);
    expect(problemsOf(dependsOn(value))).toEqual([]);
  });

  it.each([
    ['[dbb]', 'error services.web.depends_on[0]: the app has no service `dbb`.', 'Did you mean `db`?'],
    [
      '[mail]',
      'error services.web.depends_on[0]: the app has no service `mail`.',
      'Add the service, or remove the dependency.',
    ],
    [
      '{mail: {condition: service_started}}',
      'error services.web.depends_on.mail: the app has no service `mail`.',
      'Add the service, or remove the dependency.',
    ],
    [
      '{mail: {condition: service_started, required: false}}',
      'warning services.web.depends_on.mail: is left out: the app has no service `mail`, and it is not required.',
      'Nothing to do.',
    ],
    [
      '{mail: {condition: service_started, required: "false"}}',
      'warning services.web.depends_on.mail: is left out: the app has no service `mail`, and it is not required.',
      'Nothing to do.',
    ],
    [
      '{db: {condition: service_completed_successfully}}',
      'error services.web.depends_on.db.condition: `service_completed_successfully` is supported only for a service that shares the container group: nothing records yet that a job is complete.',
      /colocateWith: OWNER/,
    ],
    [
      '{db: {condition: healthy}}',
      'error services.web.depends_on.db.condition: `healthy` is not one of the values allowed here.',
      /service_healthy/,
    ],
    [
      '{db: {condition: service_helthy}}',
      'error services.web.depends_on.db.condition: `service_helthy` is not one of the values allowed here.',
      /Did you mean `service_healthy`/,
    ],
    ['{db: {required: true}}', 'error services.web.depends_on.db: lacks `condition`.', 'Add `condition`.'],
    ['{db: }', 'error services.web.depends_on.db: must be a mapping, not empty.', /./],
    ['[web]', 'error services.web.depends_on: the services wait for each other: web → web.', /Remove one/],
    ['[constructor]', 'error services.web.depends_on[0]: the app has no service `constructor`.', /./],
    ['db', 'error services.web.depends_on: must be a list or a mapping, not `db`.', /./],
    ['[db, db]', 'error services.web.depends_on: holds `db` twice.', /./],
  ])('%s is refused or left out by name', (value, expected, remedy) => {
    const problems = problemsOf(dependsOn(value));
    expect(problems.map(brief)).toEqual([expected]);
    expect(problems[0]?.remedy).toMatch(remedy);
  });

  it('a circle is named once, beginning with its first service by name', () => {
    const circle = app(
      'c: {image: x, depends_on: [a]}\na: {image: x, depends_on: [b]}\nb: {image: x, depends_on: [c]}',
    );
    expect(problemsOf(circle).map(brief)).toEqual([
      'error services.a.depends_on: the services wait for each other: a → b → c → a.',
    ]);
  });

  it('two circles are both named', () => {
    const circles = app(
      'a: {image: x, depends_on: [b]}\nb: {image: x, depends_on: [a]}\nc: {image: x, depends_on: [d, a]}\nd: {image: x, depends_on: [c]}',
    );
    expect(problemsOf(circles).map(({ problem }) => problem)).toEqual([
      'the services wait for each other: a → b → a.',
      'the services wait for each other: c → d → c.',
    ]);
  });

  it('a diamond is no circle', () => {
    const diamond = app(
      'a: {image: x, depends_on: [b, c]}\nb: {image: x, depends_on: [d]}\nc: {image: x, depends_on: [d]}\nd: {image: x}',
    );
    expect(problemsOf(diamond)).toEqual([]);
  });

  it('waiting for the health of a service without a healthcheck is warned about', () => {
    const unchecked = app('web: {image: a, depends_on: {db: {condition: service_healthy}}}\ndb: {image: b}');
    expect(problemsOf(unchecked).map(brief)).toEqual([
      'warning services.web.depends_on.db.condition: `db` has no healthcheck: it counts as healthy once it has run for 10s.',
    ]);
  });
});
