/**
 * The real clock and the real file system, kept before anything is patched: for the loader, the speed report and the watchdog. Nothing of
 * the world or of a host may import this file.
 */
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { gzip } from 'node:zlib';

export const natives = {
  setImmediate: globalThis.setImmediate,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  Date: globalThis.Date,
  readFileSync: fs.readFileSync,
  existsSync: fs.existsSync,
  writeFileSync: fs.writeFileSync,
  appendFileSync: fs.appendFileSync,
  mkdirSync: fs.mkdirSync,
  readdirSync: fs.readdirSync,
  openSync: fs.openSync,
  writeSync: fs.writeSync,
  closeSync: fs.closeSync,
  random: Math.random,
  randomUUID,
  gzip,
  exit: process.exit.bind(process),
  hrtimeMs: (
    (now) => () =>
      Number(now()) / 1e6
  )(process.hrtime.bigint.bind(process.hrtime)),
} as const;
