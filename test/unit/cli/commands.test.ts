import { describe, expect, it } from 'vitest';
import { ok } from '../../../src/model/result.ts';
import {
  anApp,
  anEvent,
  anOperation,
  aReplica,
  aService,
  instant,
  refused,
  runCli,
  unreachable,
} from '../../support/cli-fixture.ts';

const files = { 'compose.yaml': 'name: shop\nservices:\n  web:\n    image: nginx:1.27\n    ports: ["8080"]\n' };
const absent = refused(404, 'There is no app «shop».');
const converging = anApp({ converged: false, observedGeneration: 0, serviceList: [aService({ converged: false })] });
const accepted = anOperation({ state: 'accepted', generation: null });
const goesOn = 'The operation goes on. Follow it with `flotilla events shop -f`, or look with `flotilla ps shop`.';

describe('flotilla up', () => {
  it('shows what changes before it applies, tells what happens, and ends with the addresses that answer', async () => {
    const ran = await runCli(['up'], {
      files,
      apps: [absent, converging, anApp()],
      events: [
        anEvent({ at: instant(0), type: 'OperationApplied', service: null, replica: null, message: 'Applied.' }),
        anEvent({ at: instant(0.4), type: 'ReplicaReady' }),
        anEvent({ at: instant(0.4), type: 'EndpointAdded', message: '10.0.0.4 joins the endpoints.' }),
      ],
    });
    expect(ran.out).toEqual([
      'shop → http://127.0.0.1:7071',
      '  + web  add 1 × nginx:1.27',
      '   +0.0s  shop            Applied.',
      '   +0.4s  web/0/1         The replica is ready. 10.0.0.4 joins the endpoints.',
      '',
      'shop is up: 1 of 1 replicas ready after 0.5s.',
      '',
      'SERVICE  SLOT  STATE  POOL  ADDRESS               ANSWER',
      'web      0     ready  east  http://10.0.0.4:8080  HTTP 200',
      '',
      'API  http://127.0.0.1:7071/api/v1',
    ]);
    expect(ran).toMatchObject({ code: 0, errors: [], commands: ['apply shop'] });
  });

  it('says so when an address does not answer from here', async () => {
    const answers = { 'http://10.0.0.4:8080': { answers: false, detail: 'no route from here' } };
    const ran = await runCli(['up'], { files, answers });
    expect(ran.code).toBe(0);
    expect(ran.out).toContain(
      'web      0     ready  east  http://10.0.0.4:8080  not reachable from here: no route from here',
    );
  });

  it('reports every problem of the file at once and sends nothing', async () => {
    const compose = `services:\n  web:\n    imagee: nginx\n    depends_on: [web]\n    ports: ["\${PORT}"]\n`;
    const ran = await runCli(['up', '--name', 'shop'], { files: { 'compose.yaml': compose } });
    expect(ran).toMatchObject({ code: 2, out: [], commands: [] });
    const problems = ran.errors.filter((line) => line.startsWith('error: '));
    expect(problems.map((line) => /^error: (\S+ \S+)/.exec(line)?.[1])).toEqual([
      'compose.yaml:2:3 services.web:',
      'compose.yaml:4:5 services.web.depends_on:',
      'compose.yaml:3:5 services.web.imagee:',
      'compose.yaml:5:13 services.web.ports[0]:',
    ]);
    expect(ran.errors.at(-1)).toBe('4 errors; nothing was sent.');
  });

  it('puts what only the API knows at its place in the file', async () => {
    const problem = { severity: 'error', path: 'services.web.image', problem: 'no.', remedy: 'Do.' } as const;
    const refusal = { type: 't', title: 't', status: 422, detail: 'd', problems: [problem] };
    const overrides = { preview: async () => ({ ok: false, error: { kind: 'refused', problem: refusal } }) as const };
    const ran = await runCli(['up'], { files, overrides });
    expect(ran).toMatchObject({ code: 2, commands: [] });
    expect(ran.errors[0]).toBe('error: compose.yaml:4:5 services.web.image: no.');
  });

  it('ends with the reason when the operation is rejected', async () => {
    const ran = await runCli(['up'], {
      files,
      operations: [accepted, accepted, anOperation({ state: 'superseded', reason: 'NewerCommandApplied' })],
    });
    expect(ran.code).toBe(1);
    expect(ran.errors).toEqual(['error: the apply was superseded: NewerCommandApplied']);
  });

  it('ends with reason and last log lines when a container keeps crashing', async () => {
    const replica = aReplica({
      state: 'starting',
      restartCount: 3,
      reason: 'ContainerCrashed',
      message: 'exit code 1',
      logTail: 'one\ntwo\n',
    });
    const app = anApp({ converged: false, serviceList: [aService({ converged: false, replicas: [replica] })] });
    const ran = await runCli(['up'], { files, apps: [app] });
    expect(ran.code).toBe(1);
    expect(ran.errors).toEqual([
      'error: web/0 was restarted 3 times: exit code 1',
      '',
      'web/0: ContainerCrashed: exit code 1',
      '  | one',
      '  | two',
      '',
      goesOn,
    ]);
  });

  it('stops waiting at --timeout, exactly', async () => {
    const ran = await runCli(['up', '--timeout', '1200ms'], { files, apps: [converging] });
    expect(ran).toMatchObject({ code: 4, tookMs: 1200 });
    expect(ran.errors).toEqual(['error: not converged in time.', goesOn]);
  });

  it('stops waiting when nothing has happened for ten minutes', async () => {
    const ran = await runCli(['up'], { files, apps: [converging], events: [anEvent({ at: instant(60) })] });
    expect(ran.code).toBe(4);
    expect(ran.tookMs).toBe(660_000);
  });

  it('leaves the operation running at Ctrl-C and says how to follow it', async () => {
    const api = ['--api', 'http://fleet:80'];
    const ran = await runCli(['up', ...api], { files, apps: [converging], interruptAfterMs: 900 });
    expect(ran.code).toBe(130);
    expect(ran.errors).toEqual([
      'The operation goes on. Follow it with `flotilla events shop -f --api http://fleet`, or look with `flotilla ps shop --api http://fleet`.',
    ]);
  });

  it('does not wait with --detach', async () => {
    const ran = await runCli(['up', '-d'], { files, operations: [accepted], apps: [converging] });
    expect(ran).toMatchObject({ code: 0, tookMs: 0 });
    expect(ran.out.at(-1)).toBe(`Accepted as operation ${accepted.id}. Follow it with \`flotilla events shop -f\`.`);
  });

  it('bears with an API that is silent for a while', async () => {
    const silent = Array.from({ length: 50 }, () => unreachable);
    const ran = await runCli(['up'], { files, apps: [absent, converging, ...silent, anApp()] });
    expect(ran.code).toBe(0);
  });

  it('gives up on an API that stays silent, and says that the operation goes on', async () => {
    const ran = await runCli(['up'], { files, apps: [absent, converging, unreachable] });
    expect(ran.code).toBe(5);
    expect(ran.errors.at(-1)).toBe(`What was accepted as operation ${accepted.id} goes on.`);
  });

  it('prints one object with --json', async () => {
    const ran = await runCli(['up', '--json'], { files, apps: [absent, converging, anApp()] });
    expect(JSON.parse(ran.out.join('\n'))).toMatchObject({
      outcome: 'converged',
      operation: { state: 'applied' },
      app: { name: 'shop' },
      addresses: [{ service: 'web', slot: 0, address: 'http://10.0.0.4:8080', answer: { answers: true } }],
    });
  });
});

