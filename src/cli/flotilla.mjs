#!/usr/bin/env node
/**
 * What `npx flotilla` runs, on whatever Node is found first: Flotilla's own needs 24, which `npm ci` has put into node_modules. The sources
 * are run as they are (type stripping), so nothing has to be built first and nothing can be stale; a compile cache makes that fast.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const main = new URL('./main.ts', import.meta.url);
const bundled = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url));

const compileCache = fileURLToPath(new URL('../../node_modules/.cache/flotilla', import.meta.url));

if (Number.parseInt(process.versions.node, 10) >= 24) {
  module.enableCompileCache(compileCache);
  await import(main.href);
} else if (existsSync(bundled)) {
  const child = spawn(bundled, [fileURLToPath(main), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env },
  });
  // A terminal sends Ctrl-C to both; what is sent to this process alone is passed on.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`error: ${bundled} cannot be run: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal ?? ''] ?? 0)));
} else {
  process.stderr.write(`error: Node ${process.versions.node} is too old for flotilla.\n`);
  process.stderr.write('  Run `npm ci` here, which brings Node 24 along, or use Node 24.\n');
  process.exitCode = 1;
}
