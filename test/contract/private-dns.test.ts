/**
 * Binds the contract of Private DNS to the core in memory and virtual time, and to the whole world over HTTPS on SQLite; and asks the world's DNS server
 * with a real resolver, over UDP and TCP.
 */
import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import { PrivateDnsManagementClient } from '@azure/arm-privatedns';
import * as codec from 'dns-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createArmCore } from '../../src/local/aci/core.ts';
import { createMemoryAciStore } from '../../src/local/aci/store.ts';
import { standinContainers } from '../../src/local/containers/catalogue.ts';
import { benign } from '../../src/local/core.ts';
import { coreHttpClient } from '../../src/local/core-http-client.ts';
import { createMemoryDocuments } from '../../src/local/dns/documents.ts';
import { createPrivateDnsProvider } from '../../src/local/dns/provider.ts';
import { ZoneStore } from '../../src/local/dns/zone-store.ts';
import { armOverHttps, resourceGroup, subscriptionId } from '../support/arm-over-https.ts';
import { type DnsTarget, runPrivateDnsContract } from './private-dns.contract.ts';

function inMemory(): DnsTarget {
  const clock = { now: Date.UTC(2040, 0, 1) };
  const arm = createArmCore({
    store: createMemoryAciStore(),
    authorize: () => true,
    containers: standinContainers,
    providers: [createPrivateDnsProvider(new ZoneStore(createMemoryDocuments()))],
  });
  const endpoint = 'https://management.azure.com';
  const credential = { getToken: async () => ({ token: 'any', expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
  const httpClient = coreHttpClient(arm, () => clock.now, benign);
  return {
    client: new PrivateDnsManagementClient(credential, subscriptionId, {
      endpoint,
      httpClient,
      retryOptions: { maxRetries: 0 },
    }),
    resourceGroup,
    async until(what, condition) {
      const limit = clock.now + 600_000;
      while (!(await condition())) {
        if (clock.now > limit) throw new Error(`10 virtual minutes passed, and not yet: ${what}`);
        clock.now += 100;
      }
    },
    close: async () => undefined,
  };
}

async function overHttps(): Promise<DnsTarget & { readonly dnsAddress: string }> {
  const arm = await armOverHttps();
  const credential = { getToken: async () => ({ token: arm.token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
  return {
    client: new PrivateDnsManagementClient(credential, subscriptionId, {
      endpoint: arm.endpoint,
      retryOptions: { maxRetries: 0 },
      tlsOptions: { ca: arm.ca ?? '' },
    }),
    resourceGroup,
    dnsAddress: arm.dnsAddress,
    until: (what, condition) => arm.until(what, condition),
    close: () => arm.close(),
  };
}

runPrivateDnsContract('Private DNS in memory and virtual time', async () => inMemory());
runPrivateDnsContract('Private DNS over HTTPS on SQLite', overHttps);

describe('the DNS server over the private zones', () => {
  let target: Awaited<ReturnType<typeof overHttps>>;
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  beforeAll(async () => {
    target = await overHttps();
    resolver.setServers([target.dnsAddress]);
    const finish = async (poller: { isDone(): boolean; poll(): Promise<unknown> }) =>
      target.until('it is there', async () => {
        if (!poller.isDone()) await poller.poll();
        return poller.isDone();
      });
    const { privateZones, virtualNetworkLinks, recordSets } = target.client;
    for (const zone of ['app.internal', 'eu.app.internal', 'unlinked.internal']) {
      await finish(await privateZones.beginCreateOrUpdate(resourceGroup, zone, { location: 'global' }));
      if (zone === 'unlinked.internal') continue;
      const link = { location: 'global', virtualNetwork: { id: '/networks/n' } };
      await finish(await virtualNetworkLinks.beginCreateOrUpdate(resourceGroup, zone, 'l', link));
    }
    const put = (type: string, name: string, body: object, zone = 'app.internal') =>
      recordSets.createOrUpdate(resourceGroup, zone, type as 'A', name, { ttl: 30, ...body });
    await put('A', 'web', { aRecords: [{ ipv4Address: '10.0.0.1' }, { ipv4Address: '10.0.0.2' }] });
    await put('AAAA', 'web', { aaaaRecords: [{ ipv6Address: 'fd00::1' }] });
    await put('CNAME', 'www', { cnameRecord: { cname: 'web.app.internal' } });
    await put('TXT', 'web', { txtRecords: [{ value: ['hello', 'there'] }] });
    await put('SRV', '_http._tcp.web', {
      srvRecords: [{ priority: 1, weight: 2, port: 80, target: 'web.app.internal' }],
    });
    await put('A', '*.wild', { aRecords: [{ ipv4Address: '10.0.0.9' }] });
    await put('A', 'web', { aRecords: [{ ipv4Address: '10.1.0.1' }] }, 'eu.app.internal');
    await put('A', 'web', { aRecords: [{ ipv4Address: '10.2.0.1' }] }, 'unlinked.internal');
    const many = Array.from({ length: 20 }, (_, i) => ({ value: [`${i}${'x'.repeat(200)}`] }));
    await put('TXT', 'long', { txtRecords: many });
  });
  afterAll(() => target?.close());

  it('answers addresses with their TTL, in any case', async () => {
    const found = await resolver.resolve4('WEB.app.internal', { ttl: true });
    expect(found.map(({ address }) => address).sort()).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(found[0]?.ttl).toBe(30);
    expect(await resolver.resolve6('web.app.internal')).toEqual(['fd00::1']);
  });

  it('follows a CNAME, tells services and texts', async () => {
    expect((await resolver.resolve4('www.app.internal')).sort()).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(await resolver.resolveCname('www.app.internal')).toEqual(['web.app.internal']);
    expect(await resolver.resolveSrv('_http._tcp.web.app.internal')).toMatchObject([
      { port: 80, name: 'web.app.internal' },
    ]);
    expect(await resolver.resolveTxt('web.app.internal')).toEqual([['hello', 'there']]);
  });

  it('answers wildcards, and the longest zone that has the name', async () => {
    expect(await resolver.resolve4('anything.wild.app.internal')).toEqual(['10.0.0.9']);
    expect(await resolver.resolve4('web.eu.app.internal')).toEqual(['10.1.0.1']);
    expect(await resolver.resolveSoa('app.internal')).toMatchObject({ minttl: 10 });
  });

  it.each([
    { name: 'nobody.app.internal', why: 'a name that is not there', code: 'ENOTFOUND' },
    { name: 'wild.app.internal', why: 'a name with no records of its own', code: 'ENODATA' },
    { name: 'web.unlinked.internal', why: 'a zone without a link', code: 'EREFUSED' },
    { name: 'example.com', why: 'a name outside of all zones', code: 'EREFUSED' },
  ])('says no to $why', async ({ name, code }) => {
    await expect(resolver.resolve4(name)).rejects.toMatchObject({ code });
  });

  it('cuts what does not fit into a datagram, and sends it whole by TCP', async () => {
    const texts = await resolver.resolveTxt('long.app.internal'); // the resolver turns to TCP by itself
    expect(texts).toHaveLength(20);
  });

  it('takes questions one after another on one connection', async () => {
    const [host = '', port] = target.dnsAddress.split(':');
    const socket = connect(Number(port), host);
    const ask = (id: number) =>
      codec.streamEncode({ type: 'query', id, questions: [{ type: 'A', name: 'web.eu.app.internal' }] });
    socket.write(Buffer.concat([ask(1), ask(2)]));
    let received = Buffer.alloc(0);
    const ids: (number | undefined)[] = [];
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const answer = codec.streamDecode(received.subarray(0, end));
        received = received.subarray(end);
        expect(answer.answers).toMatchObject([{ data: '10.1.0.1' }]);
        ids.push(answer.id);
      }
      if (ids.length === 2) break;
    }
    expect(ids.sort()).toEqual([1, 2]);
  });
});
