/** The console's tables of faults, against a world in virtual time with two replicas of `shop.web` and a Spot job. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { activeFaults, catalogue, clearFaults } from '../../../../src/local/world/faults/console.ts';
import type { FaultWorld } from '../../../../src/local/world/faults/fault.ts';
import { createTableFaults } from '../../../../src/local/world/faults/table-draw.ts';
import { controlDocs } from '../../../../tools/control-docs.ts';
import { type ArmFixture, armFixture } from '../../../support/arm-fixture.ts';

let arm: ArmFixture;
let world: FaultWorld;

const tags = (service: string, slot: number) => ({
  'flotilla-app': 'voting',
  'flotilla-service': service,
  'flotilla-slot': String(slot),
});

beforeEach(() => {
  arm = armFixture();
  world = arm.world;
  arm.put('g', { tags: tags('web', 0) });
  arm.put('h', { tags: tags('web', 1) });
  arm.put('s', { tags: tags('store', 0) });
  arm.put('job', { spot: true, containers: [{ port: 0 }] });
  arm.after(2_000);
});

/** Without the blanks that the formatter lines tables up with. */
const plain = (markdown: string): string => markdown.replace(/ +/g, ' ').replace(/-{3,}/g, '---').replace(/\n+/g, '\n');

/** What `flotilla local fault add` with these words says. */
function add(words: string): string {
  return arm.fault(words);
}
const main = (name = 'g') => arm.after(0, name).containers[0];

describe('every fault of the catalogue', () => {
  it.each(catalogue.map((fault) => [fault.name, fault] as const))('%s has an example that works', (name, fault) => {
    expect(fault.example.split(' ')[0]).toBe(name);
    const before = JSON.stringify([arm.store.groups(), activeFaults(world)]);
    expect(add(fault.example)).not.toMatch(/^problem/);
    expect(JSON.stringify([arm.store.groups(), activeFaults(world)])).not.toBe(before);
  });

  it.each(catalogue.filter(({ lasts }) => lasts !== 'once').map((fault) => [fault.example] as const))(
    '`%s` is listed, and gone once it is cleared',
    (example) => {
      add(example);
      expect(activeFaults(world)).toHaveLength(1);
      expect(clearFaults(world, activeFaults(world)[0]?.id, arm.clock.now)).toMatchObject({ done: /^Cleared / });
      expect(activeFaults(world)).toEqual([]);
    },
  );

  it('is told in CONTROL.md as the table has it (`node tools/control-docs.ts` writes it)', () => {
    expect(plain(readFileSync('src/local/world/CONTROL.md', 'utf8'))).toContain(plain(controlDocs()));
  });
});

describe('regions', () => {
  it('are down: ARM says 503 and nothing answers', () => {
    add('region-down eastus');
    expect(arm.request('GET', 'g').status).toBe(503);
    expect(arm.core.endpoints()).toEqual([]);
  });

  it('add up', () => {
    add('cut-off eastus');
    add('quota eastus cores=4');
    add('quota eastus groups=9');
    add('capacity eastus cores=1 zone=2');
    expect(activeFaults(world)).toMatchObject([
      {
        id: 'eastus',
        what: `region: ${JSON.stringify({
          containersDown: true,
          quotas: { standardCores: 4, containerGroups: 9 },
          zones: { '2': { cores: 1 } },
        })}`,
      },
    ]);
  });

  it('have zones that are down for what is pinned to them alone', () => {
    arm.put('pinned', { zones: ['1'] });
    arm.after(2_000);
    const before = arm.core.endpoints().length;
    add('zone-down eastus 1');
    expect(arm.core.endpoints()).toHaveLength(before - 1);
  });
});

describe('groups', () => {
  it.each([
    { meant: 'voting.web', gone: ['g', 'h'] },
    { meant: 'voting.web.1', gone: ['h'] },
    { meant: 'voting', gone: ['g', 'h', 's'] },
    { meant: 'job', gone: ['job'] },
    { meant: '*', gone: ['g', 'h', 'job', 's'] },
  ])('are meant by $meant', ({ meant, gone }) => {
    const before = arm.store.groups().map(({ name }) => name);
    add(`kill-group ${meant}`);
    const after = arm.store.groups().map(({ name }) => name);
    expect(before.filter((name) => !after.includes(name))).toEqual(gone);
  });

  it('are maintained by the platform with the exit code that was asked for, and may move', () => {
    const { ip } = arm.after(0);
    add('maintenance voting.web.0 exit-code=7148 new-address=yes');
    expect(main()?.previous).toMatchObject({ exitCode: 7148 });
    expect(arm.after(0).ip).not.toBe(ip);
  });

  it('are evicted when they are Spot, and start again when there is room, whatever their policy', () => {
    expect(add('evict-spot voting')).toBe('problem: None of these groups is a Spot group.');
    add('evict-spot for=20s');
    expect(main('job')).toMatchObject({ current: { state: 'Waiting', detailStatus: 'Evicted' } });
    expect(main('g')).toMatchObject({ current: { state: 'Running' } });
    arm.after(20_000, 'job');
    expect(main('job')).toMatchObject({ current: { state: 'Running' }, restartCount: 1 });
  });

  it('have containers that end as they are told', () => {
    expect(add('kill-container voting.web exit-code=137')).toBe('2 containers killed.');
    expect(main('h')?.previous).toMatchObject({ exitCode: 137 });
    expect(add('kill-container voting.web.0')).toBe('problem: No such container runs.');
  });
});

