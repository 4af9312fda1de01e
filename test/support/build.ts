/** Builds `dist` before the end-to-end tests, so that none of them passes or fails on an old build. Who has just built, and runs others from it, says so. */
import { execFileSync } from 'node:child_process';

export const setup = (): void => {
  if (process.env['FLOTILLA_DIST'] === 'built') return;
  execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', 'tools/build.ts'], { stdio: 'inherit' });
};
