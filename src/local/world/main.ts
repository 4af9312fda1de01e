/** The world as a supervised process, configured by a {@link WorldConfig}. */
import { runChild } from '../child.ts';
import { claimPart } from '../data-dir.ts';
import { startWorld, type WorldConfig } from './world.ts';

runChild<WorldConfig>(async (config, notice) => {
  const claim = claimPart(config.dataDir, 'world');
  const world = await startWorld(config, notice);
  return { ...world, close: () => world.close().finally(claim.release) };
});
