/** World processes with real containers, to be killed and started again. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { WorldConfig, WorldPorts } from '../../src/local/world/world.ts';
import { dockerHost } from './daemon.ts';
import { type ArmRest, armRest, type GroupView, type Told } from './fixture.ts';

export interface Child extends Told {
  readonly child: ChildProcess;
  readonly ports: WorldPorts;
  readonly arm: ArmRest;
}

export interface Worlds {
  /** `over.runtime` may name another daemon. */
  launch(dataDir: string, over?: Partial<WorldConfig>, secretsKey?: string): Promise<Child>;
  kill(world: Child): Promise<void>;
  end(world: Child): Promise<void>;
  runs(name: string, arm: ArmRest): Promise<GroupView>;
}

/** Makes directories that are removed after the tests of the file. */
export function directories(): () => string {
  const made: string[] = [];
  afterAll(() => {
    for (const directory of made) rmSync(directory, { recursive: true, force: true });
  });
  return () => {
    const directory = mkdtempSync(join(tmpdir(), 'flotilla-docker-'));
    made.push(directory);
    return directory;
  };
}

/** Whatever still runs is killed after the tests of the file. */
export function worlds(host: () => string = dockerHost): Worlds {
  const children: ChildProcess[] = [];
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
  });
  return {
    async launch(dataDir, over = {}, secretsKey = 'the key of every world of these tests') {
      const config: WorldConfig = {
        dataDir,
        identityHeader: 'header',
        secretsKey,
        settings: { provisioningMs: 100 },
        runtime: { containers: 'docker', dockerHost: host() },
        ...over,
      };
      const child = fork(join(import.meta.dirname, '../../src/local/world/main.ts'), [JSON.stringify(config)], {
        execArgv: ['--disable-warning=ExperimentalWarning'],
      });
      children.push(child);
      const [message] = (await once(child, 'message')) as [Child & { type: string; message?: string }];
      if (message.type !== 'ready') throw new Error(message.message);
      return { ...message, child, arm: await armRest(message, 'header') };
    },
    async kill({ child }) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
    async end({ child }) {
      child.disconnect();
      await once(child, 'exit');
    },
    runs: (name, arm) =>
      arm.until(
        name,
        'it runs',
        (seen) => seen.provisioningState === 'Succeeded' && seen.first.currentState.state === 'Running',
      ),
  };
}