describe('flotilla down', () => {
  it('says what goes and waits until it is gone', async () => {
    const deleting = anApp({ state: 'deleting', converged: false });
    const ran = await runCli(['down', 'shop'], {
      apps: [anApp(), deleting, anApp({ state: 'deleted', serviceList: [] })],
    });
    expect(ran).toMatchObject({ code: 0, commands: ['remove shop'] });
    expect(ran.out).toEqual([
      'shop → http://127.0.0.1:7071',
      '  - web  tear down 1 replica',
      'shop is gone after 0.5s.',
    ]);
  });

  it('does not count replicas of a service that has none', async () => {
    const idle = anApp({ serviceList: [aService({ desired: 0, ready: 0, replicas: [] })] });
    const ran = await runCli(['down', 'shop'], { apps: [idle, anApp({ state: 'deleted', serviceList: [] })] });
    expect(ran.out[1]).toBe('  - web  remove; it has no replicas');
  });

  it('takes the app from the Compose file, here or above, whatever else the file says', async () => {
    const compose = 'name: shop\nservices:\n  web:\n    imagee: nginx\n';
    const ran = await runCli(['down'], { files: { '../compose.yml': compose }, apps: [anApp({ state: 'deleted' })] });
    expect(ran).toMatchObject({ code: 0, commands: ['remove shop'] });
  });

  it('destroys nothing on a guess: without a name and a file it asks', async () => {
    const ran = await runCli(['down']);
    expect(ran).toMatchObject({ code: 2, commands: [] });
    expect(ran.errors).toEqual([
      'error: which app? There is no Compose file here that names one.',
      '  Write `flotilla down APP`. Apps: shop.',
    ]);
  });

  it('fails for an app that does not exist', async () => {
    const ran = await runCli(['down', 'shop'], { apps: [absent], overrides: { apps: async () => ok([]) } });
    expect(ran.code).toBe(1);
    expect(ran.errors).toEqual([
      'error: There is no app «shop».',
      '  Nothing of shop is left to tear down. There are no apps.',
    ]);
  });
});

