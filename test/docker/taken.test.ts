/** What a group needs of the machine and somebody else has: told in its events, and had as soon as it is free. */
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bridgeAddress, networkName, ownerRange } from '../../src/docker/network.ts';
import { ownerOf } from '../../src/local/containers/docker/owner.ts';
import { startWorld, type World } from '../../src/local/world/world.ts';
import { dockerHost } from './daemon.ts';
import { type ArmRest, armRest, engine, type GroupView, group, leftOn, RESOURCE_GROUP } from './fixture.ts';

let world: World;
let arm: ArmRest;
let docker: Docker;
let network: string;
let subnet: string;
const dataDir = mkdtempSync(join(tmpdir(), 'flotilla-docker-'));

beforeAll(async () => {
  docker = await engine();
  world = await startWorld({
    dataDir,
    settings: { provisioningMs: 100 },
    runtime: { containers: 'docker', dockerHost: dockerHost(), ephemeral: true },
  });
  arm = await armRest(world, world.identityHeader);
  network = networkName(ownerOf({ dataDir, ephemeral: true }));
  const { IPAM } = (await docker.getNetwork(network).inspect()) as { IPAM: { Config: { Subnet: string }[] } };
  subnet = IPAM.Config[0]?.Subnet ?? '';
});
afterAll(async () => {
  await world.close();
  const left = await leftOn(docker, dataDir);
  rmSync(dataDir, { recursive: true });
  expect(left).toEqual([]);
});

const runs = (seen: GroupView): boolean =>
  seen.provisioningState === 'Succeeded' && seen.first.currentState.state === 'Running';
const says = (text: RegExp) => (seen: GroupView) =>
  seen.events.some(({ name, message }) => name === 'Failed' && text.test(message));

describe('an address that somebody else has taken in the network of the containers', () => {
  it('keeps the group from starting, with the daemon’s words, until it is free', async () => {
    const { first } = ownerRange(subnet);
    const squatter = await docker.createContainer({
      Image: 'busybox:1.37',
      Cmd: ['sleep', '600'],
      HostConfig: { NetworkMode: network },
      NetworkingConfig: { EndpointsConfig: { [network]: { IPAMConfig: { IPv4Address: first } } } },
    });
    try {
      await squatter.start();
      await arm.put('squeezed', group([{}]));
      const told = await arm.until('squeezed', 'its events say it', says(/address already in use/i));
      expect(told).toMatchObject({ ip: first, provisioningState: 'Creating' });
    } finally {
      await squatter.remove({ force: true });
    }
    const { ip } = await arm.until('squeezed', 'it runs', runs);
    expect(ip).toBe(first);
  });
});

describe('a port for names that another process has', () => {
  it('leaves groups in virtual networks without private zones, and says so with a remedy', async () => {
    const address = bridgeAddress(subnet);
    const holder = createSocket('udp4');
    await new Promise<void>((bound, failed) => holder.once('error', failed).bind(53, address, bound));
    const subnetIds = [{ id: `${RESOURCE_GROUP}/providers/Microsoft.Network/virtualNetworks/n/subnets/s` }];
    try {
      await arm.put('nameless', group([{}], { subnetIds, ipAddress: { type: 'Private', ports: [{ port: 8080 }] } }));
      const seen = await arm.until('nameless', 'it runs', runs);
      expect(seen.events.map(({ message }) => message)).toContainEqual(
        expect.stringMatching(
          new RegExp(
            `private DNS zones are not resolved, because port 53 of ${address} cannot be opened: another process`,
          ),
        ),
      );
    } finally {
      await new Promise<void>((closed) => holder.close(() => closed()));
    }
  });
});
