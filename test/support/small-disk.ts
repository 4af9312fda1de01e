/** A file system of a few megabytes, and one that is read-only: Linux, as root. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  readonly path: string;
  /** Leaves no more than `leftBytes`. */
  fill(leftBytes: number): void;
  makeRoom(): void;
  makeReadOnly(): void;
  remove(): void;
}

const mount = (...args: readonly string[]): boolean => spawnSync('mount', args).status === 0;

/** null: this user may not mount. */
export function smallDisk(megabytes: number): SmallDisk | null {
  const path = mkdtempSync(join(tmpdir(), 'flotilla-disk-'));
  if (process.platform !== 'linux' || !mount('-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path)) {
    rmSync(path, { recursive: true });
    return null;
  }
  const ballast = join(path, 'ballast');
  return {
    path,
    fill: (leftBytes) => {
      const { bavail, bsize } = statfsSync(path);
      writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - leftBytes)));
    },
    makeRoom: () => rmSync(ballast),
    makeReadOnly: () => void mount('-o', 'remount,ro', path),
    remove: () => {
      spawnSync('umount', ['-l', path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Whether {@link smallDisk} gives one. */
export const canMount = ((): boolean => {
  const disk = smallDisk(1);
  disk?.remove();
  return disk !== null;
})();
