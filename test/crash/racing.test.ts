/** Commands of one app race each other while everything dies under them: they take effect in the order in which they were acknowledged. */
import { describe, expect, it } from 'vitest';
import type { ProcessName } from '../../src/local/platform.ts';
import type { Sight } from './ledger.ts';
import { appName, expectOwned, shop, startTrial, type Trial } from './trial.ts';

const [older, newer] = ['nginx:1', 'nginx:2'];

interface Race {
  readonly name: string;
  /** Sent one after the other, each as soon as the one before is acknowledged; null = delete. */
  readonly commands: readonly (string | null)[];
  readonly victims: readonly ProcessName[];
  /** One blow at each. */
  readonly blows: readonly ((sight: Sight) => boolean)[];
}

const operations = (count: number) => (sight: Sight) => sight.operations >= count;
const applied = (count: number) => (sight: Sight) => (sight.events.get('OperationApplied') ?? 0) >= count;
const creating = (sight: Sight) => sight.events.has('GroupCreating');

const races: readonly Race[] = [
  {
    name: 'two applies, everything killed when the second is written down',
    commands: [older, newer],
    victims: ['host', 'broker', 'world'],
    blows: [operations(2)],
  },
  {
    name: 'two applies, the host killed before the message of either is completed',
    commands: [older, newer],
    victims: ['host'],
    blows: [applied(1), applied(2)],
  },
  {
    name: 'two applies, broker and host killed while the first is being deployed',
    commands: [older, newer],
    victims: ['broker', 'host'],
    blows: [creating, operations(2)],
  },
  {
    name: 'apply, delete and apply, everything killed when the last is written down',
    commands: [older, null, newer],
    victims: ['host', 'broker', 'world'],
    blows: [operations(3)],
  },
];

describe.concurrent('commands that race', () => {
  it.each(races)('$name', async ({ commands, victims, blows }) => {
    const trial = await startTrial();
    try {
      const [ids] = await Promise.all([send(trial, commands), strike(trial, victims, blows)]);
      await expectOnlyNewer(trial);
      for (const id of ids) {
        const operation = await trial.client.operation(appName, id);
        expect(operation.ok && operation.value.state).toBe('applied');
      }

      // Whoever never heard the answer sends the older command again, under its key: it takes no effect a second time.
      const repeated = await trial.command('command-0', shop(older ?? ''));
      expect(repeated).toMatchObject({ id: ids[0], state: 'applied' });
      await expectOnlyNewer(trial);
    } finally {
      await trial.end();
    }
  });
});

async function send(trial: Trial, commands: Race['commands']): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const [n, image] of commands.entries()) {
    const { id } = await trial.command(`command-${n}`, image === null ? null : shop(image));
    ids.push(id);
  }
  return ids;
}

async function strike(
  { ledger, platform }: Trial,
  victims: readonly ProcessName[],
  blows: Race['blows'],
): Promise<void> {
  for (const blow of blows) {
    await ledger.until('the next blow', blow);
    for (const victim of victims) platform.kill(victim);
  }
}

async function expectOnlyNewer(trial: Trial): Promise<void> {
  await trial.settled('convergence on the newer spec', ({ converged }) => converged);
  await expectOwned(trial);
  expect((await trial.groups()).map(({ image }) => image)).toEqual([newer, newer, newer]);
}
