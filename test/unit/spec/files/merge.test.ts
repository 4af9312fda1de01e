/** Several files become one: Compose's rules of merging, its tags, and where a mistake is when it comes from one of many files. */
import { describe, expect, it } from 'vitest';
import { check, faultsOf, resolved } from '../../../support/compose.ts';

const both = { path: ['shop/compose.yaml', 'shop/over.yaml'] };
const web = (keys: string) => `services:\n  web:\n${keys.replace(/^/gm, '    ')}\n`;
async function mergedWeb(base: string, over: string, ...more: string[]) {
  const files = {
    'compose.yaml': web(base),
    'over.yaml': web(over),
    ...Object.fromEntries(more.map((text, index) => [`more${index}.yaml`, web(text)])),
  };
  const path = Object.keys(files).map((name) => `shop/${name}`);
  return ((await resolved(files, { path, profiles: ['x'] })) as { services: { web: Record<string, unknown> } }).services
    .web;
}

describe('a later file', () => {
  it.each([
    ['adds a key', 'image: a', 'restart: always', { image: 'a', restart: 'always' }],
    ['replaces a single value', 'image: a', 'image: b', { image: 'b' }],
    ['leaves what it says nothing about', 'image: a', 'image: ', { image: 'a' }],
    [
      'merges mappings by member',
      'deploy: {replicas: 2, resources: {limits: {cpus: "1"}}}',
      'deploy: {resources: {limits: {memory: 2G}}}',
      { deploy: { replicas: 2, resources: { limits: { cpus: '1', memory: '2G' } } } },
    ],
    ['appends to a list', 'expose: ["1", "2"]', 'expose: ["3"]', { expose: ['1', '2', '3'] }],
    ['keeps each port once', 'ports: ["80:80", "81"]', 'ports: ["80:80", "82"]', { ports: ['80:80', '81', '82'] }],
    [
      'replaces a port of the same identity',
      'ports: [{target: 80, published: 80, name: a}]',
      'ports: [{target: 80, published: 80, name: b}]',
      { ports: [{ target: 80, published: 80, name: 'b' }] },
    ],
    [
      'keeps each exposed port and profile once',
      'expose: ["1"]\nprofiles: [x]',
      'expose: ["1"]\nprofiles: [x]',
      { expose: ['1'] },
    ],
    [
      'replaces a volume of the same target',
      'volumes: ["a:/x", "b:/y"]',
      'volumes: ["c:/x"]',
      { volumes: ['c:/x', 'b:/y'] },
    ],
    ['replaces a command', 'command: [a, b]', 'command: [c]', { command: ['c'] }],
    ['replaces a command by a text', 'command: [a, b]', 'command: c d', { command: 'c d' }],
    ['replaces an entrypoint', 'entrypoint: [a, b]', 'entrypoint: [c]', { entrypoint: ['c'] }],
    [
      'replaces a test, and merges the rest of a healthcheck',
      'healthcheck: {test: [CMD, a], retries: 3}',
      'healthcheck: {test: [CMD, b], interval: 5s}',
      { healthcheck: { test: ['CMD', 'b'], retries: 3, interval: '5s' } },
    ],
    [
      'merges environments in both forms',
      'environment: [A=1, B=1]',
      'environment: {B: 2, C: x=y}',
      { environment: { A: '1', B: 2, C: 'x=y' } },
    ],
    ['and the other way round', 'environment: {A: 1, B: 1}', 'environment: [B=2]', { environment: { A: 1, B: '2' } }],
    ['merges labels in both forms', 'labels: {a: x}', 'labels: [b=y]', { labels: { a: 'x', b: 'y' } }],
    [
      'merges depends_on in both forms',
      'depends_on: [a]',
      'depends_on: {b: {condition: service_healthy}}',
      { depends_on: { a: { condition: 'service_started', required: true }, b: { condition: 'service_healthy' } } },
    ],
    [
      'changes one member of a dependency',
      'depends_on: {a: {condition: service_healthy}}',
      'depends_on: {a: {restart: true}}',
      { depends_on: { a: { condition: 'service_healthy', restart: true } } },
    ],
    [
      'merges networks in both forms',
      'networks: [a]',
      'networks: {b: {aliases: [x]}}',
      { networks: { a: null, b: { aliases: ['x'] } } },
    ],
    ['appends a text to a list', 'dns: 1.1.1.1', 'dns: [8.8.8.8, 1.1.1.1]', { dns: ['1.1.1.1', '8.8.8.8'] }],
    ['merges a build in both forms', 'build: .', 'build: {target: x}', { build: { context: '.', target: 'x' } }],
    [
      'merges options of one logging driver',
      'logging: {driver: a, options: {x: "1"}}',
      'logging: {options: {y: "2"}}',
      { logging: { driver: 'a', options: { x: '1', y: '2' } } },
    ],
    [
      'replaces the options of another driver',
      'logging: {driver: a, options: {x: "1"}}',
      'logging: {driver: b}',
      { logging: { driver: 'b' } },
    ],
    [
      'replaces a limit of the kernel',
      'ulimits: {nofile: {soft: 1, hard: 2}, nproc: 3}',
      'ulimits: {nofile: 9}',
      { ulimits: { nofile: 9, nproc: 3 } },
    ],
    [
      'replaces pools and other lists only by tag',
      'x-flotilla: {antiAffinity: [{service: a}]}',
      'x-flotilla: {antiAffinity: [{service: b}]}',
      { 'x-flotilla': { antiAffinity: [{ service: 'a' }, { service: 'b' }] } },
    ],
  ])('%s', async (_, base, over, expected) => {
    expect(await mergedWeb(base, over)).toEqual(expected);
  });

  it.each([
    ['!reset removes a key', 'image: a\nports: ["80"]', 'ports: !reset []', { image: 'a' }],
    [
      '!reset removes a member',
      'environment: {A: 1, B: 2}',
      'environment: {A: !reset null}',
      { environment: { B: 2 } },
    ],
    ['!override replaces a list', 'ports: ["80", "81"]', 'ports: !override ["82"]', { ports: ['82'] }],
    ['!override replaces a mapping', 'environment: {A: 1}', 'environment: !override {B: 2}', { environment: { B: 2 } }],
    [
      '!override replaces a single value',
      'deploy: {replicas: 1, mode: replicated}',
      'deploy: !override {replicas: 2}',
      { deploy: { replicas: 2 } },
    ],
    ['!reset of what is not there does nothing', 'image: a', 'ports: !reset []', { image: 'a' }],
  ])('%s', async (_, base, over, expected) => {
    expect(await mergedWeb(base, over)).toEqual(expected);
  });

  it('that comes third is merged with what the first two became', async () => {
    expect(
      await mergedWeb(
        'expose: ["1"]\nenvironment: {A: 1}',
        'expose: !reset []\nenvironment: {B: 2}',
        'expose: ["3"]\nenvironment: {A: 3}',
      ),
    ).toEqual({ expose: ['3'], environment: { A: 3, B: 2 } });
  });

  it('adds services, and names the app', async () => {
    const files = {
      'compose.yaml': 'name: a\nservices: {web: {image: a}}',
      'over.yaml': 'name: b\nservices: {db: {image: b}}',
    };
    expect(await resolved(files, both)).toEqual({ name: 'b', services: { web: { image: 'a' }, db: { image: 'b' } } });
  });

  it('may have a service without an image, which the first file has', async () => {
    const result = await check({ 'compose.yaml': web('image: a'), 'over.yaml': web('deploy: {replicas: 3}') }, both);
    expect(result.ok && result.value.app.services).toMatchObject([{ replicas: 3, template: { image: 'a' } }]);
  });

  it('beside the default file is merged without being asked for', async () => {
    const files = {
      'compose.yaml': web('image: a'),
      'compose.override.yaml': web('image: b'),
      'docker-compose.override.yml': web('image: c'),
    };
    expect(await resolved(files)).toMatchObject({ services: { web: { image: 'b' } } });
    expect(await resolved(files, { path: 'shop/compose.yaml' })).toMatchObject({ services: { web: { image: 'a' } } });
  });

  it('in another directory has its env_file beside the first one', async () => {
    const files = { 'compose.yaml': web('image: a'), 'deep/over.yaml': web('env_file: a.env'), 'a.env': 'A=1' };
    const path = ['shop/compose.yaml', 'shop/deep/over.yaml'];
    expect(await resolved(files, { path })).toMatchObject({ services: { web: { environment: { A: '1' } } } });
  });
});

