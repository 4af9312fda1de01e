/**
 * Private DNS zones, virtual network links and record sets as Azure Resource Manager has them, asked through the real `@azure/arm-privatedns` client. Bound
 * to targets by `private-dns.test.ts`.
 */
import type { PrivateDnsManagementClient, RecordSet } from '@azure/arm-privatedns';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

export interface DnsTarget {
  readonly client: PrivateDnsManagementClient;
  readonly resourceGroup: string;
  /** Lets time pass until the condition holds. */
  until(what: string, condition: () => Promise<boolean>): Promise<void>;
  close(): Promise<void>;
}

interface Poller {
  isDone(): boolean;
  poll(): Promise<unknown>;
}

export function runPrivateDnsContract(name: string, connect: () => Promise<DnsTarget>): void {
  describe(name, () => {
    let target: DnsTarget;
    let count = 0;
    beforeAll(async () => {
      target = await connect();
    });
    afterAll(() => target?.close());

    const rg = () => target.resourceGroup;
    const finish = async (what: string, poller: Poller) =>
      target.until(what, async () => {
        if (!poller.isDone()) await poller.poll();
        return poller.isDone();
      });
    const zone = async (options = {}) => {
      const zoneName = `z${count++}.internal`;
      const body = { location: 'Global', tags: { owner: 'us' }, ...options };
      await finish(`${zoneName} is there`, await target.client.privateZones.beginCreateOrUpdate(rg(), zoneName, body));
      return zoneName;
    };
    const link = async (zoneName: string, linkName: string, network = linkName) =>
      finish(
        `${linkName} is there`,
        await target.client.virtualNetworkLinks.beginCreateOrUpdate(rg(), zoneName, linkName, {
          location: 'Global',
          virtualNetwork: {
            id: `/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/${network}`,
          },
          registrationEnabled: false,
        }),
      );
    const sets = () => target.client.recordSets;
    const put = (zoneName: string, type: string, record: string, body: RecordSet, options = {}) =>
      sets().createOrUpdate(rg(), zoneName, type as 'A', record, { ttl: 30, ...body }, options);
    const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
      const found: T[] = [];
      for await (const item of items) found.push(item);
      return found;
    };
    const failure = async (work: Promise<unknown>) =>
      work.then(
        () => ({}),
        ({ statusCode, code }: { statusCode?: number; code?: string }) => ({ statusCode, code }),
      );

    describe('zones', () => {
      it('are created as a long-running operation, and begin with an SOA', async () => {
        const zoneName = await zone();
        expect(await target.client.privateZones.get(rg(), zoneName)).toMatchObject({
          name: zoneName,
          location: 'global',
          tags: { owner: 'us' },
          numberOfRecordSets: 1,
          numberOfVirtualNetworkLinks: 0,
          provisioningState: 'Succeeded',
        });
        expect(await all(sets().list(rg(), zoneName))).toMatchObject([{ name: '@', soaRecord: { minimumTtl: 10 } }]);
      });

      it('cannot be used before they are there', async () => {
        const zoneName = `z${count++}.internal`;
        const poller = await target.client.privateZones.beginCreateOrUpdate(rg(), zoneName, { location: 'global' });
        expect(await failure(put(zoneName, 'A', 'web', { aRecords: [] }))).toMatchObject({ statusCode: 409 });
        await finish('it is there', poller);
        await put(zoneName, 'A', 'web', { aRecords: [] });
      });

      it('are listed page by page, by resource group and by subscription', async () => {
        const wanted = [await zone(), await zone(), await zone()];
        const pages = [];
        for await (const page of target.client.privateZones.listByResourceGroup(rg(), { top: 2 }).byPage())
          pages.push(page);
        expect(pages.length).toBeGreaterThan(1);
        expect(pages.flat().map((one) => one.name)).toEqual(expect.arrayContaining(wanted));
        expect((await all(target.client.privateZones.list())).map((one) => one.name)).toEqual(
          expect.arrayContaining(wanted),
        );
      });

      it('are deleted with their record sets, as a long-running operation, but not while they are linked', async () => {
        const zoneName = await zone();
        await put(zoneName, 'A', 'web', { aRecords: [{ ipv4Address: '10.0.0.1' }] });
        await link(zoneName, 'l1');
        expect(await failure(target.client.privateZones.beginDelete(rg(), zoneName))).toEqual({
          statusCode: 409,
          code: 'CannotDeleteResource',
        });
        await finish('the link is gone', await target.client.virtualNetworkLinks.beginDelete(rg(), zoneName, 'l1'));
        await finish('the zone is gone', await target.client.privateZones.beginDelete(rg(), zoneName));
        expect(await failure(target.client.privateZones.get(rg(), zoneName))).toEqual({
          statusCode: 404,
          code: 'ResourceNotFound',
        });
        await finish('it is gone again', await target.client.privateZones.beginDelete(rg(), zoneName));
      });

      it.each([
        { what: 'a name of one label', zoneName: 'internal', body: { location: 'global' }, code: 'InvalidZoneName' },
        {
          what: 'another location',
          zoneName: 'a.internal',
          body: { location: 'eastus' },
          code: 'LocationNotAvailableForResourceType',
        },
      ])('refuse $what', async ({ zoneName, body, code }) => {
        expect(await failure(target.client.privateZones.beginCreateOrUpdate(rg(), zoneName, body))).toEqual({
          statusCode: 400,
          code,
        });
      });
    });

    describe('virtual network links', () => {
      it('are counted, listed and completed; a network is linked once', async () => {
        const zoneName = await zone();
        await link(zoneName, 'l1', 'n1');
        await link(zoneName, 'l2', 'n2');
        expect(await all(target.client.virtualNetworkLinks.list(rg(), zoneName))).toMatchObject([
          {
            name: 'l1',
            virtualNetworkLinkState: 'Completed',
            provisioningState: 'Succeeded',
            registrationEnabled: false,
          },
          { name: 'l2' },
        ]);
        expect((await target.client.privateZones.get(rg(), zoneName)).numberOfVirtualNetworkLinks).toBe(2);
        expect(await failure(link(zoneName, 'l3', 'n1'))).toMatchObject({ statusCode: 409 });
      });
    });

    describe('record sets', () => {
      it('are created, read, replaced and deleted at once, in lower case', async () => {
        const zoneName = await zone();
        const created = await put(zoneName, 'A', 'Web', {
          aRecords: [{ ipv4Address: '10.0.0.1' }],
          metadata: { slot: '0' },
        });
        expect(created).toMatchObject({
          name: 'web',
          ttl: 30,
          fqdn: `web.${zoneName}.`,
          isAutoRegistered: false,
          metadata: { slot: '0' },
          aRecords: [{ ipv4Address: '10.0.0.1' }],
        });
        const replaced = await put(zoneName, 'A', 'web', { aRecords: [{ ipv4Address: '10.0.0.2' }] });
        expect(replaced.metadata).toBeUndefined();
        expect(await sets().get(rg(), zoneName, 'A', 'WEB')).toMatchObject({ aRecords: [{ ipv4Address: '10.0.0.2' }] });
        await sets().delete(rg(), zoneName, 'A', 'web');
        await sets().delete(rg(), zoneName, 'A', 'web');
        expect(await failure(sets().get(rg(), zoneName, 'A', 'web'))).toEqual({ statusCode: 404, code: 'NotFound' });
      });

      it('change in part by a PATCH', async () => {
        const zoneName = await zone();
        await put(zoneName, 'A', 'web', { aRecords: [{ ipv4Address: '10.0.0.1' }] });
        const updated = await sets().update(rg(), zoneName, 'A', 'web', { metadata: { a: 'b' } });
        expect(updated).toMatchObject({ metadata: { a: 'b' }, aRecords: [{ ipv4Address: '10.0.0.1' }], ttl: 30 });
      });

      it('guard themselves with ETags: If-Match and If-None-Match', async () => {
        const zoneName = await zone();
        const first = await put(zoneName, 'A', 'web', { aRecords: [] }, { ifNoneMatch: '*' });
        expect(await failure(put(zoneName, 'A', 'web', { aRecords: [] }, { ifNoneMatch: '*' }))).toEqual({
          statusCode: 412,
          code: 'PreconditionFailed',
        });
        const second = await put(zoneName, 'A', 'web', { aRecords: [] }, { ifMatch: first.etag });
        expect(second.etag).not.toBe(first.etag);
        expect(await failure(put(zoneName, 'A', 'web', { aRecords: [] }, { ifMatch: first.etag }))).toMatchObject({
          statusCode: 412,
        });
        expect(await failure(sets().delete(rg(), zoneName, 'A', 'web', { ifMatch: first.etag ?? '' }))).toMatchObject({
          statusCode: 412,
        });
        await sets().delete(rg(), zoneName, 'A', 'web', { ifMatch: second.etag ?? '' });
        expect(await failure(put(zoneName, 'A', 'web', { aRecords: [] }, { ifMatch: second.etag }))).toMatchObject({
          statusCode: 412,
        });
      });

      it('are listed by type, by suffix and page by page', async () => {
        const zoneName = await zone();
        for (const record of ['a.web', 'b.web', 'c.api']) await put(zoneName, 'A', record, { aRecords: [] });
        await put(zoneName, 'TXT', 'a.web', { txtRecords: [{ value: ['hello'] }] });
        const named = async (items: AsyncIterable<RecordSet>) => (await all(items)).map(({ name: one }) => one);
        expect(await named(sets().listByType(rg(), zoneName, 'A'))).toEqual(['a.web', 'b.web', 'c.api']);
        expect(await named(sets().list(rg(), zoneName, { recordsetnamesuffix: 'web' }))).toEqual([
          'a.web',
          'a.web',
          'b.web',
        ]);
        const pages = [];
        for await (const page of sets().list(rg(), zoneName, { top: 2 }).byPage()) pages.push(page.length);
        expect(pages).toEqual([2, 2, 1]);
      });

      it.each<[string, string, string, RecordSet]>([
        ['an address that is none', 'A', 'web', { aRecords: [{ ipv4Address: '10.0.0' }] }],
        ['records of another type', 'A', 'web', { txtRecords: [{ value: ['x'] }] }],
        ['a TTL of nothing', 'A', 'web', { ttl: 0, aRecords: [] }],
        ['a name with a space', 'A', 'a b', { aRecords: [] }],
        [
          '21 records',
          'A',
          'web',
          { aRecords: Array.from({ length: 21 }, (_, i) => ({ ipv4Address: `10.0.0.${i}` })) },
        ],
        ['a CNAME for the zone itself', 'CNAME', '@', { cnameRecord: { cname: 'a.example' } }],
        ['a second SOA', 'SOA', 'web', { soaRecord: {} }],
        ['a service without a port', 'SRV', 'web', { srvRecords: [{ priority: 1, weight: 1, target: 'a.example' }] }],
      ])('refuse %s', async (_what, type, record, body) => {
        const zoneName = await zone();
        expect(await failure(put(zoneName, type, record, body))).toMatchObject({ statusCode: 400 });
        expect((await target.client.privateZones.get(rg(), zoneName)).numberOfRecordSets).toBe(1);
      });

      it('leave a CNAME alone at its name', async () => {
        const zoneName = await zone();
        await put(zoneName, 'CNAME', 'www', { cnameRecord: { cname: `web.${zoneName}` } });
        expect(await failure(put(zoneName, 'A', 'www', { aRecords: [] }))).toMatchObject({ statusCode: 400 });
        await put(zoneName, 'A', 'web', { aRecords: [] });
        expect(await failure(put(zoneName, 'CNAME', 'web', { cnameRecord: { cname: 'a.example' } }))).toMatchObject({
          statusCode: 400,
        });
      });

      it('keep the SOA as long as the zone, and let its times be changed', async () => {
        const zoneName = await zone();
        expect(await failure(sets().delete(rg(), zoneName, 'SOA', '@'))).toMatchObject({ statusCode: 400 });
        const changed = await put(zoneName, 'SOA', '@', { soaRecord: { minimumTtl: 5 } });
        expect(changed.soaRecord).toMatchObject({ minimumTtl: 5, refreshTime: 3600 });
      });
    });
  });
}
