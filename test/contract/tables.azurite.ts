/** Where Azurite 3.37.0 answers otherwise than the contract of the Tables service. */
import type { Difference } from './tables.contract.ts';

export const azuriteDifferences: readonly Difference[] = [];
