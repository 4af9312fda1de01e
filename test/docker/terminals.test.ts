/** The contract of exec and attach, with real containers behind it. */
import { runTerminalsContract } from '../contract/terminals.contract.ts';
import { connectArm } from './arm-target.ts';

runTerminalsContract({ name: 'terminals on Docker', connect: connectArm, image: 'flotilla/worker' });
