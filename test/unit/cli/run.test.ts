/** `flotilla run` and `flotilla runs`: what is asked for, what is shown, and with which code they end. */
import { describe, expect, it } from 'vitest';
import type { LogsQuery } from '../../../src/client/client.ts';
import type { Imperative, OperationResource, RunResource } from '../../../src/model/api.ts';
import { err, ok } from '../../../src/model/result.ts';
import { anOperation, instant, refused, runCli, unreachable } from '../../support/cli-fixture.ts';

const aRun = (over: Partial<RunResource> = {}): RunResource => ({
  id: 'web.7',
  service: 'web',
  name: null,
  operation: anOperation().id,
  revision: 1,
  state: 'running',
  exitCode: null,
  reason: null,
  message: null,
  pool: 'east',
  group: 'f-0-web',
  createdAt: instant(0),
  startedAt: instant(1),
  endedAt: null,
  deadlineAt: instant(3600),
  cleanedUp: false,
  ...over,
});
const ended = (over: Partial<RunResource> = {}) =>
  aRun({ state: 'succeeded', exitCode: 0, endedAt: instant(2), cleanedUp: true, ...over });

interface Scene {
  /** What each look finds, in turn; the last one stays. null = the API does not answer. */
  readonly looks: readonly (RunResource | null)[];
  /** Lines that each read of the log finds. */
  readonly logs?: readonly (readonly string[])[];
  readonly operation?: Partial<OperationResource>;
  readonly interruptAfterMs?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

async function play({ looks, logs = [], operation = {}, ...options }: Scene, ...argv: readonly string[]) {
  const asked: Imperative[] = [];
  const reads: LogsQuery[] = [];
  let look = 0;
  const lineAt = (text: string, n: number) => ({ at: instant(n + 1), text });
  const ran = await runCli(['run', ...argv], {
    ...options,
    overrides: {
      command: async (_, body) => {
        asked.push(body);
        return ok(anOperation({ command: body.command, state: 'accepted' }));
      },
      operation: async () => ok(anOperation({ command: 'run', ...operation })),
      runs: async () => {
        const run = looks[Math.min(look++, looks.length - 1)];
        return run === null || run === undefined ? err(unreachable) : ok({ runs: [run] });
      },
      logs: async (_, query) => {
        const lines = logs[Math.min(reads.length, logs.length - 1)] ?? [];
        reads.push(query);
        const log = { service: 'web', slot: 10_007, incarnation: 7, container: 'web', state: 'starting' as const };
        return ok({
          logs: [{ ...log, lines: lines.map(lineAt), truncated: false, problem: null, retryAfterMs: null }],
          omitted: 0,
        });
      },
    },
  });
  return { ...ran, asked, reads };
}

describe('flotilla run', () => {
  it('asks for the run, shows each line once, and ends with the code of the program', async () => {
    const looks = [aRun({ state: 'waiting' }), aRun(), aRun(), ended({ state: 'failed', exitCode: 3 })];
    const logs = [['one'], ['one', 'two'], ['one', 'two', 'three']];
    const ran = await play(
      { looks, logs },
      'shop.web',
      '-e',
      'A=1=2',
      '--name',
      'nightly',
      '--timeout',
      '10m',
      '--',
      'x',
      '--all',
    );
    expect(ran.asked).toEqual([
      {
        command: 'run',
        service: 'web',
        program: ['x', '--all'],
        environment: { A: '1=2' },
        name: 'nightly',
        timeoutMs: 600_000,
      },
    ]);
    expect(ran.out).toEqual(['one', 'two', 'three']);
    expect(ran.reads[0]).toEqual({ service: 'web', run: 7, tail: 5_000 });
    expect(ran).toMatchObject({ code: 3, errors: [] });
  });

  it('takes words behind the service for the program, whatever they look like, also without --', async () => {
    const ran = await play({ looks: [ended()] }, '--name', 'n', 'shop.web', 'node', 'x.js', '-e', '--timeout');
    expect(ran.asked).toEqual([
      { command: 'run', service: 'web', program: ['node', 'x.js', '-e', '--timeout'], name: 'n' },
    ]);
  });

  it('runs what the service runs where no program is given', async () => {
    expect((await play({ looks: [ended()] }, 'shop.web')).asked).toEqual([{ command: 'run', service: 'web' }]);
  });

  it('takes the value of a variable that is only named from here, and refuses one that is not there', async () => {
    const environment = { TOKEN: 't' };
    expect((await play({ looks: [ended()], environment }, 'shop.web', '-e', 'TOKEN')).asked).toMatchObject([
      { environment: { TOKEN: 't' } },
    ]);
    const ran = await play({ looks: [ended()] }, 'shop.web', '-e', 'TOKEN');
    expect(ran).toMatchObject({ code: 2, asked: [], errors: [expect.stringContaining('no such variable here')] });
  });

  it('reads the log once more when nothing of the run stands any more: its last lines are kept then', async () => {
    const looks = [aRun(), ended({ cleanedUp: false }), ended()];
    expect((await play({ looks, logs: [[], [], ['last']] }, 'shop.web')).out).toEqual(['last']);
  });

  it('says once what a run waits for', async () => {
    const waiting = aRun({ state: 'waiting', reason: 'NoPoolWithRoom', message: 'no room in east.' });
    const ran = await play({ looks: [waiting, waiting, waiting, ended()] }, 'shop.web');
    expect(ran).toMatchObject({ code: 0, errors: ['web.7: no room in east.'] });
  });

  it('ends with 125 and the reason where nobody can tell the code', async () => {
    const lost = ended({
      state: 'failed',
      exitCode: null,
      reason: 'RunTimedOut',
      message: 'It was not over at its deadline.',
    });
    expect(await play({ looks: [aRun(), lost] }, 'shop.web')).toMatchObject({
      code: 125,
      errors: ['error: web.7 is over, and the exit code of its program is not known: It was not over at its deadline.'],
    });
  });

  it('ends the run at Ctrl-C, and itself with 130', async () => {
    const ran = await play({ looks: [aRun()], interruptAfterMs: 2_000 }, 'shop.web');
    expect(ran.asked.at(-1)).toEqual({ command: 'cancel', run: 'web.7' });
    expect(ran).toMatchObject({ code: 130, errors: ['web.7 is being ended.'] });
  });

  it('bears an API that is silent for a while, and gives up after a minute', async () => {
    expect(await play({ looks: [aRun(), null, null, ended()] }, 'shop.web')).toMatchObject({ code: 0 });
    expect(await play({ looks: [aRun(), null] }, 'shop.web')).toMatchObject({ code: 5 });
  });

  it('prints the id and waits for nothing with --detach', async () => {
    expect(await play({ looks: [aRun({ state: 'waiting' })] }, '-d', 'shop.web', 'x')).toMatchObject({
      code: 0,
      out: ['web.7'],
      reads: [],
    });
  });

  it('says why a run is rejected', async () => {
    const problem = { severity: 'error' as const, path: 'command', problem: '20 runs are not over.', remedy: 'Wait.' };
    const operation = { state: 'rejected' as const, reason: 'TooManyRuns', problems: [problem] };
    const ran = await play({ looks: [ended()], operation }, 'shop.web');
    expect(ran.code).toBe(125);
    expect(ran.errors.join('\n')).toMatch(/the run was rejected: TooManyRuns[\s\S]*20 runs are not over/);
  });

  it.each([
    { argv: ['shop'], says: /`shop` is an app/ },
    { argv: ['shop.web.0', 'x'], says: /a run has a container of its own: name the service, shop\.web/ },
    { argv: ['shop.web', '-e', '1A=x'], says: /--env 1A: give NAME=VALUE/ },
    { argv: ['shop.web', '--name', 'No'], says: /--name No/ },
    { argv: ['shop.web', '--timeout', '25h'], says: /from 1s to 24h/ },
  ])('refuses $argv before anything is sent', async ({ argv, says }) => {
    const ran = await play({ looks: [ended()] }, ...argv);
    expect(ran).toMatchObject({ code: 2, asked: [] });
    expect(ran.errors[0]).toMatch(says);
  });
});

describe('flotilla runs', () => {
  const list = (...runs: readonly RunResource[]) => ({ runs: async () => ok({ runs }) });

  it('lists them with how they ended', async () => {
    const ran = await runCli(['runs', 'shop'], {
      overrides: list(aRun(), ended({ id: 'web.6', name: 'nightly', state: 'failed', exitCode: 3 })),
    });
    expect(ran.out.map((line) => line.split(/ {2,}/).slice(0, 4))).toEqual([
      ['RUN', 'NAME', 'STATE', 'EXIT'],
      ['web.7', '-', 'running', '-'],
      ['web.6', 'nightly', 'failed', '3'],
    ]);
  });

  it('says so where there are none', async () => {
    expect((await runCli(['runs', 'shop'], { overrides: list() })).out).toEqual(['shop has no runs.']);
  });

  it('ends one that is under way, and leaves one that is over', async () => {
    const ran = await runCli(['runs', 'shop', '--cancel', 'web.7'], { overrides: list(aRun()) });
    expect(ran).toMatchObject({
      code: 0,
      out: ['web.7 is being ended.'],
      commands: ['{"command":"cancel","run":"web.7"} shop'],
    });
    const over = await runCli(['runs', 'shop', '--cancel', 'web.7'], { overrides: list(ended()) });
    expect(over).toMatchObject({ code: 0, out: ['web.7 is over already.'], commands: [] });
  });

  it('refuses one that is not there, and an app that is not', async () => {
    expect(await runCli(['runs', 'shop', '--cancel', 'web.9'], { overrides: list(aRun()) })).toMatchObject({
      code: 2,
      commands: [],
    });
    expect(await runCli(['runs', 'shop', '--cancel', '9'], {})).toMatchObject({ code: 2 });
    const absent = { runs: async () => err(refused(404, 'There is no app «shop».')) };
    expect(await runCli(['runs', 'shop'], { overrides: absent })).toMatchObject({
      code: 1,
      errors: ['error: There is no app «shop».'],
    });
  });
});
