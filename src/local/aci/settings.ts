/** What an ARM stand-in is configured with. The defaults are the published ones. */
export interface ArmSettings {
  readonly subscriptionIds: readonly string[];
  readonly resourceGroups: readonly string[];
  /** Region names as `eastus`. */
  readonly regions: readonly string[];
  /** Availability zones by region; one that is not named has none. */
  readonly zones: Readonly<Record<string, readonly string[]>>;
  /** From an accepted PUT to Running containers, in ms; default 1,500. */
  readonly provisioningMs: number;
  /** From an accepted DELETE to 404, in ms; default 500. 0 answers 200 at once. */
  readonly deletionMs: number;
  /** Groups a page of a list holds; the service's own page size is not published. Default 50. */
  readonly pageSize: number;
  /** `Retry-After` of long-running operations; default 1. */
  readonly retryAfterSeconds: number;
  readonly quotas: Quotas;
  /** First address given to a group, the others follow; region n uses the second octet + n. Default 127.64.0.1. */
  readonly firstAddress: string;
  /** Makes the passwords of `exec` and `attach`. Default: a word that everybody knows, for tests. */
  readonly terminalKey: string;
  /** One block of addresses for all regions instead. */
  readonly addresses?: AddressBlock;
}

export interface AddressBlock {
  readonly first: string;
  /** Addresses in the block, `first` included. */
  readonly count: number;
}

/** Per region and subscription. */
export interface Quotas {
  readonly containerGroups: number;
  readonly standardCores: number;
  readonly standardSpotCores: number;
}

/** Groups and cores: service quotas page (read 2026-11). Spot cores: the figure seen for default offers (aci-spot has no published default). */
const DEFAULT_QUOTAS: Quotas = { containerGroups: 100, standardCores: 100, standardSpotCores: 10 };

export const DEFAULT_SETTINGS: ArmSettings = {
  subscriptionIds: ['00000000-0000-0000-0000-000000000001'],
  resourceGroups: ['flotilla'],
  regions: ['eastus', 'westus2', 'westeurope'],
  zones: { eastus: ['1', '2', '3'], westus2: ['1', '2', '3'], westeurope: ['1', '2', '3'] },
  provisioningMs: 1_500,
  deletionMs: 500,
  pageSize: 50,
  retryAfterSeconds: 1,
  quotas: DEFAULT_QUOTAS,
  firstAddress: '127.64.0.1',
  terminalKey: 'flotilla',
};
