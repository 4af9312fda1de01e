/** The contract of init containers, with real containers behind it. */
import { runArmInitContract } from '../contract/arm-init.contract.ts';
import { connectArm } from './arm-target.ts';

runArmInitContract('init containers on Docker', connectArm);
