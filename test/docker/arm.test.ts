/** The contract of container groups, with real containers behind it. */
import { runArmContract } from '../contract/arm.contract.ts';
import { connectArm, skips } from './arm-target.ts';

runArmContract({ name: 'the ARM stand-in on Docker', connect: connectArm, skips });
