/** Names of private DNS zones inside real containers: as in a virtual network, answers come from the zones that are linked to it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../../src/local/world/world.ts';
import { dockerHost } from './daemon.ts';
import { type ArmRest, armRest, engine, eventually, type GroupView, group, leftOn, RESOURCE_GROUP } from './fixture.ts';

let world: World;
let arm: ArmRest;
const dataDir = mkdtempSync(join(tmpdir(), 'flotilla-docker-'));

const network = (name: string) => `${RESOURCE_GROUP}/providers/Microsoft.Network/virtualNetworks/${name}`;
const dnsOf = async (path: string, body: object) =>
  arm.send('PUT', `Microsoft.Network/privateDnsZones/${path}`, '2024-06-01', body);
const isReady = (path: string) =>
  eventually(
    () => arm.send('GET', `Microsoft.Network/privateDnsZones/${path}`, '2024-06-01'),
    (text) => text.includes('"provisioningState":"Succeeded"'),
  );
const record = (name: string, address: string) =>
  dnsOf(`shop.internal/A/${name}`, { properties: { ttl: 10, aRecords: [{ ipv4Address: address }] } });

beforeAll(async () => {
  world = await startWorld({
    dataDir,
    settings: { provisioningMs: 100 },
    runtime: { containers: 'docker', dockerHost: dockerHost(), ephemeral: true },
  });
  arm = await armRest(world, world.identityHeader);
  await dnsOf('shop.internal', { location: 'global' });
  await isReady('shop.internal');
  await dnsOf('shop.internal/virtualNetworkLinks/one', {
    location: 'global',
    properties: { virtualNetwork: { id: network('One') }, registrationEnabled: false },
  });
  await isReady('shop.internal/virtualNetworkLinks/one');
  await record('db', '10.9.8.7');
});
afterAll(async () => {
  await world.close();
  const left = await leftOn(await engine(), dataDir);
  rmSync(dataDir, { recursive: true });
  expect(left).toEqual([]);
});

/** Says what it was told about names, and every half second what the name is. */
const asking = (name: string) => {
  const script = `
    console.log(require('fs').readFileSync('/etc/resolv.conf', 'utf8').replace(/^#.*$/gm, ''));
    const look = () => require('dns').lookup('${name}', (error, address) => console.log(error ? 'no answer' : address));
    setInterval(look, 500);
    process.on('SIGTERM', () => process.exit());
  `;
  return { command: ['node', '-e', script] };
};
const inNetwork = (name: string, over: object = {}) => ({
  subnetIds: [{ id: `${network(name)}/subnets/default` }],
  ipAddress: { type: 'Private', ports: [{ port: 8080 }] },
  ...over,
});
const runs = ({ provisioningState }: GroupView) => provisioningState === 'Succeeded';
const says = (name: string, text: string) =>
  eventually(
    () => arm.logs(name).catch(() => ''),
    (log) => log.includes(text),
  );

describe.concurrent('a container in a virtual network', () => {
  it('resolves the names of a zone that is linked to it, as they are by then', async () => {
    await arm.put('server', group([{}], inNetwork('one')));
    const { ip } = await arm.until('server', 'it runs', (seen) => runs(seen) && seen.ip !== '');
    await record('web', ip);
    const script = `
      const again = () => fetch('http://web.shop.internal:8080/').then((answer) => answer.text(), String).then(console.log);
      setInterval(again, 500);
      process.on('SIGTERM', () => process.exit());
    `;
    await arm.put('client', group([{ command: ['node', '-e', script] }], inNetwork('one')));
    await says('client', '"path":"/"');
    await arm.control('POST', '/control/groups/server/address');
    const moved = await arm.until('server', 'it moved', (seen) => seen.ip !== ip);
    await record('web', moved.ip);
    const before = (await arm.logs('client')).length;
    await eventually(
      () => arm.logs('client'),
      (log) => log.slice(before).includes('"path":"/"'),
    );
  });

  it('is given search domains and options, and asks the network also when it has name servers of its own', async () => {
    const dnsConfig = {
      nameServers: ['168.63.129.16'],
      searchDomains: 'nowhere.internal shop.internal',
      options: 'ndots:2 timeout:1',
    };
    await arm.put('searching', group([asking('db')], inNetwork('one', { dnsConfig })));
    await says('searching', '10.9.8.7');
    const log = await arm.logs('searching');
    expect(log).toMatch(/^search nowhere.internal shop.internal$/m);
    expect(log).toMatch(/^options .*ndots:2/m);
    expect(log).toMatch(/^options .*timeout:1/m);
  });

  it('without an address of its own resolves them, too', async () => {
    await arm.put('hidden', group([asking('db.shop.internal')], inNetwork('one', { ipAddress: undefined })));
    await says('hidden', '10.9.8.7');
  });
});

describe.concurrent('a container elsewhere', () => {
  it.each([
    { where: 'in a network that the zone is not linked to', name: 'stranger', over: inNetwork('two') },
    { where: 'in no virtual network', name: 'public', over: {} },
  ])('$where does not resolve them', async ({ name, over }) => {
    await arm.put(name, group([asking('db.shop.internal')], over));
    await says(name, 'no answer');
    expect(await arm.logs(name)).not.toContain('10.9.8.7');
  });
});
