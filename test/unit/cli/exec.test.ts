/** `flotilla exec`: what is asked of the API, what is sent and shown, and how it ends. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type Place, readKeys } from '../../../src/cli/escape.ts';
import { createKeyboard, type Keyboard } from '../../../src/cli/keyboard.ts';
import type { Connection } from '../../../src/cli/web-socket.ts';
import type { ExecRequest, ExecResource } from '../../../src/model/api.ts';
import { err, ok } from '../../../src/model/result.ts';
import { refused, runCli } from '../../support/cli-fixture.ts';

const session: ExecResource = {
  service: 'web',
  slot: 0,
  incarnation: 3,
  container: 'web',
  state: 'ready',
  webSocketUri: 'wss://aci.test/exec/1?rows=24',
  password: 'pass-1',
};

interface Scene {
  readonly given?: Partial<ExecResource>;
  readonly isTerminal?: boolean;
  /** Typed or piped in, one part at a time; then the input ends. */
  readonly typed?: readonly string[];
  /** Shown by the program before it ends, once everything was typed. */
  readonly shown?: string;
  readonly code?: number;
  /** The program goes on until this side hangs up. */
  readonly endless?: boolean;
  readonly interrupted?: boolean;
  readonly files?: Readonly<Record<string, string>>;
}

async function play(scene: Scene, ...argv: readonly string[]) {
  const asked: ExecRequest[] = [];
  const sent: string[] = [];
  const dialled: { uri: string; ca: string | null }[] = [];
  let screen = '';
  let isRaw = false;
  let hangUp: () => void = () => {};
  const hungUp = new Promise<void>((resolve) => {
    hangUp = resolve;
  });
  let typedAll: () => void = () => {};
  const typed = new Promise<void>((resolve) => {
    typedAll = resolve;
  });
  const keyboard: Keyboard = {
    isTerminal: scene.isTerminal ?? true,
    size: () => ({ rows: 40, cols: 120 }),
    listen(onKeys, onEnd) {
      isRaw = true;
      void (async () => {
        for (const part of scene.typed ?? []) {
          await onKeys(Buffer.from(part));
        }
        if (!scene.isTerminal && scene.isTerminal !== undefined) onEnd();
        await new Promise(setImmediate);
        typedAll();
      })();
      return {
        end() {
          isRaw = false;
        },
      };
    },
    show: async (bytes) => {
      screen += Buffer.from(bytes).toString();
    },
  };
  const connection: Connection = {
    say: (text) => void sent.push(`text:${text}`),
    send: async (bytes) => void sent.push(Buffer.from(bytes).toString()),
    received: (async function* () {
      await typed;
      if (scene.shown) yield Buffer.from(scene.shown);
      if (scene.endless) await hungUp;
    })(),
    ended: () => ({ code: scene.code ?? 1000, reason: '' }),
    close: () => hangUp(),
  };
  const ran = await runCli(['exec', ...argv], {
    keyboard,
    ...(scene.files && { files: scene.files }),
    dial: async (uri, { ca }) => {
      dialled.push({ uri, ca });
      return ok(connection);
    },
    interrupted: scene.interrupted ?? false,
    overrides: {
      exec: async (app, request) => {
        asked.push(request);
        expect(app).toBe('shop');
        return ok({ ...session, ...scene.given });
      },
    },
  });
  return { ...ran, asked, sent, dialled, screen, isRaw };
}

