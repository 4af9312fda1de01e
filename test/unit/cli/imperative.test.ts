import { describe, expect, it } from 'vitest';
import {
  anApp,
  anEvent,
  anOperation,
  aReplica,
  aService,
  instant,
  refused,
  runCli,
} from '../../support/cli-fixture.ts';

const twoServices = anApp({
  services: 2,
  serviceList: [aService({ name: 'api', replicas: [aReplica(), aReplica({ slot: 1 })], desired: 2 }), aService()],
});
const busy = anApp({ ...twoServices, converged: false, observedGeneration: 0 });

describe('flotilla scale, restart, stop and start', () => {
  it.each([
    {
      line: 'scale shop.web=5',
      sent: { command: 'scale', services: { web: 5 } },
      shown: ['  ~ web  scale 1 → 5'],
      done: 'Scaled after 0.5s.',
    },
    {
      line: 'restart shop',
      sent: { command: 'restart' },
      shown: ['  ~ api  replace 2 replicas, one at a time', '  ~ web  replace 1 replica, one at a time'],
      done: 'Restarted after 0.5s.',
    },
    {
      line: 'stop shop.api',
      sent: { command: 'stop', services: ['api'] },
      shown: ['  ~ api  stop: remove 2 replicas, keep the spec'],
      done: 'Stopped after 0.5s.',
    },
    {
      line: 'start shop.api',
      sent: { command: 'start', services: ['api'] },
      shown: ['  ~ api  is not stopped'],
      done: 'Started after 0.5s.',
    },
  ])('`$line` says what it will do, does it and waits', async ({ line, sent, shown, done }) => {
    const events = [
      anEvent({ at: instant(0.2), type: 'OperationApplied', service: null, replica: null, message: 'Applied.' }),
    ];
    const ran = await runCli(line.split(' '), { apps: [twoServices, busy, twoServices], events });
    expect(ran).toMatchObject({ code: 0, errors: [], commands: [`${JSON.stringify(sent)} shop`] });
    expect(ran.out).toEqual(['shop → http://127.0.0.1:7071', ...shown, '   +0.2s  shop            Applied.', done]);
  });

  it('names what the app does not have, and sends nothing', async () => {
    const ran = await runCli(['scale', 'shop.wbe=5', 'shop.api=1'], { apps: [twoServices] });
    expect(ran).toMatchObject({ code: 2, out: [], commands: [] });
    expect(ran.errors).toEqual(['error: shop has no service `wbe`; did you mean `web`?', '  Services: api, web.']);
  });

  it('says so when there is no such app', async () => {
    const ran = await runCli(['restart', 'shop'], { apps: [refused(404, 'There is no app «shop».')] });
    expect(ran).toMatchObject({ code: 1, errors: ['error: There is no app «shop».'], commands: [] });
  });

  it('tells what the operation warns of', async () => {
    const problems = [
      { severity: 'warning' as const, path: 'services.web', problem: 'web is stopped.', remedy: 'Start it.' },
    ];
    const ran = await runCli(['scale', 'shop.web=5'], { apps: [twoServices], operations: [anOperation({ problems })] });
    expect(ran).toMatchObject({ code: 0, errors: ['warning: services.web: web is stopped.', '  Start it.'] });
  });

  it('does not wait when told so, and gives one object with --json', async () => {
    const detached = await runCli(['stop', 'shop', '-d'], { apps: [twoServices] });
    expect(detached.out.at(-1)).toMatch(/^Accepted as operation /);
    const json = await runCli(['stop', 'shop', '--json'], { apps: [twoServices] });
    expect(JSON.parse(json.out.join('\n'))).toMatchObject({ outcome: 'converged', app: { name: 'shop' } });
  });

  it('ends with 3 where the app is frozen, and says how to go on', async () => {
    const ran = await runCli(['scale', 'shop.web=5'], { apps: [anApp({ ...busy, frozen: true })] });
    expect(ran.code).toBe(3);
    expect(ran.errors[0]).toBe(
      'warning: shop is frozen: the command is noted, and nothing is created or deleted until `flotilla thaw shop`.',
    );
  });

  it('ends with 1 where the operation was rejected by the time it was its turn', async () => {
    const operation = anOperation({ state: 'rejected', command: 'scale', reason: 'AppBeingDeleted' });
    const ran = await runCli(['scale', 'shop.web=5'], { apps: [twoServices], operations: [operation] });
    expect(ran).toMatchObject({ code: 1, errors: ['error: the scale was rejected: AppBeingDeleted'] });
  });
});

describe('flotilla freeze and thaw', () => {
  it.each([
    ['freeze', busy, '  nothing is created or deleted until it is thawed', 'Frozen after 0.0s.'],
    ['thaw', anApp({ ...busy, frozen: true }), '  what was noted meanwhile goes on', 'Thawed after 0.0s.'],
    ['thaw', busy, '  it is not frozen', 'Thawed after 0.0s.'],
  ])('%s waits only until it is applied', async (command, app, shown, done) => {
    const ran = await runCli([command, 'shop'], { apps: [app] });
    expect(ran).toMatchObject({ code: 0, commands: [`${JSON.stringify({ command })} shop`] });
    expect(ran.out).toEqual(['shop → http://127.0.0.1:7071', shown, done]);
  });
});

describe('flotilla ps of what is stopped or frozen', () => {
  it('shows a service without replicas, and why', async () => {
    const serviceList = [aService({ name: 'api', desired: 0, ready: 0, stopped: true, replicas: [] }), aService()];
    const ran = await runCli(['ps', 'shop'], { apps: [anApp({ serviceList })] });
    expect(ran.out).toContain('api      -     stopped  r1   -     -      -         -');
  });

  it.each([
    [anApp({ frozen: true }), 'shop: frozen, generation 1, 1/1 replicas ready'],
    [anApp({ stopped: true, ready: 0, desired: 0 }), 'shop: stopped, generation 1, 0/0 replicas ready'],
    [anApp({ frozen: true, state: 'deleting' }), 'shop: deleting, frozen, generation 1, 1/1 replicas ready'],
  ])('says it of the app', async (app, head) => {
    const ran = await runCli(['ps', 'shop'], { apps: [app] });
    expect(ran.out[0]).toBe(head);
    expect(ran.out.includes('Frozen: nothing is created or deleted until `flotilla thaw shop`.')).toBe(app.frozen);
  });

  it('down of a frozen app does not wait for ever', async () => {
    const ran = await runCli(['down', 'shop'], { apps: [anApp({ frozen: true, state: 'deleting' })] });
    expect(ran).toMatchObject({ code: 3, commands: ['remove shop'] });
  });
});