describe('a mistake in one of several files', () => {
  it('is shown in the file that holds it', async () => {
    const files = {
      'compose.yaml': web('image: a\nports: ["80"]'),
      'over.yaml': web('ports: ["99999"]\nrestart: sometimes'),
    };
    expect(await faultsOf(files, both)).toMatchObject([
      { path: 'services.web.ports[1]', file: 'shop/over.yaml', line: 3 },
      { path: 'services.web.restart', file: 'shop/over.yaml', line: 4 },
    ]);
  });

  it('that another file corrects is none', async () => {
    expect(
      await faultsOf(
        { 'compose.yaml': web('image: a\nrestart: sometimes'), 'over.yaml': web('restart: always') },
        both,
      ),
    ).toEqual([]);
  });

  it('a variable that is missing in a replaced value does not matter', async () => {
    expect(await faultsOf({ 'compose.yaml': web('image: "a:$NOPE"'), 'over.yaml': web('image: b') }, both)).toEqual([]);
  });

  it.each([
    ['ports: {a: b}', 'services.web.ports', 'is a mapping here and a list where it is merged into.'],
    ['deploy: [1]', 'services.web.deploy', 'is a list here and a mapping where it is merged into.'],
    ['deploy: x', 'services.web.deploy', 'is a single value here and a mapping where it is merged into.'],
  ])('%s does not fit: told once, at its line', async (over, path, problem) => {
    const files = { 'compose.yaml': web('image: a\nports: ["80"]\ndeploy: {replicas: 1}'), 'over.yaml': web(over) };
    expect(await faultsOf(files, both)).toMatchObject([{ path, problem, file: 'shop/over.yaml', line: 3 }]);
  });

  it('broken YAML in any of them is told for all', async () => {
    const files = { 'compose.yaml': 'a: b: c', 'over.yaml': 'a: "' };
    expect((await faultsOf(files, both)).map(({ file }) => file)).toEqual(['shop/compose.yaml', 'shop/over.yaml']);
  });

  it('one that is missing is told', async () => {
    expect(await faultsOf({ 'compose.yaml': web('image: a') }, both)).toMatchObject([
      { problem: 'there is no file `shop/over.yaml`.' },
    ]);
  });
});
