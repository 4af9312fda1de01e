/**
 * The store of secrets: values go in and come out here and nowhere else. Everything else that Flotilla keeps or says holds references. A value is read
 * by the one activity that sends it on, right before it does.
 */
import type { SecretRef } from '../model/app-spec.ts';
import type { Result } from '../model/result.ts';
import type { SecretFacts } from '../model/secrets.ts';
import type { PortError } from './errors.ts';

export interface Secrets {
  /** Every version of an app's secrets and configs, in the order of names, then of time. */
  list(app: string): Promise<Result<readonly SecretFacts[], PortError>>;
  /**
   * Stores a value as the newest version of its name. Idempotent: a value that is stored already keeps its version. `dryRun` only tells which version it
   * would be.
   */
  set(
    app: string,
    secret: {
      readonly name: string;
      readonly value: Uint8Array;
      readonly managed: boolean;
      readonly dryRun?: boolean;
    },
  ): Promise<Result<SecretFacts, PortError>>;
  /** `NotFound`: there is no such version. `Invalid`: it cannot be opened with the keys of this installation; repeating is useless until they change. */
  read(app: string, ref: SecretRef): Promise<Result<Uint8Array, PortError>>;
  /** Removes one version; one that is gone is success. */
  remove(app: string, ref: SecretRef): Promise<Result<void, PortError>>;
}
