/** Events end to end: ARM → Event Grid → the webhook of the host → the app. What is lost on the way is found by the sweep. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ContainerInstanceManagementClient } from '@azure/arm-containerinstance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiClient, createClient } from '../../src/client/client.ts';
import { DEFAULT_SETTINGS } from '../../src/local/aci/settings.ts';
import { type Platform, startPlatform } from '../../src/local/platform.ts';
import { armOf } from '../support/arm-of-platform.ts';

const [resourceGroup = ''] = DEFAULT_SETTINGS.resourceGroups;
const document = {
  name: 'shop',
  services: {
    web: {
      image: 'flotilla/http',
      ports: ['8080'],
      'x-flotilla': { probes: { readiness: { http: { path: '/', port: 8080 } } } },
    },
  },
};

let dataDir: string;
let platform: Platform;
let client: ApiClient;
let arm: ContainerInstanceManagementClient;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'flotilla-events-'));
  const appDir = resolve('.');
  platform = await startPlatform({ appDir, dataDir, port: 0, world: { firstAddress: '127.67.0.1' } });
  const sleep = (ms: number) => new Promise<void>((done) => void setTimeout(done, ms));
  client = createClient({ baseUrl: platform.url, key: platform.apiKey, fetch, sleep });
  arm = await armOf(platform);
  expect((await client.apply('shop', document, 'first')).ok).toBe(true);
});
afterAll(async () => {
  await platform.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** The group of the replica that is ready, which is not the one given. */
async function readyGroup(other = ''): Promise<string> {
  let group = '';
  await expect
    .poll(
      async () => {
        const app = await client.app('shop');
        const replicas = app.ok ? app.value.serviceList.flatMap((service) => service.replicas) : [];
        group = replicas.find((one) => one.state === 'ready' && one.group !== other)?.group ?? '';
        return group;
      },
      { timeout: 100_000, interval: 200 },
    )
    .not.toBe('');
  return group;
}

/** By which rule the loss of each replica was found, oldest first. */
async function causesOfLoss(): Promise<readonly string[]> {
  const events = await client.events('shop', { limit: 200 });
  const lost = events.ok ? events.value.events.filter(({ type }) => type === 'ReplicaFailed') : [];
  return lost.map(({ cause }) => cause).toReversed();
}

const control = async (method: string, path: string, body?: unknown) => {
  const at = `${platform.controlUrl}/control/events${path}`;
  const answer = await fetch(at, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const text = await answer.text();
  expect(answer.ok, text).toBe(true);
  return text === '' ? undefined : JSON.parse(text);
};
const deleteByHand = (group: string) => arm.containerGroups.beginDeleteAndWait(resourceGroup, group);

describe('a container group that is deleted by hand', { shuffle: false }, () => {
  it('is replaced at once, by the event of its deletion', async () => {
    const first = await readyGroup();
    await deleteByHand(first);
    await readyGroup(first);
    expect(await causesOfLoss()).toEqual(['rule:event']);
  });

  it('is replaced once, also when the event comes twice and late', async () => {
    const second = await readyGroup();
    await control('POST', '/faults', { name: second, times: 1, effect: { kind: 'delay', ms: 1_500 } });
    await control('POST', '/faults', { name: second, times: 1, effect: { kind: 'duplicate', afterMs: 1_000 } });
    await deleteByHand(second);
    await readyGroup(second);
    await expect.poll(async () => (await control('GET', '')).pending, { timeout: 20_000 }).toBe(0);
    expect((await causesOfLoss()).length).toBe(2);
  });

  it('is found by the sweep when the event is lost', async () => {
    const third = await readyGroup();
    await control('POST', '/faults', { times: null, effect: { kind: 'lose' } });
    await deleteByHand(third);
    await readyGroup(third);
    await control('DELETE', '/faults');
    expect((await causesOfLoss()).at(-1)).toBe('rule:sweep');
  });

  it('is found although the world is killed before the event is delivered', async () => {
    const fourth = await readyGroup();
    await control('POST', '/faults', { name: fourth, times: 1, effect: { kind: 'delay', ms: 2_000 } });
    await deleteByHand(fourth);
    expect((await control('GET', '')).pending).toBe(1);
    platform.kill('world');
    await readyGroup(fourth);
    await expect.poll(async () => (await control('GET', '')).pending, { timeout: 20_000 }).toBe(0);
    expect((await control('GET', '')).deadLetters).toEqual([]);
  });

  it('is left alone when the event is forged', async () => {
    const fifth = await readyGroup();
    const topic = `/subscriptions/${DEFAULT_SETTINGS.subscriptionIds[0]}/resourceGroups/${resourceGroup}`;
    const subject = `${topic}/providers/Microsoft.ContainerInstance/containerGroups/${fifth}`;
    const losses = await causesOfLoss();
    const type = 'Microsoft.Resources.ResourceDeleteSuccess';
    await control('POST', '/publish', { id: 'forged', type, topic, subject });
    await expect.poll(async () => (await control('GET', '')).pending, { timeout: 20_000 }).toBe(0);
    expect(await readyGroup()).toBe(fifth);
    expect(await causesOfLoss()).toEqual(losses);
  });
});
