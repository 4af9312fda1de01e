/** An endless loop of promises never gives control back: a thread of its own watches a counter and ends the process when it stands still. */
import { Worker } from 'node:worker_threads';
import { clock } from './clock.ts';
import { unfenced } from './fences.ts';

/** Far longer than one event ever takes, also on a busy machine. */
const patienceMs = 120_000;

const program = `
const { workerData } = require('node:worker_threads');
const beat = new Int32Array(workerData.shared);
let last = -1;
setInterval(() => {
  const now = Atomics.load(beat, 0);
  if (Atomics.load(beat, 1) === 1 && now === last) {
    require('node:fs').writeSync(2, 'the simulation hangs in one event after ' + now + ' events: an endless loop of promises\\n');
    process.kill(process.pid, 'SIGKILL');
  }
  last = now;
}, workerData.patienceMs).unref();
`;

let beat: Int32Array | undefined;

/** Call it once per process, before the first run. */
export function startWatchdog(limitMs = patienceMs): void {
  const shared = new SharedArrayBuffer(8);
  beat = new Int32Array(shared);
  // The worker must not load the preload of this process: its clock is the real one.
  const worker = unfenced(
    () => new Worker(program, { eval: true, execArgv: [], workerData: { shared, patienceMs: limitMs } }),
  );
  worker.unref();
}

/** Between runs nothing is watched. */
export function watch(on: boolean): void {
  if (!beat) return;
  Atomics.store(beat, 1, on ? 1 : 0);
  clock.onDrained = on ? () => Atomics.store(beat as Int32Array, 0, clock.fired) : null;
}
