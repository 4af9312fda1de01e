/**
 * Builds into a directory (default `dist`), and takes out of it what no source makes any more: the compiler leaves that, and whoever loads a whole
 * directory of the build would load it. Usage: build.ts [DIRECTORY]
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = join(import.meta.dirname, '..');

function main(directory: string): void {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', directory], {
      cwd: root,
      stdio: 'inherit',
    });
  } catch (error) {
    process.exit((error as { status: number | null }).status ?? 1); // the compiler has said why
  }
  for (const file of globSync('**/*.{js,json}', { cwd: directory })) {
    if (!hasSource(file)) rmSync(join(directory, file));
  }
}

const hasSource = (built: string): boolean =>
  existsSync(join(root, built.endsWith('.js') ? `${built.slice(0, -3)}.ts` : built));

main(resolve(process.argv[2] ?? join(root, 'dist')));
