/** Holds a data directory as a platform does, until it is killed. */
import { claimDataDir } from '../../src/local/data-dir.ts';

const claim = claimDataDir(process.argv[2] ?? '');
process.on('disconnect', () => {
  claim.release();
  process.exit();
});
process.send?.('held');