describe('flotilla exec', () => {
  it('asks for a terminal of this size, says the password first, and shows what comes', async () => {
    const ran = await play({ shown: 'hello\r\n', typed: ['ls\r'] }, 'shop.web.0', '-c', 'web', '--', '/bin/sh');
    expect(ran.code).toBe(0);
    expect(ran.asked).toEqual([
      { service: 'web', slot: 0, container: 'web', command: '/bin/sh', terminalSize: { rows: 40, cols: 120 } },
    ]);
    expect(ran.sent).toEqual(['text:pass-1', 'ls\r']);
    expect(ran.screen).toBe('hello\r\n');
    expect([...ran.out, ...ran.errors]).toEqual([]);
  });

  it('hands over Ctrl-C and Ctrl-D like any other key', async () => {
    expect((await play({ typed: ['\x03', '\x04'] }, 'shop.web', '--', 'sh')).sent.slice(1)).toEqual(['\x03', '\x04']);
  });

  it.each([
    { name: 'a Ctrl-D after whole lines', typed: ['echo 1\n', 'echo 2\n'], sent: ['echo 1\n', 'echo 2\n', '\x04'] },
    { name: 'an end of line before it where the last one has none', typed: ['echo 1'], sent: ['echo 1', '\n\x04'] },
    { name: 'a Ctrl-D alone for nothing', typed: [], sent: ['\x04'] },
    { name: 'no way out by ~., which is text there', typed: ['~.\n'], sent: ['~.\n', '\x04'] },
  ])('gives what is piped in, and $name', async ({ typed, sent }) => {
    expect((await play({ isTerminal: false, typed }, 'shop.web', '--', 'sh')).sent.slice(1)).toEqual(sent);
  });

  it('says which replica it is where that is not ready', async () => {
    expect((await play({ given: { state: 'unready', slot: 2 } }, 'shop.web', '--', 'sh')).errors).toEqual([
      'shop.web.2 is unready.',
    ]);
  });

  it.each([
    { code: 1000, exit: 0, says: [] },
    { code: 1005, exit: 0, says: [] },
    { code: 1006, exit: 1, says: ['error: the connection to shop.web.0 was lost; its program may go on.'] },
    { code: 1008, exit: 1, says: ['error: ACI turned the connection to shop.web.0 away.'] },
    { code: 1011, exit: 1, says: ['error: ACI could not go on with the terminal of shop.web.0.'] },
  ])('ends with $exit when the connection ends with $code', async ({ code, exit, says }) => {
    const ran = await play({ code }, 'shop.web', '--', 'sh');
    expect(ran).toMatchObject({ code: exit, errors: says, isRaw: false });
  });

  it('is left by ~. where the program heeds no key', async () => {
    const ran = await play({ typed: ['\r', '~', '.'], endless: true }, 'shop.web', '--', 'sh');
    expect(ran).toMatchObject({
      code: 1,
      isRaw: false,
      errors: ['Disconnected; the program in shop.web.0 may go on.'],
    });
    expect(ran.sent.slice(1)).toEqual(['\r']);
  });

  it('ends with 130 at a Ctrl-C that no terminal takes', async () => {
    const ran = await play({ isTerminal: false, endless: true, interrupted: true }, 'shop.web', '--', 'sh');
    expect(ran).toMatchObject({ code: 130, isRaw: false });
  });

  it('trusts what the platform on this machine has left, for its own addresses alone', async () => {
    const access = { api: 'http://127.0.0.1:7071', key: 'k', ca: '/data/ca.pem' };
    const files = { '/home/me/.flotilla/loopback/7071.json': JSON.stringify(access), '/data/ca.pem': 'PEM' };
    const local = { ...session, webSocketUri: 'wss://127.0.0.1:4430/exec/1' };
    expect((await play({ files, given: local }, 'shop.web', '--', 'sh')).dialled[0]).toMatchObject({ ca: 'PEM' });
    expect((await play({ files }, 'shop.web', '--', 'sh')).dialled[0]).toMatchObject({ ca: null });
  });

  it('sends no password in the clear', async () => {
    const ran = await play({ given: { webSocketUri: 'ws://aci.test/exec/1' } }, 'shop.web', '--', 'sh');
    expect(ran).toMatchObject({ code: 1, dialled: [], sent: [] });
  });

  it('says why it cannot connect, and what the API refuses', async () => {
    const overrides = { exec: async () => ok(session) };
    const deaf = await runCli(['exec', 'shop.web', 'sh'], { overrides, dial: async () => err('no route to host') });
    expect(deaf).toMatchObject({ code: 1 });
    expect(deaf.errors).toEqual(['error: the terminal of shop.web.0 cannot be reached: no route to host.']);
    const no = { exec: async () => err(refused(409, 'web.0 is creating: no container of it runs.')) };
    expect(await runCli(['exec', 'shop.web', 'sh'], { overrides: no })).toMatchObject({
      code: 1,
      errors: ['error: web.0 is creating: no container of it runs.'],
    });
  });

  it.each([
    { argv: ['shop', '--', 'sh'], says: /`shop` is an app: name a service/ },
    { argv: ['shop.web'], says: /`exec` needs -- PROGRAM/ },
    {
      argv: ['shop.web', 'ls', '-l'],
      says: /without arguments\. Pipe .*`echo 'ls -l' \| flotilla exec shop\.web -- sh`/,
    },
    { argv: ['shop.web', '--', 'sh -c ls'], says: /without arguments/ },
    { argv: ['shop.web', '--containr', 'x', '--', 'sh'], says: /did you mean `--container`/ },
  ])('refuses $argv before anything is sent', async ({ argv, says }) => {
    const ran = await runCli(['exec', ...argv]);
    expect(ran.code).toBe(2);
    expect(ran.errors[0]).toMatch(says);
  });
});

describe('typing', () => {
  const type = (text: string, from: Place = 'lineStart') => {
    const { keys, place, leaves } = readKeys(Buffer.from(text), from);
    return { keys: Buffer.from(keys).toString(), place, leaves };
  };
  it.each([
    { name: 'goes to the program', typed: 'ls', keys: 'ls', place: 'within', leaves: false },
    { name: 'leaves by ~. on a new line', typed: 'ls\r~.', keys: 'ls\r', place: 'tilde', leaves: true },
    { name: 'holds a ~ back there', typed: '~', keys: '', place: 'tilde', leaves: false },
    { name: 'gives it with the key that follows', typed: '~x', keys: '~x', place: 'within', leaves: false },
    { name: 'gives one for two', typed: '~~.', keys: '~.', place: 'within', leaves: false },
    { name: 'stays at a ~. within a line', typed: 'cd ~.', keys: 'cd ~.', place: 'within', leaves: false },
    { name: 'stays when a line ends behind ~', typed: '~\r', keys: '~\r', place: 'lineStart', leaves: false },
  ])('$name', ({ name: _, typed, ...expected }) => expect(type(typed)).toEqual(expected));

  it('goes on where the last keys have ended', () => {
    expect(type('.', 'tilde')).toMatchObject({ leaves: true });
    expect(type('~.', 'within')).toMatchObject({ leaves: false });
  });
});

describe('the keyboard', () => {
  it('is raw while it is listened to, and as it was afterwards', () => {
    const modes: boolean[] = [];
    const input = Object.assign(new PassThrough(), {
      isTTY: true,
      setRawMode: (mode: boolean) => modes.push(mode),
    });
    const keyboard = createKeyboard(input as never, process.stdout);
    const before = process.listenerCount('SIGTERM');
    const listening = keyboard.listen(
      async () => {},
      () => {},
    );
    expect([keyboard.isTerminal, process.listenerCount('SIGTERM')]).toEqual([true, before + 1]);
    listening.end();
    listening.end();
    expect(modes).toEqual([true, false, false]);
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});