describe('flotilla ps', () => {
  it('lists the apps', async () => {
    const ran = await runCli(['ps']);
    expect(ran.out).toEqual([
      'APP   STATE      GENERATION  SERVICES  READY',
      'shop  converged  1           1         1/1',
    ]);
  });

  it.each([
    { name: 'degraded while replicas of its newest generation are missing', over: { ready: 3, desired: 4 } },
    { name: 'converging before that', over: { ready: 3, desired: 4, converged: false }, expected: 'converging' },
    { name: 'converged with all its replicas', over: { ready: 4, desired: 4 }, expected: 'converged' },
  ])('calls an app $name', async ({ over, expected = 'degraded' }) => {
    const app = anApp({ ...over, generation: 5, observedGeneration: 5 });
    const shown = await runCli(['ps', 'shop'], { apps: [app] });
    expect(shown.out[0]).toBe(`shop: ${expected}, generation 5, ${over.ready}/4 replicas ready`);
    const listed = await runCli(['ps'], { overrides: { apps: async () => ok([app]) } });
    expect(listed.out[1]).toMatch(new RegExp(`^shop +${expected} `));
  });

  it('shows the replicas of an app, why they are not ready and what they last said', async () => {
    const replicas = [
      aReplica(),
      aReplica({
        slot: 1,
        state: 'unready',
        reason: 'ContainerCrashed',
        message: 'exit code 1',
        logTail: 'boom',
        addresses: [],
        restartCount: 2,
      }),
      aReplica({ slot: 2, state: 'draining', reason: 'Surplus', addresses: [] }),
    ];
    const service = aService({
      converged: false,
      desired: 2,
      replicas,
      reason: 'ReplicasNotReady',
      message: '1 of 2.',
    });
    const ran = await runCli(['ps', 'shop'], {
      apps: [anApp({ converged: false, desired: 2, pendingOperations: ['abc'], serviceList: [service] })],
    });
    expect(ran.out).toEqual([
      'shop: converging, generation 1, 1/2 replicas ready',
      'Not yet applied: operation abc',
      '',
      'SERVICE  SLOT  STATE                       REV  POOL  SINCE  RESTARTS  ADDRESS',
      'web      0     ready                       r1   east  0s     0         http://10.0.0.4:8080',
      'web      1     unready (ContainerCrashed)  r1   east  0s     2         -',
      'web      2     draining (Surplus)          r1   east  0s     0         -',
      '',
      'web: ReplicasNotReady: 1 of 2.',
      '',
      'web/1: ContainerCrashed: exit code 1',
      '  | boom',
    ]);
  });

  it.each([
    {
      name: 'nothing listens',
      error: unreachable,
      code: 5,
      said: 'error: the API at http://127.0.0.1:7071 does not answer (connect ECONNREFUSED).',
    },
    {
      name: 'something else listens',
      error: { kind: 'foreign', message: 'what answers at http://x is not the Flotilla API' } as const,
      code: 5,
      said: 'error: something else is listening at http://127.0.0.1:7071: what answers at http://x is not the Flotilla API.',
    },
    {
      name: 'it is refused',
      error: refused(503, 'The store does not answer.'),
      code: 1,
      said: 'error: The store does not answer.',
    },
  ])('fails with its own code when $name', async ({ error, code, said }) => {
    const ran = await runCli(['ps'], { overrides: { info: async () => ({ ok: false, error }) } });
    expect(ran.code).toBe(code);
    expect(ran.errors[0]).toBe(said);
  });
});

