/** The bridge network of an owner, and the part of its subnet whose addresses the owner gives out itself. */
import type Docker from 'dockerode';
import { unless } from './failure.ts';
import { labels, type Owner, ownerLabels } from './labels.ts';

export interface OwnNetwork {
  readonly name: string;
  /** As `172.18.0.0/16`. */
  readonly subnet: string;
}

export interface AddressRange {
  readonly first: string;
  readonly count: number;
}

export const networkName = (owner: Owner): string => `flotilla-${owner.id}`;

/**
 * Creates the network unless it is there. The engine knows which subnets are free on this machine, but gives containers an address of their
 * owner's choice only in a subnet that was asked for: so it is asked to choose one first, and then for that one.
 */
export async function ensureNetwork(docker: Docker, owner: Owner, wanted?: string): Promise<OwnNetwork> {
  const name = networkName(owner);
  const present = await findNetwork(docker, owner);
  if (present) return present;
  const subnet = wanted ?? (await chosenSubnet(docker, owner));
  const { range } = halves(subnet);
  await unless(
    [409],
    docker.createNetwork({
      Name: name,
      Driver: 'bridge',
      CheckDuplicate: true,
      Labels: ownerLabels(owner),
      IPAM: { Driver: 'default', Config: [{ Subnet: subnet, IPRange: range, Gateway: bridgeAddress(subnet) }] },
    }),
  );
  return { name, subnet };
}

export async function findNetwork(docker: Docker, owner: Owner): Promise<OwnNetwork | undefined> {
  const found = await docker.listNetworks({ filters: { label: [`${labels.owner}=${owner.id}`] } });
  const one = found.find(({ Name }) => Name === networkName(owner));
  const subnet = one?.IPAM?.Config?.[0]?.Subnet;
  return one && subnet ? { name: one.Name, subnet } : undefined;
}

export async function removeNetworks(docker: Docker, filter: string): Promise<void> {
  for (const { Id } of await docker.listNetworks({ filters: { label: [filter] } })) {
    await unless([404], docker.getNetwork(Id).remove());
  }
}

async function chosenSubnet(docker: Docker, owner: Owner): Promise<string> {
  const name = `${networkName(owner)}-trial`;
  await unless([404], docker.getNetwork(name).remove());
  const trial = await docker.createNetwork({ Name: name, Driver: 'bridge', Labels: ownerLabels(owner) });
  try {
    const { IPAM } = (await trial.inspect()) as { IPAM?: { Config?: { Subnet?: string }[] } };
    const subnet = IPAM?.Config?.find(({ Subnet }) => Subnet?.includes('.'))?.Subnet;
    if (!subnet) throw new Error('the Docker daemon gave a network no IPv4 subnet');
    return subnet;
  } finally {
    await unless([404], trial.remove());
  }
}

/** The lower half is the owner's to give out; from the upper one the engine serves containers that name no address. */
export function ownerRange(subnet: string): AddressRange {
  const { base, size } = halves(subnet);
  return { first: dotted(base + 2), count: size / 2 - 2 };
}

/** This machine's own address in the subnet. */
export const bridgeAddress = (subnet: string): string => dotted(halves(subnet).base + 1);

/** The last of the owner's range, which is given out when all others are. */
export function lastOwnAddress(subnet: string): string {
  const { base, size } = halves(subnet);
  return dotted(base + size / 2 - 1);
}

/** Is it an IPv4 address of the subnet? */
export function isWithin(subnet: string, address: string): boolean {
  const { base, size } = halves(subnet);
  const value = numberOf(address);
  return value >= base && value < base + size;
}

function halves(subnet: string): { base: number; size: number; range: string } {
  const [address = '', prefix = '16'] = subnet.split('/');
  const base = numberOf(address);
  const size = 2 ** (32 - Number(prefix));
  return { base, size, range: `${dotted(base + size / 2)}/${Number(prefix) + 1}` };
}

const numberOf = (address: string): number =>
  address.split('.').reduce((total, octet) => total * 256 + Number(octet), 0);

const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
