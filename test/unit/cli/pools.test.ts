import { describe, expect, it } from 'vitest';
import { ok } from '../../../src/model/result.ts';
import { aPool, refused, runCli } from '../../support/cli-fixture.ts';

describe('flotilla pools', () => {
  const pools = [
    aPool({ name: 'eastus', price: { coreHour: 0.04, gibHour: 0.005 }, labels: { tier: 'a' } }),
    aPool({ name: 'northeurope', region: 'northeurope', cordoned: true, used: { groups: 0, cores: 0 } }),
    aPool({ name: 'westus2', region: 'westus2', cordoned: true, draining: true }),
    aPool({ name: 'uksouth', region: 'uksouth', reason: 'PoolMoving', message: 'uksouth is to move.' }),
  ];
  const overrides = { pools: async () => ok(pools) };

  it.each([[['pools']], [['pools', 'ls']]])('%j lists them with what is left, and why one is closed', async (argv) => {
    expect(await runCli(argv, { overrides })).toMatchObject({
      code: 0,
      out: [
        'POOL         KIND  REGION       STATE     GROUPS  CORES    PER CORE / GIB HOUR  LABELS',
        'eastus       aci   eastus       open      2/100   1.5/100  0.04 / 0.005         tier=a',
        'northeurope  aci   northeurope  cordoned  0/100   0/100    -                    -',
        'westus2      aci   westus2      draining  2/100   1.5/100  -                    -',
        'uksouth      aci   uksouth      moving    2/100   1.5/100  -                    -',
        '',
        'uksouth is to move.',
      ],
    });
  });

  it('gives the resources with --json', async () => {
    expect(JSON.parse((await runCli(['pools', '--json'], { overrides })).out.join('\n'))).toEqual(pools);
  });

  it.each<[string, RegExp]>([
    ['cordon', /^eastus takes no new replicas; 2 container groups in it stay\.$/],
    ['drain', /^eastus takes no new replicas; 2 container groups in it are replaced elsewhere, .* one at a time/],
    ['uncordon', /^eastus takes new replicas again\.$/],
  ])('%s is sent, and says what follows', async (word, line) => {
    const ran = await runCli(['pools', word, 'eastus']);
    expect(ran).toMatchObject({ code: 0, commands: [`${word} eastus`] });
    expect(ran.out.join('\n')).toMatch(line);
  });

  it('says what the API refuses', async () => {
    const ran = await runCli(['pools', 'drain', 'mars'], {
      overrides: { poolCommand: async () => ({ ok: false, error: refused(404, 'There is no pool «mars».') }) },
    });
    expect(ran).toMatchObject({ code: 1, out: [] });
    expect(ran.errors.join('\n')).toContain('There is no pool «mars»');
  });

  it.each([
    [['pools', 'empty', 'eastus'], 'write ls, cordon, uncordon, drain'],
    [['pools', 'drain'], 'needs the name of a pool'],
    [['pools', 'ls', 'eastus'], 'takes no name'],
  ])('%j is refused', async (argv, text) => {
    const ran = await runCli(argv);
    expect(ran).toMatchObject({ code: 2, commands: [] });
    expect(ran.errors.join('\n')).toContain(text);
  });
});
