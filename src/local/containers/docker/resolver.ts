/**
 * What the resolver of an Azure virtual network is to its containers: a DNS server at this machine's address in the containers' network. It answers each
 * group from the private zones of the group's own virtual network, and asks the resolvers of this machine for the rest.
 */
import type { DnsSpec } from '../../../docker/containers.ts';
import type { WantedDns } from '../../aci/wanted.ts';
import { forward } from '../../dns/forward.ts';
import type { Question, Resolution } from '../../dns/resolve.ts';
import { type DnsServer, startDnsServer } from '../../dns/server.ts';

/** Azure's own resolver, at the same address in every network. It is asked last, whatever else is configured. Source: "custom DNS" page (read 2026-11). */
const AZURE_RESOLVER = '168.63.129.16';
/** resolv.conf has no place for another. */
const PORT = 53;

export interface NetworkResolver {
  /** How a group's containers resolve names; `problem`: without the private zones, because of that. */
  dnsFor(wanted: WantedDns): Promise<{ readonly dns?: DnsSpec; readonly problem?: string }>;
  close(): Promise<void>;
}

export interface NetworkResolverOptions {
  /** This machine's address in the containers' network. */
  readonly address: string;
  /** Id of the virtual network that who asks is in; undefined = it is in none. */
  readonly networkOf: (asker: string) => string | undefined;
  readonly resolve: (question: Question, network: string) => Resolution;
}

const REFUSED: Resolution = { rcode: 'REFUSED', answers: [], authorities: [] };

/** It listens from the first group on that wants it. */
export function createNetworkResolver({ address, networkOf, resolve }: NetworkResolverOptions): NetworkResolver {
  let server: Promise<DnsServer> | undefined;
  const listening = () => {
    server ??= startDnsServer({
      address,
      port: PORT,
      resolve(question, asker) {
        const network = networkOf(asker);
        return network === undefined ? REFUSED : resolve(question, network);
      },
      elsewhere: forward,
    });
    return server.then(
      () => undefined,
      (error: NodeJS.ErrnoException) => {
        server = undefined; // the next group tries again
        return problemOf(error, address);
      },
    );
  };
  return {
    async dnsFor({ nameServers, searchDomains, options }) {
      const problem = await listening();
      const own = nameServers.filter((one) => one !== AZURE_RESOLVER);
      const servers = problem === undefined ? [...own, address] : own;
      // Without any server the engine's own remain.
      return { dns: { servers, searchDomains, options }, ...(problem !== undefined && { problem }) };
    },
    async close() {
      await server?.then(
        (one) => one.close(),
        () => undefined,
      );
    },
  };
}

function problemOf({ code, message }: NodeJS.ErrnoException, address: string): string {
  const remedy =
    code === 'EACCES'
      ? 'this user may not open ports below 1024; run: sudo sysctl net.ipv4.ip_unprivileged_port_start=53'
      : code === 'EADDRINUSE'
        ? `another process uses it; find it with: ss -lnp 'sport = :${PORT}', and have it leave this address`
        : message;
  return `Error: names of private DNS zones are not resolved, because port ${PORT} of ${address} cannot be opened: ${remedy}`;
}
