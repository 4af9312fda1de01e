/** Addresses of groups: the lowest free one of a block, so that a machine which needs aliases for them needs few. Pure. */
import type { AddressBlock, ArmSettings } from './settings.ts';

/** The block a region's groups live in: the common one, or its own of 65,536 addresses. */
export function blockOf(
  settings: Pick<ArmSettings, 'addresses' | 'firstAddress' | 'regions'>,
  location: string,
): AddressBlock {
  if (settings.addresses) return settings.addresses;
  const region = Math.max(0, settings.regions.indexOf(location));
  const [a = 127, b = 64, c = 0, d = 1] = octets(settings.firstAddress);
  return { first: `${a}.${(b + region) % 256}.${c}.${d}`, count: 65_536 };
}

/** A block of up to 65,536 addresses wraps within its first two octets. Undefined = the block is used up. */
export function lowestFreeAddress(block: AddressBlock, taken: ReadonlySet<string>): string | undefined {
  const [a, b, c = 0, d = 0] = octets(block.first);
  for (let offset = 0; offset < block.count; offset += 1) {
    const low = (c * 256 + d + offset) % 65_536;
    const last = low % 256;
    if (last === 0 || last === 255) continue;
    const address = `${a}.${b}.${Math.floor(low / 256)}.${last}`;
    if (!taken.has(address)) return address;
  }
  return undefined;
}

const octets = (address: string): number[] => address.split('.').map(Number);
