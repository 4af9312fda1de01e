/** The identity under which the Function App calls Azure: its managed identity and nothing else, so that no other credential on a machine is picked up by chance. */
import { ManagedIdentityCredential, type TokenCredential } from '@azure/identity';

/** System-assigned. Finds its endpoint by `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`, as in every Function App. */
export const createCredential = (): TokenCredential => new ManagedIdentityCredential();
