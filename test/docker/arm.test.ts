/** The contract of container groups, with real containers behind it. */

import { runArmContract } from '../contract/arm.contract.ts';
import { runArmInitContract } from '../contract/arm-init.contract.ts';
import { runArmPowerContract } from '../contract/arm-power.contract.ts';
import { runTerminalsContract } from '../contract/terminals.contract.ts';
import { armOverHttps } from '../support/arm-over-https.ts';
import { dockerHost } from './daemon.ts';

/** What the stand-in can arrange and an engine cannot, each with its reason. */
const skips: Readonly<Record<string, string>> = {
  'refuses an image that says it is inaccessible at once':
    'whether an image can be read is known when it has been pulled; only the catalogue of stand-ins knows before',
};

const connect = () => armOverHttps({ containers: 'docker', dockerHost: dockerHost(), ephemeral: true });

runArmContract({ name: 'the ARM stand-in on Docker', connect, skips });
runArmPowerContract('power over groups on Docker', connect);
runArmInitContract('init containers on Docker', connect);
runTerminalsContract({ name: 'terminals on Docker', connect, image: 'flotilla/worker' });
