/** The DNS server of a virtual network: who asks decides what is answered, and what no zone has is asked elsewhere, message for message. */
import { Resolver } from 'node:dns/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryDocuments } from '../../src/local/dns/documents.ts';
import { forward } from '../../src/local/dns/forward.ts';
import { type Question, type Resolution, resolve } from '../../src/local/dns/resolve.ts';
import { type DnsServer, startDnsServer } from '../../src/local/dns/server.ts';
import { ZoneStore } from '../../src/local/dns/zone-store.ts';

const common = { etag: 'e', tags: {}, readyAt: 0 };
const network = (name: string) =>
  `/subscriptions/S/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/${name}`;

/** One zone, linked to the networks; `web` in it has the address. */
function zones(zone: string, address: string, ...linked: readonly string[]): ZoneStore {
  const store = new ZoneStore(createMemoryDocuments());
  const id = `/zones/${zone}`;
  store.putZone({ ...common, id, name: zone, properties: {} });
  for (const name of linked) {
    const properties = { virtualNetwork: { id: network(name) } };
    store.putLink({ ...common, id: `${id}/links/${name}`, name, properties });
  }
  const properties = { ttl: 5, aRecords: [{ ipv4Address: address }] };
  store.putRecord(id, { id: `${id}/a/web`, name: 'web', type: 'A', etag: 'e', properties });
  return store;
}

describe('a private zone', () => {
  const store = zones('a.internal', '10.0.0.1', 'one', 'two');
  const asked = (from?: string) => resolve(store, { name: 'web.a.internal', type: 'A' }, 1, from).rcode;

  it.each([
    { from: network('one'), rcode: 'NOERROR' },
    { from: network('TWO').toUpperCase(), rcode: 'NOERROR' },
    { from: network('three'), rcode: 'REFUSED' },
    { from: undefined, rcode: 'NOERROR' },
  ])('answers $from with $rcode', ({ from, rcode }) => {
    expect(asked(from)).toBe(rcode);
  });
});

describe('a server that asks elsewhere', () => {
  const servers: DnsServer[] = [];
  const resolver = new Resolver({ timeout: 5_000, tries: 1 });
  const serve = async (store: ZoneStore, upstream?: readonly string[]) => {
    const answer = (question: Question): Resolution => resolve(store, question, 1);
    const elsewhere = upstream && ((message: Buffer, by: 'datagram' | 'stream') => forward(message, by, upstream));
    const server = await startDnsServer({ port: 0, resolve: answer, ...(elsewhere && { elsewhere }) });
    servers.push(server);
    return `${server.address}:${server.port}`;
  };
  beforeAll(async () => {
    const far = zones('far.internal', '10.0.0.2', 'one');
    const many = Array.from({ length: 20 }, (_, i) => ({ value: [`${i}${'x'.repeat(200)}`] }));
    far.putRecord('/zones/far.internal', {
      ...{ id: '/t', name: 'long', type: 'TXT', etag: 'e' },
      properties: { ttl: 5, txtRecords: many },
    });
    const upstream = await serve(far);
    // The first one does not answer: nobody listens on the port of a server that is closed.
    const gone = await startDnsServer({ port: 0, resolve: () => ({ rcode: 'REFUSED', answers: [], authorities: [] }) });
    await gone.close();
    const near = zones('near.internal', '10.0.0.1', 'one');
    resolver.setServers([await serve(near, [`${gone.address}:${gone.port}`, upstream])]);
  });
  afterAll(async () => {
    for (const server of servers) await server.close();
  });

  it('answers its own names itself, and all others as the first resolver that answers does', async () => {
    expect(await resolver.resolve4('web.near.internal')).toEqual(['10.0.0.1']);
    expect(await resolver.resolve4('web.far.internal')).toEqual(['10.0.0.2']);
    await expect(resolver.resolve4('other.near.internal')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolver.resolve4('example.com')).rejects.toMatchObject({ code: 'EREFUSED' });
  });

  it('passes on by TCP what does not fit into a datagram', async () => {
    expect(await resolver.resolveTxt('long.far.internal')).toHaveLength(20);
  });

  it('fails where no resolver answers', async () => {
    const alone = new Resolver({ timeout: 5_000, tries: 1 });
    alone.setServers([await serve(zones('near.internal', '10.0.0.1', 'one'), [])]);
    await expect(alone.resolve4('example.com')).rejects.toMatchObject({ code: 'ESERVFAIL' });
  });
});
