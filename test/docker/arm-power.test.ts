/** The contract of starting, stopping and restarting container groups, with real containers behind it. */
import { runArmPowerContract } from '../contract/arm-power.contract.ts';
import { connectArm } from './arm-target.ts';

runArmPowerContract('power over groups on Docker', connectArm);
