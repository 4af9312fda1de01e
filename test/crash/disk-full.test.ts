/** The whole platform on a disk that runs full: with room again everything goes on by itself, and no acknowledged command is lost. */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { type Platform, startPlatform } from '../../src/local/platform.ts';
import { canMount, type SmallDisk, smallDisk } from '../support/small-disk.ts';

describe.skipIf(!canMount)('a platform whose disk runs full', () => {
  let disk: SmallDisk | null;
  let platform: Platform | undefined;
  beforeEach(() => {
    disk = smallDisk(24);
  });
  afterEach(async () => {
    await platform?.stop();
    disk?.remove();
  });

  it('refuses commands, keeps those it has taken, and carries them out when there is room', async () => {
    if (!disk) throw new Error('mounting worked a moment ago');
    const lines: string[] = [];
    const deaths: string[] = [];
    platform = await startPlatform({
      appDir: resolve(import.meta.dirname, '../..'),
      dataDir: disk.path,
      port: 0,
      containers: 'standin',
      world: { provisioningMs: 200, deletionMs: 100, firstAddress: '127.67.0.1' },
      onOutput: (name, line) => lines.push(`${name}: ${line}`),
      onDeath: (name, why) => deaths.push(`${name} ${why}`),
    });
    const client = createClient({
      baseUrl: platform.url,
      key: platform.apiKey,
      fetch,
      sleep: (ms) => sleep(ms),
      timeoutMs: 20_000,
    });
    const document = (n: number) => ({
      name: 'shop',
      services: {
        web: { image: `nginx:${n}`, environment: { PADDING: 'y'.repeat(60_000 + n) }, deploy: { replicas: 1 } },
      },
    });
    const taken: { readonly id: string; readonly n: number }[] = [];
    let refused = 0;
    for (let n = 1; n <= 40 && refused < 3; n += 1) {
      if (n === 3) disk.fill(200_000);
      const answer = await client.apply('shop', document(n), `k${n}`);
      if (answer.ok) taken.push({ id: answer.value.id, n });
      else refused += 1;
    }
    expect(refused).toBe(3);
    expect(taken.length).toBeGreaterThan(0);
    expect(lines.join('\n')).toMatch(/cannot be written: .*Make room on its disk/);
    disk.makeRoom();
    const last = await client.apply('shop', document(99), 'last');
    expect(last).toMatchObject({ ok: true });
    await expect
      .poll(
        async () => {
          const app = await client.app('shop');
          return app.ok && app.value.converged && app.value.serviceList[0]?.image;
        },
        { timeout: 150_000, interval: 500 },
      )
      .toBe('nginx:99');
    for (const { id } of taken) {
      const operation = await client.operation('shop', id);
      expect(operation).toMatchObject({ ok: true, value: { state: expect.stringMatching(/applied|superseded/) } });
    }
    expect(deaths).toEqual([]);
  }, 240_000);
});
