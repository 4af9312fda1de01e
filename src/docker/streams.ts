/** The engine's multiplexed streams (header of 8 bytes: source, three zeros, length; then data) taken apart. */
import type { Readable } from 'node:stream';

export type Source = 'out' | 'err';

const HEADER_BYTES = 8;

export function demultiplex(stream: Readable, onData: (source: Source, data: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + rest.readUInt32BE(4);
      if (rest.length < end) return;
      onData(rest[0] === 2 ? 'err' : 'out', rest.subarray(HEADER_BYTES, end));
      rest = rest.subarray(end);
    }
  });
}
