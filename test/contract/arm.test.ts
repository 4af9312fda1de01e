/** Binds the contract of container groups to the core in memory and virtual time, and to the whole world process over HTTPS on SQLite. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContainerInstanceManagementClient } from '@azure/arm-containerinstance';
import type { HttpClient } from '@azure/core-rest-pipeline';
import { expect } from 'vitest';
import { createArmCore } from '../../src/local/aci/core.ts';
import { DEFAULT_SETTINGS } from '../../src/local/aci/settings.ts';
import { createMemoryAciStore } from '../../src/local/aci/store.ts';
import { standinContainers } from '../../src/local/containers/catalogue.ts';
import { benign, type Core } from '../../src/local/core.ts';
import { coreHttpClient } from '../../src/local/core-http-client.ts';
import { createTokenAuthority } from '../../src/local/identity/tokens.ts';
import { createControlCore } from '../../src/local/world/control.ts';
import { startWorld } from '../../src/local/world/world.ts';
import { type ArmTarget, runArmContract } from './arm.contract.ts';

const subscriptionId = DEFAULT_SETTINGS.subscriptionIds[0] ?? '';
const resourceGroup = 'flotilla';
const quotas = { containerGroups: 500, standardCores: 500, standardSpotCores: 10 };
const settings = { pageSize: 2, quotas };

function clientAt(endpoint: string, token: string, options: { httpClient?: HttpClient; tlsOptions?: { ca: string } }) {
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
  return new ContainerInstanceManagementClient(credential, subscriptionId, {
    endpoint,
    retryOptions: { maxRetries: 0 },
    ...options,
  });
}

function inMemory(): ArmTarget {
  const clock = { now: Date.UTC(2040, 0, 1) };
  const tokens = createTokenAuthority('secret');
  const store = createMemoryAciStore();
  const arm = createArmCore({
    store,
    authorize: (authorization, now) => tokens.verify(authorization, now),
    containers: standinContainers,
    settings,
  });
  const controls: Core = createControlCore({ store, arm });
  const endpoint = 'https://management.azure.com';
  const { token } = tokens.issue(endpoint, clock.now);
  const httpClient = coreHttpClient(arm, () => clock.now, benign);
  return {
    endpoint,
    subscriptionId,
    resourceGroup,
    client: (other) => clientAt(endpoint, other ?? token, { httpClient }),
    async until(what, condition) {
      const limit = clock.now + 600_000;
      while (!(await condition())) {
        if (clock.now > limit) throw new Error(`10 virtual minutes passed, and not yet: ${what}`);
        clock.now += 100;
      }
      clock.now += 100;
    },
    async control(method, path, body) {
      const request = {
        method,
        url: path,
        headers: { host: 'localhost' },
        body: body === undefined ? '' : JSON.stringify(body),
      };
      const { status, body: text } = controls.handle(request, clock.now, benign);
      expect(status, text).toBeLessThan(300);
    },
    close: async () => undefined,
  };
}

async function overHttps(): Promise<ArmTarget> {
  const dataDir = mkdtempSync(join(tmpdir(), 'flotilla-arm-'));
  const firstAddress = `127.${200 + Math.floor(Math.random() * 40)}.${Math.floor(Math.random() * 256)}.1`;
  const world = await startWorld({
    dataDir,
    settings: { ...settings, provisioningMs: 100, deletionMs: 100, firstAddress },
  });
  const response = await fetch(`${world.identityUrl}?api-version=2019-08-01&resource=https://management.azure.com`, {
    headers: { 'x-identity-header': world.identityHeader },
  });
  const { access_token: token } = (await response.json()) as { access_token: string };
  const tlsOptions = { ca: readFileSync(world.caPath, 'utf8') };
  return {
    endpoint: world.armUrl,
    subscriptionId,
    resourceGroup,
    client: (other) => clientAt(world.armUrl, other ?? token, { tlsOptions }),
    async until(what, condition) {
      const deadline = performance.now() + 20_000;
      while (!(await condition())) {
        if (performance.now() > deadline) throw new Error(`20 s passed, and not yet: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async control(method, path, body) {
      const answer = await fetch(world.controlUrl + path, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      expect(answer.status, await answer.text()).toBeLessThan(300);
    },
    async close() {
      await world.close();
      rmSync(dataDir, { recursive: true });
    },
  };
}

runArmContract({ name: 'the ARM core in memory and virtual time', connect: async () => inMemory() });
runArmContract({ name: 'the ARM stand-in over HTTPS on SQLite', connect: overHttps });
