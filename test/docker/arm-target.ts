/** ARM with real containers behind it, for the contracts that both back ends keep, and all that one of them cannot. */
import { armOverHttps } from '../support/arm-over-https.ts';
import { dockerHost } from './daemon.ts';

export const connectArm = () => armOverHttps({ containers: 'docker', dockerHost: dockerHost(), ephemeral: true });

/** What the stand-in can arrange and an engine cannot, each with its reason. No other contract has skips. */
export const skips: Readonly<Record<string, string>> = {
  'refuses an image that says it is inaccessible at once':
    'whether an image can be read is known when it has been pulled; only the catalogue of stand-ins knows before',
};
