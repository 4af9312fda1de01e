/** The ARM stand-in as clients meet it: a world over HTTPS on SQLite, for the contract of container groups. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContainerInstanceManagementClient } from '@azure/arm-containerinstance';
import type { HttpClient } from '@azure/core-rest-pipeline';
import { expect } from 'vitest';
import { DEFAULT_SETTINGS } from '../../src/local/aci/settings.ts';
import { startWorld, type WorldConfig } from '../../src/local/world/world.ts';
import type { ArmTarget } from './arm-session.ts';

export const subscriptionId = DEFAULT_SETTINGS.subscriptionIds[0] ?? '';
export const resourceGroup = 'flotilla';
const quotas = { containerGroups: 500, standardCores: 500, standardSpotCores: 10 };
export const armSettings = { pageSize: 2, quotas };
const LIMIT_MS = 20_000;

export function clientAt(
  endpoint: string,
  token: string,
  options: { httpClient?: HttpClient; tlsOptions?: { ca: string } },
) {
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
  return new ContainerInstanceManagementClient(credential, subscriptionId, {
    endpoint,
    retryOptions: { maxRetries: 0 },
    ...options,
  });
}

/** A world of its own; `runtime` says what runs its containers. */
export async function armOverHttps(
  runtime?: WorldConfig['runtime'],
): Promise<ArmTarget & { readonly token: string; readonly dnsAddress: string }> {
  // Real containers take seconds; asking more often than ARM's read bucket refills ends in 429.
  const pollMs = runtime?.containers === 'docker' ? 100 : 50;
  const dataDir = mkdtempSync(join(tmpdir(), 'flotilla-arm-'));
  const firstAddress = `127.${200 + Math.floor(Math.random() * 40)}.${Math.floor(Math.random() * 256)}.1`;
  const world = await startWorld({
    dataDir,
    ...(runtime && { runtime }),
    settings: { ...armSettings, provisioningMs: 100, deletionMs: 100, firstAddress },
  });
  const response = await fetch(`${world.identityUrl}?api-version=2019-08-01&resource=https://management.azure.com`, {
    headers: { 'x-identity-header': world.identityHeader },
  });
  const { access_token: token } = (await response.json()) as { access_token: string };
  const tlsOptions = { ca: readFileSync(world.caPath, 'utf8') };
  return {
    endpoint: world.armUrl,
    ca: tlsOptions.ca,
    token,
    dnsAddress: world.dnsAddress,
    subscriptionId,
    resourceGroup,
    addresses: runtime?.containers === 'docker' ? /^\d+(\.\d+){3}$/ : /^127\./,
    client: (other) => clientAt(world.armUrl, other ?? token, { tlsOptions }),
    async until(what, condition) {
      const deadline = performance.now() + LIMIT_MS;
      while (!(await condition())) {
        if (performance.now() > deadline) throw new Error(`${LIMIT_MS / 1000} s passed, and not yet: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, pollMs));
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
