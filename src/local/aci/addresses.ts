/** Addresses of groups: the lowest free one of a region's block in 127.0.0.0/8, so that a machine which needs aliases needs few. Pure. */

/** `firstAddress` is region 0's first; each further region adds one to the second octet. Undefined = the block is used up. */
export function lowestFreeAddress(
  firstAddress: string,
  regionIndex: number,
  taken: ReadonlySet<string>,
): string | undefined {
  const [a = 127, b = 64, c = 0, d = 1] = firstAddress.split('.').map(Number);
  for (let offset = 0; offset < 65_536; offset += 1) {
    const low = (c * 256 + d + offset) % 65_536;
    const last = low % 256;
    if (last === 0 || last === 255) continue;
    const address = `${a}.${(b + regionIndex) % 256}.${Math.floor(low / 256)}.${last}`;
    if (!taken.has(address)) return address;
  }
  return undefined;
}