describe('flotilla events', () => {
  const events = [1, 2, 3].map((n) => anEvent({ at: instant(-n), message: `event ${n}` })).reverse();

  it('shows the newest, oldest first, with the app where all are asked for', async () => {
    const ran = await runCli(['events', '-n', '2'], { events });
    expect(ran.out).toEqual([
      '2026-11-24 11:59:58Z  shop  ReplicaReady         web/0/1       event 2',
      '2026-11-24 11:59:59Z  shop  ReplicaReady         web/0/1       event 1',
    ]);
  });

  it('goes on with -f until Ctrl-C, which is no failure', async () => {
    const later = anEvent({ at: instant(2), message: 'later' });
    const ran = await runCli(['events', 'shop', '-f'], { events: [...events, later], interruptAfterMs: 3_500 });
    expect(ran.code).toBe(0);
    expect(ran.out.map((line) => line.slice(-7))).toEqual(['event 3', 'event 2', 'event 1', '  later']);
  });

  it('prints one object per line with --json', async () => {
    const ran = await runCli(['events', 'shop', '--json', '-n', '1'], { events });
    expect(ran.out.map((line) => JSON.parse(line))).toEqual([{ app: 'shop', ...events.at(-1) }]);
  });
});

describe('flotilla config', () => {
  it('prints the document that would be sent, everything resolved', async () => {
    const compose = `name: shop\nservices:\n  web:\n    image: nginx:\${TAG}\n`;
    const ran = await runCli(['config'], { files: { 'compose.yaml': compose }, environment: { TAG: '9' } });
    expect(ran).toMatchObject({ code: 0, commands: [] });
    expect(ran.out).toEqual(['name: shop', 'services:', '  web:', '    image: nginx:9']);
  });

  it('doubles every `$`, so that the output can be given to `up`', async () => {
    const compose = 'name: shop\nservices:\n  web:\n    image: a\n    environment:\n      A: $$HOME\n';
    const ran = await runCli(['config'], { files: { 'compose.yaml': compose } });
    expect(ran.out.at(-1)).toBe('      A: $$HOME');
  });

  it('merges an override file, and files that are named', async () => {
    const files = {
      'compose.yaml': 'name: shop\nservices:\n  web:\n    image: a\n',
      'compose.override.yaml': 'services:\n  web:\n    image: b\n',
      'over.yaml': 'services:\n  web:\n    image: c\n',
    };
    expect((await runCli(['config'], { files })).out.at(-1)).toBe('    image: b');
    expect((await runCli(['config', '-f', 'compose.yaml', '-f', 'over.yaml'], { files })).out.at(-1)).toBe(
      '    image: c',
    );
  });
});
