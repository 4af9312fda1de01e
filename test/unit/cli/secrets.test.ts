/** What the CLI does with secrets: it stores values before it applies, applies references, and shows neither. */
import { describe, expect, it } from 'vitest';
import { err, ok } from '../../../src/model/result.ts';
import { anApp, anOperation, aSecret, runCli, secretVersion } from '../../support/cli-fixture.ts';

const canary = 'canary-5d41402abc4b2a76';
const compose = `name: shop
services: { web: { image: nginx, secrets: [db], configs: [{ source: site, target: /run/configs/site }] } }
secrets: { db: { file: ./db.txt } }
configs: { site: { content: hello } }
`;
const files = { 'compose.yaml': compose, 'db.txt': canary };

describe('flotilla up', () => {
  it('stores the values first, then applies a document with their versions and without them', async () => {
    const sent: unknown[] = [];
    const ran = await runCli(['up', '-d'], {
      files,
      overrides: {
        apply: async (_, document) => {
          sent.push(document);
          return ok(anOperation());
        },
      },
    });
    expect(ran.code).toBe(0);
    expect(ran.commands).toEqual(['set shop db 6361', 'set shop config~site 6865']);
    expect(sent).toMatchObject([
      {
        secrets: { db: { 'x-flotilla': { secretRef: 'db', version: secretVersion } } },
        configs: { site: { 'x-flotilla': { secretRef: 'config~site', version: secretVersion } } },
      },
    ]);
    expect(JSON.stringify([sent, ran.out, ran.errors])).not.toContain(canary);
  });

  it('applies nothing when a value could not be stored', async () => {
    const problem = { type: 'urn:x', title: 'Not available', status: 503, detail: 'this installation has no key' };
    const ran = await runCli(['up', '-d'], {
      files,
      overrides: { setSecret: async () => err({ kind: 'refused', problem }) },
    });
    expect(ran.code).toBe(1);
    expect(ran.commands).toEqual([]);
    expect(ran.errors.join('\n')).toContain('this installation has no key');
  });

  it('sends nothing at all when the file is wrong', async () => {
    const ran = await runCli(['up', '-d'], {
      files: { 'compose.yaml': compose.replace('[db]', '[dbb]'), 'db.txt': 'x' },
    });
    expect(ran.code).toBe(2);
    expect(ran.commands).toEqual([]);
  });
});

it('flotilla config prints references, never values', async () => {
  const ran = await runCli(['config'], { files });
  expect(ran.code).toBe(0);
  expect(ran.out.join('\n')).toContain('secretRef: db');
  expect(ran.out.join('\n')).not.toMatch(/canary|hello/);
});

describe('flotilla secrets', () => {
  it('ls shows names, versions and who needs them', async () => {
    const listed = [aSecret(), aSecret({ name: 'tls', newest: false, managed: false, usedBy: [] })];
    const ran = await runCli(['secrets', 'ls', 'shop'], { overrides: { secrets: async () => ok(listed) } });
    expect(ran.out).toEqual([
      'NAME         KIND    VERSION                   SIZE  SET      AT                    NEEDED BY',
      'db-password  secret  0123456789abcdef          12 B  file     2026-11-24T12:00:00Z  web',
      'tls          secret  0123456789abcdef (older)  12 B  by hand  2026-11-24T12:00:00Z  -',
    ]);
    expect((await runCli(['secrets', 'ls', 'shop'])).out).toEqual(['nothing is stored']);
  });

  it.each([
    [['secrets', 'set', 'shop', 'db', '--file', 'db.txt'], { 'db.txt': canary }],
    [['secrets', 'set', 'shop', 'db'], { '-': canary }],
  ])('%s stores the value and does not repeat it', async (argv, given) => {
    const ran = await runCli(argv, { files: given });
    expect(ran.commands).toEqual(['set shop db 6361']);
    expect(ran.out).toEqual([`db is stored as version ${secretVersion} (23 B); services get it when shop is applied.`]);
  });

  it('rm says how many versions are gone', async () => {
    const ran = await runCli(['secrets', 'rm', 'shop', 'db']);
    expect([ran.commands, ran.out]).toEqual([['rm shop db'], ['db is removed: 2 versions.']]);
  });

  it.each([
    [['secrets'], /`secrets` needs ls\|set\|rm/],
    [['secrets', 'ls'], /needs APP/],
    [['secrets', 'show', 'shop', 'db'], /`show` is not something to do with secrets/],
    [['secrets', 'set', 'shop'], /`secrets set` needs NAME/],
    [['secrets', 'ls', 'shop', 'db'], /takes no name/],
    [['secrets', 'rm', 'shop', 'a/b'], /`a\/b` is not the name of a secret/],
    [['secrets', 'ls', 'Shop'], /`Shop` is not the name of an app/],
    [['secrets', 'rm', 'shop', 'db', '--file', 'x'], /reads no file/],
    [['secrets', 'set', 'shop', 'db', '--file', 'missing'], /there is no file `missing`/],
  ])('%s is refused with what is wrong', async (argv, why) => {
    const ran = await runCli(argv);
    expect(ran.code).toBe(2);
    expect(ran.errors.join('\n')).toMatch(why);
    expect(ran.commands).toEqual([]);
  });
});

describe('flotilla down of a protected app', () => {
  const gone = [anApp(), anApp({ state: 'deleted', serviceList: [] })];

  it.each([
    [['down', 'shop', '--yes', 'shop'], 'shop'],
    [['down', 'shop'], undefined],
  ])('%s sends the confirmation %s', async (argv, expected) => {
    const confirmed: unknown[] = [];
    await runCli([...argv, '-d'], {
      apps: gone,
      overrides: {
        remove: async (_app, _key, confirm) => {
          confirmed.push(confirm);
          return ok(anOperation({ command: 'delete' }));
        },
      },
    });
    expect(confirmed).toEqual([expected]);
  });

  it('is not sent when --yes names another app', async () => {
    const ran = await runCli(['down', 'shop', '--yes', 'ship'], { apps: gone });
    expect(ran.code).toBe(2);
    expect(ran.errors).toEqual(['error: --yes ship confirms another app than shop.']);
    expect(ran.commands).toEqual([]);
  });
});
