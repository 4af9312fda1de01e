/**
 * The image of sandboxes: one program that waits for ever and holds a network namespace open. It is written here instruction by instruction,
 * so that nothing has to be pulled or compiled for it.
 */
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { tarOf } from './tar.ts';

export const SANDBOX_IMAGE = 'flotilla/sandbox:1';

/** Architecture as the engine names it → ELF machine number and code. */
const PROGRAMS: Readonly<Record<string, { readonly machine: number; readonly code: string }>> = {
  // again: mov eax, 34 (pause); syscall; jmp again
  amd64: { machine: 62, code: 'b822000000' + '0f05' + 'ebf7' },
  // again: mov x0..x4, 0; mov x8, 73 (ppoll); svc 0; b again
  arm64: {
    machine: 183,
    code: '000080d2' + '010080d2' + '020080d2' + '030080d2' + '040080d2' + '280980d2' + '010000d4' + 'f9ffff17',
  },
};

/** Makes sure that the image is there. @throws Error for an architecture it is not written for. */
export async function ensureSandboxImage(docker: Docker): Promise<void> {
  const present = await docker
    .getImage(SANDBOX_IMAGE)
    .inspect()
    .then(() => true)
    .catch((error: { statusCode?: number }) => {
      if (error.statusCode === 404) return false;
      throw error;
    });
  if (present) return;
  const { Arch } = await docker.version();
  const archive = tarOf([{ path: 'pause', mode: 0o755, content: waitingProgram(Arch) }]);
  const [repo, tag] = SANDBOX_IMAGE.split(':');
  const source = Readable.from([archive]);
  const stream = (await docker.importImage(source, {
    repo,
    tag,
    changes: ['ENTRYPOINT ["/pause"]'],
  })) as NodeJS.ReadableStream;
  await new Promise<void>((resolve, reject) =>
    docker.modem.followProgress(stream, (error: Error | null) => (error ? reject(error) : resolve())),
  );
}

/** A statically linked Linux program of one segment. @throws Error for an unknown architecture. */
export function waitingProgram(architecture: string): Buffer {
  const program = PROGRAMS[architecture];
  if (!program) throw new Error(`no sandbox program for the architecture ${architecture}; there are amd64 and arm64`);
  const code = Buffer.from(program.code, 'hex');
  const base = 0x400000n;
  const size = BigInt(HEADERS_BYTES + code.length);
  const headers = Buffer.alloc(HEADERS_BYTES);
  headers.write('7f454c46020101', 0, 'hex'); // ELF, 64 bit, little endian, version 1
  headers.writeUInt16LE(2, 16); // executable
  headers.writeUInt16LE(program.machine, 18);
  headers.writeUInt32LE(1, 20);
  headers.writeBigUInt64LE(base + BigInt(HEADERS_BYTES), 24); // entry
  headers.writeBigUInt64LE(64n, 32); // program headers follow at once
  headers.writeUInt16LE(64, 52);
  headers.writeUInt16LE(56, 54);
  headers.writeUInt16LE(1, 56);
  headers.writeUInt32LE(1, 64); // loadable
  headers.writeUInt32LE(5, 68); // read, execute
  headers.writeBigUInt64LE(base, 80);
  headers.writeBigUInt64LE(base, 88);
  headers.writeBigUInt64LE(size, 96);
  headers.writeBigUInt64LE(size, 104);
  headers.writeBigUInt64LE(0x10000n, 112); // the largest page size of either architecture
  return Buffer.concat([headers, code]);
}

const HEADERS_BYTES = 120;
