/** Binds the contract of `exec` and `attach` to stand-in containers behind the whole world process. */
import { armOverHttps } from '../support/arm-over-https.ts';
import { runTerminalsContract } from './terminals.contract.ts';

runTerminalsContract({
  name: 'terminals of stand-in containers',
  connect: () => armOverHttps(),
  image: 'flotilla/http',
});
