/** The world as a supervised process; its JSON argument is a {@link WorldConfig}, but for the key of secrets: arguments are for everybody to see. */
import { runChild } from '../child.ts';
import { claimPart } from '../data-dir.ts';
import { startWorld, type WorldConfig } from './world.ts';

/** As the host has it. */
const SECRETS_KEY = 'FLOTILLA_SECRETS_KEY';

runChild<WorldConfig>(async (config, notice) => {
  const claim = claimPart(config.dataDir, 'world');
  const secretsKey = process.env[SECRETS_KEY];
  const world = await startWorld({ ...config, ...(secretsKey !== undefined && { secretsKey }) }, notice);
  return { ...world, close: () => world.close().finally(claim.release) };
});