describe('requests', () => {
  it('are throttled as often as was asked for, and told how long to wait', () => {
    add('throttle get times=2 retry-after=20s');
    for (const _ of [1, 2]) {
      expect(arm.request('GET', 'g')).toMatchObject({ status: 429, headers: { 'retry-after': '20' } });
    }
    expect(arm.request('GET', 'g').status).toBe(200);
  });

  it('strike names that are like the pattern', () => {
    add('error get groups=h* times=always');
    expect([arm.request('GET', 'h').status, arm.request('GET', 'g').status]).toEqual([500, 200]);
  });

  it('leave a deletion stuck until its group is cleared by name', () => {
    add('stuck-delete g');
    arm.remove('g');
    arm.after(600_000);
    expect(activeFaults(world)).toMatchObject([{ id: 'g' }]);
    clearFaults(world, 'g', arm.clock.now);
    arm.core.advance(arm.clock.now);
    expect(arm.request('GET', 'g').status).toBe(404);
  });
});

describe('tables', () => {
  it('fail as their draw says, for the kind of request that is meant, until the count is used up', () => {
    add('table-busy query times=2');
    const draw = (key: string) => world.tables.draw(key, 7);
    expect(draw('tables GET flotilla/a/b/fault')).toBe(0);
    expect([1, 2, 3].map(() => draw('tables QUERY flotilla/fault'))).toEqual([1, 1, 0]);
    expect(activeFaults(world)).toEqual([]);
  });

  it('are remembered over a restart of the world', () => {
    add('table-drop times=always');
    expect(createTableFaults(arm.store, () => undefined).list()).toEqual([{ effect: 'drop', times: null }]);
  });
});

describe('bad input is told what exists', () => {
  it.each([
    [
      'earthquake',
      /^problem: There is no fault `earthquake`\. There are region-down, arm-down, .*table-slow, lose-events, .*reorder-events\.$/,
    ],
    ['region-down', /^problem: `region-down` needs region: a region: eastus, westus2, westeurope\.$/],
    ['region-down mars', /^problem: region `mars`: give a region: eastus, westus2, westeurope\.$/],
    ['region-down eastus now', /^problem: `region-down`: `now` is too much; it takes region=\.$/],
    ['region-down when=now', /^problem: `region-down`: there is no argument `when=`; it takes region=\.$/],
    ['region-down region=eastus region=eastus', /^problem: `region-down`: region is given twice\.$/],
    ['zone-down eastus 7', /^problem: zone `7`: give a zone of the region: 1, 2, 3\.$/],
    [
      'kill-group shop',
      /^problem: groups `shop`: give APP, .* or \*: voting\.web\.0, voting\.web\.1, job, voting\.store\.0\.$/,
    ],
    ['kill-container voting.web other', /^problem: container `other`: give the name of a container: main\.$/],
    ['throttle dance', /^problem: act `dance`: give one of: create, get, /],
    ['throttle times=0', /^problem: times `0`: give a whole number from 1 on, or `always`\.$/],
    ['slow by=long', /^problem: by `long`: give a duration such as 500ms, 20s or 5m\.$/],
    ['error status=200', /^problem: status `200`: give a status from 400 to 599\.$/],
    ['maintenance new-address=maybe', /^problem: new-address `maybe`: give yes or no\.$/],
    ['quota eastus', /^problem: `quota` needs groups=N, cores=N or spot-cores=N\.$/],
    ['capacity eastus cores=-1', /^problem: cores `-1`: give a number from 0 on\.$/],
  ])('%s', (words, problem) => {
    const before = JSON.stringify(arm.store.groups());
    expect(add(words)).toMatch(problem);
    expect(JSON.stringify(arm.store.groups())).toBe(before);
    expect(activeFaults(world)).toEqual([]);
  });

  it('clears nothing that is not set', () => {
    expect(clearFaults(world, '7', arm.clock.now)).toEqual({ problem: 'No fault `7` is set. None is set.' });
    add('throttle');
    expect(clearFaults(world, '7', arm.clock.now)).toEqual({ problem: 'No fault `7` is set. There are 1.' });
  });
});
