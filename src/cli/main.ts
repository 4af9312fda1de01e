/** `flotilla` as a process: gives the commands the real file system, network, clock and terminal. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '../client/client.ts';
import { createFaultConsole } from '../client/fault-console.ts';
import { exitCodes } from './exit-codes.ts';
import { createKeyboard } from './keyboard.ts';
import { knock } from './knock.ts';
import { run } from './run.ts';
import { createTerminal } from './terminal.ts';
import { dial } from './web-socket.ts';

const interruption = new AbortController();
if (process.channel) {
  // Whoever started this process with a channel decides when it ends, and gets the same Ctrl-C.
  process.on('SIGINT', () => undefined);
  process.once('disconnect', () => process.exit(exitCodes.interrupted));
  process.channel.unref();
} else {
  // A second Ctrl-C finds no handler and ends the process.
  process.once('SIGINT', () => interruption.abort());
}
// A reader that has seen enough (`| head`) closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const sleep = (ms: number): Promise<void> =>
  delay(ms, undefined, { signal: interruption.signal }).catch(() => undefined);

async function readBytes(path: string): Promise<Buffer | undefined> {
  if (path === '-') return await buffer(process.stdin);
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole or not at all, and for the user alone from the first byte on. */
async function writePrivateFile(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, content, { mode: 0o600 });
  await rename(temporary, path);
}

process.exitCode = await run(process.argv.slice(2), {
  environment: process.env,
  workingDirectory: process.cwd(),
  readFile: async (path) => (await readBytes(path))?.toString(),
  readBytes,
  homeDirectory: homedir(),
  writePrivateFile,
  connect: (baseUrl, key) => createClient({ baseUrl, ...(key !== undefined && { key }), fetch, sleep }),
  connectConsole: (baseUrl) => createFaultConsole({ baseUrl, fetch }),
  knock,
  terminal: createTerminal(process.stdout, process.stderr, process.env),
  keyboard: createKeyboard(process.stdin, process.stdout),
  dial,
  now: Date.now,
  sleep,
  interrupted: interruption.signal,
  isSupervised: process.channel !== undefined && process.channel !== null,
  newKey: randomUUID,
});
