/**
 * What `exec` and `attach` do once ARM has answered: websockets with a password, a terminal or an output behind them. Asked through the real
 * `@azure/arm-containerinstance` client and a websocket client. Programs are those that every back end has.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { ArmTarget } from '../support/arm-session.ts';

export interface TerminalsContract {
  readonly name: string;
  readonly connect: () => Promise<ArmTarget>;
  /** It runs until it is stopped, and has a shell. */
  readonly image: string;
}

/** A connection, and everything it has shown. */
class Screen {
  shown = '';
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly socket: WebSocket;
  constructor(uri: string, ca: string | undefined, authorization?: string) {
    this.socket = new WebSocket(uri, { ...(ca && { ca }), ...(authorization && { headers: { authorization } }) });
    this.socket.on('message', (data) => {
      this.shown += String(data);
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
    });
  }

  async opened(): Promise<this> {
    await new Promise((resolve, reject) => this.socket.once('open', resolve).once('error', reject));
    return this;
  }

  type(keys: string): void {
    this.socket.send(keys);
  }
}

export function runTerminalsContract({ name, connect, image }: TerminalsContract): void {
  describe(name, () => {
    let target: ArmTarget;
    let group = '';
    let count = 0;
    const open: Screen[] = [];

    const start = async (env: Readonly<Record<string, string>> = {}, command?: string[]) => {
      const fresh = `t-${count++}`;
      const poller = await target.client().containerGroups.beginCreateOrUpdate(target.resourceGroup, fresh, {
        location: 'eastus',
        osType: 'Linux',
        containers: [
          {
            name: 'web',
            image,
            ...(command && { command }),
            resources: { requests: { cpu: 0.5, memoryInGB: 0.5 } },
            environmentVariables: Object.entries(env).map(([key, value]) => ({ name: key, value })),
          },
        ],
      });
      await target.until(`${fresh} runs`, async () => {
        if (!poller.isDone()) await poller.poll();
        return poller.isDone();
      });
      return fresh;
    };
    const exec = (command: string, of = group, size = { rows: 24, cols: 80 }) =>
      target.client().containers.executeCommand(target.resourceGroup, of, 'web', { command, terminalSize: size });
    const connected = async (uri: string | undefined, authorization?: string) => {
      const screen = await new Screen(uri ?? '', target.ca, authorization).opened();
      open.push(screen);
      return screen;
    };
    /** Runs a program on a terminal of its own. */
    const run = async (command: string, of = group) => {
      const { webSocketUri, password } = await exec(command, of);
      const screen = await connected(webSocketUri);
      screen.type(password ?? '');
      return screen;
    };
    const shows = (screen: Screen, text: string | RegExp) =>
      target.until(`the terminal shows ${text}, not ${JSON.stringify(screen.shown)}`, async () =>
        typeof text === 'string' ? screen.shown.includes(text) : text.test(screen.shown),
      );
    const ends = (screen: Screen) => target.until('the connection is closed', async () => screen.closed !== undefined);

    beforeAll(async () => {
      target = await connect();
      group = await start({ GREETING: 'hello there' });
    });
    afterAll(async () => {
      for (const screen of open) screen.socket.terminate();
      await target?.close();
    });

    it('answers exec with a websocket address that tells the size of the terminal, and a password', async () => {
      const answer = await exec('/bin/sh', group, { rows: 12, cols: 34 });
      expect(answer.webSocketUri).toMatch(/^wss:\/\/.*\/exec\/\w+\?rows=12&cols=34&api-version=/);
      expect(answer.password?.length).toBeGreaterThan(20);
    });

    it('runs a shell that takes lines until it exits', async () => {
      const screen = await run('/bin/sh');
      await shows(screen, /[#$] $/);
      screen.type('echo "one  two" && env\r');
      await shows(screen, 'GREETING=hello there\r\n');
      expect(screen.shown).toContain('\r\none  two\r\n');
      screen.type('exit\r');
      await ends(screen);
      expect(screen.closed?.code).toBe(1000);
    });

    it('echoes what is typed, takes back what is erased, and stops what is interrupted', async () => {
      const screen = await run('sh');
      await shows(screen, /[#$] $/);
      screen.type('echo abX\x7fc\r');
      await shows(screen, '\r\nabc\r\n');
      screen.type('sleep 600\r');
      await shows(screen, 'sleep 600\r\n');
      screen.type('\x03');
      await shows(screen, '^C');
      screen.type('echo alive\r');
      await shows(screen, '\r\nalive\r\n');
      screen.type('\x04');
      await ends(screen);
    });

    it('runs one program and ends with it', async () => {
      const screen = await run('hostname');
      await ends(screen);
      expect(screen.shown).toMatch(/^\S+\r\n$/);
    });

    it.each([
      { command: 'echo hello', why: 'executable file not found in $PATH' },
      { command: '/bin/echo hello', why: 'no such file or directory' },
    ])('takes "$command" for the name of one program: there are no arguments', async ({ command, why }) => {
      const screen = await run(command);
      await ends(screen);
      expect(screen.shown).toContain('OCI runtime exec failed');
      expect(screen.shown).toContain(`"${command}"`);
      expect(screen.shown).toContain(why);
    });

    it('lets nobody in with another password, and nobody twice', async () => {
      const { webSocketUri, password } = await exec('/bin/sh');
      const stranger = await connected(webSocketUri);
      stranger.type('guess');
      await ends(stranger);
      expect(stranger.closed?.code).toBe(1008);
      const owner = await connected(webSocketUri);
      owner.type(password ?? '');
      await shows(owner, /[#$] $/);
      const second = await connected(webSocketUri);
      second.type(password ?? '');
      await ends(second);
      expect(second.closed?.code).toBe(1008);
    });

    it('ends a terminal with the container that it is in', async () => {
      const name = await start();
      const screen = await run('/bin/sh', name);
      await shows(screen, /[#$] $/);
      await target.control('POST', `/control/groups/${name}/containers/web/crash`, {});
      await ends(screen);
    });

    it('refuses what has no command, what is not there, and what does not run', async () => {
      const failing = async (work: Promise<unknown>) =>
        work.then(
          () => ({}),
          (error: unknown) => error,
        );
      expect(await failing(exec(''))).toMatchObject({ code: 'InvalidExecCommand', statusCode: 400 });
      expect(await failing(exec('sh', 'nobody'))).toMatchObject({ code: 'ResourceNotFound', statusCode: 404 });
      const name = await start();
      await target.control('POST', `/control/groups/${name}/containers/web/crash`, {});
      expect(await failing(exec('sh', name))).toMatchObject({ code: 'ContainerNotRunning', statusCode: 409 });
    });

    it('attaches to what the container prints from now on, by the password in a header', async () => {
      const name = await start();
      const { webSocketUri, password } = await target.client().containers.attach(target.resourceGroup, name, 'web');
      expect(webSocketUri).toMatch(/^wss:\/\/.*\/logstream\/sessionId\//);
      const stranger = await connected(webSocketUri, 'guess');
      await ends(stranger);
      expect(stranger.closed?.code).toBe(1008);
      const screen = await connected(webSocketUri, password);
      await target.control('POST', `/control/groups/${name}/containers/web/crash`, { exitCode: 3 });
      await ends(screen);
    });
  });
}
