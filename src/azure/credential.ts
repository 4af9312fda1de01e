/** The identity with which this app talks to Azure: the managed identity of the Function App, and no other. */
import { ManagedIdentityCredential, type TokenCredential } from '@azure/identity';

/** Its own retries are short, because every call that waits for a token has a time-out of its own. */
export const createCredential = (): TokenCredential =>
  new ManagedIdentityCredential({ retryOptions: { maxRetries: 2, retryDelayInMs: 200 } });
