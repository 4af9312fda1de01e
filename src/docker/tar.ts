/** A tar archive of regular files and directories (ustar, with GNU's entries for long names), which is how files get into images and volumes. Pure. */

export interface TarEntry {
  /** Relative; ends in `/` = a directory. */
  readonly path: string;
  readonly mode: number;
  /** Of a file. */
  readonly content?: Buffer;
}

const BLOCK = 512;
const PATH_BYTES = 100;
const TYPES = { file: '0', directory: '5', longName: 'L' } as const;

export function tarOf(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(partsOf), Buffer.alloc(2 * BLOCK)]);
}

function partsOf({ path, mode, content = Buffer.alloc(0) }: TarEntry): Buffer[] {
  const name = Buffer.from(path);
  const type = path.endsWith('/') ? TYPES.directory : TYPES.file;
  const own = [headerOf(name.subarray(0, PATH_BYTES), mode, content.length, type), content, padding(content.length)];
  if (name.length <= PATH_BYTES) return own;
  const whole = Buffer.concat([name, Buffer.alloc(1)]);
  return [
    headerOf(Buffer.from('././@LongLink'), 0, whole.length, TYPES.longName),
    whole,
    padding(whole.length),
    ...own,
  ];
}

const padding = (length: number): Buffer => Buffer.alloc((BLOCK - (length % BLOCK)) % BLOCK);

function headerOf(path: Buffer, mode: number, length: number, type: string): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, width: number) =>
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  path.copy(header);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(length, 124, 12);
  octal(0, 136, 12);
  header.write('        ', 148, 'latin1'); // the checksum is taken with blanks in its own place
  header.write(type, 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}
