/** Another resource provider behind the same ARM: ARM authenticates, brakes and injects faults, the provider answers. */
import type { CoreResponse } from '../core.ts';
import type { ArmError } from './errors.ts';
import type { Act } from './faults.ts';

export interface Provider {
  /** Paths that are its own, with the group `subscriptionId` and, where there is one, `resourceGroup`. */
  readonly serves: RegExp;
  readonly apiVersions: readonly string[];
  /** How faults name its requests. */
  readonly act: Act;
  /** What a refusal of the api-version names. */
  readonly resourceType: string;
  handle(call: ProviderCall): CoreResponse | ArmError;
}

export interface ProviderCall {
  readonly method: string;
  readonly url: URL;
  /** Scheme and host the client used, for absolute links. */
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly now: number;
}
