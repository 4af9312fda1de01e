/**
 * An endless loop of promises never gives control back: a thread of its own watches a counter and ends the process when it stands still while the
 * processor works, however long that takes on a busy machine. It names the function that began last.
 */
import { Worker } from 'node:worker_threads';
import { clock } from './clock.ts';
import { unfenced } from './fences.ts';

const program = `
const { workerData } = require('node:worker_threads');
const beat = new Int32Array(workerData.shared, 0, 3);
const name = new Uint8Array(workerData.shared, 12);
let last = -1;
let since = 0;
setInterval(() => {
  const now = Atomics.load(beat, 0);
  const { user, system } = process.cpuUsage();
  const spentMs = (user + system) / 1000;
  if (Atomics.load(beat, 1) !== 1 || now !== last) since = spentMs;
  last = now;
  if (spentMs - since < workerData.patienceMs) return;
  const began = Buffer.from(name.slice(0, Atomics.load(beat, 2))).toString();
  require('node:fs').writeSync(2, 'the simulation hangs in one event after ' + now + ' events: an endless loop of promises, since ' + began + ' began\\n');
  process.kill(process.pid, 'SIGKILL');
}, 500);
`;

let beat: Int32Array | undefined;
let name: Uint8Array | undefined;
const nameBytes = 500;
const encoder = new TextEncoder();

/** Call it once per process, before the first run. `patienceMs`, of the processor's time: far longer than one event ever takes. */
export function startWatchdog(patienceMs: number): void {
  const shared = new SharedArrayBuffer(12 + nameBytes);
  beat = new Int32Array(shared, 0, 3);
  name = new Uint8Array(shared, 12);
  // The worker must not load the preload of this process: its clock is the real one.
  const worker = unfenced(() => new Worker(program, { eval: true, execArgv: [], workerData: { shared, patienceMs } }));
  worker.unref();
}

/** A function begins. */
export function begins(what: string): void {
  if (beat && name) Atomics.store(beat, 2, encoder.encodeInto(what, name).written);
}

/** Between runs nothing is watched. */
export function watch(on: boolean): void {
  if (!beat) return;
  Atomics.store(beat, 1, on ? 1 : 0);
  clock.onDrained = on ? () => Atomics.store(beat as Int32Array, 0, clock.fired) : null;
}
