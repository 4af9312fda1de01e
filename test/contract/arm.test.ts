/** Binds the contract of container groups to the core in memory and virtual time, and to the whole world process over HTTPS on SQLite. */
import { expect } from 'vitest';
import { createArmCore } from '../../src/local/aci/core.ts';
import { createMemoryAciStore } from '../../src/local/aci/store.ts';
import { standinContainers } from '../../src/local/containers/catalogue.ts';
import { benign, type Core } from '../../src/local/core.ts';
import { coreHttpClient } from '../../src/local/core-http-client.ts';
import { createEventGrid } from '../../src/local/eventgrid/grid.ts';
import { createMemoryEventStore } from '../../src/local/eventgrid/memory-store.ts';
import { createTokenAuthority } from '../../src/local/identity/tokens.ts';
import { createControlCore } from '../../src/local/world/control.ts';
import { createTableFaults } from '../../src/local/world/faults/table-draw.ts';
import {
  armOverHttps,
  clientAt,
  resourceGroup,
  armSettings as settings,
  subscriptionId,
} from '../support/arm-over-https.ts';
import type { ArmTarget } from '../support/arm-session.ts';
import { runArmContract } from './arm.contract.ts';
import { runArmInitContract } from './arm-init.contract.ts';
import { runArmPowerContract } from './arm-power.contract.ts';

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
  const controls: Core = createControlCore({
    events: createEventGrid({ store: createMemoryEventStore() }),
    tables: createTableFaults(store, (write) => write()),
    store,
    arm,
  });
  const endpoint = 'https://management.azure.com';
  const { token } = tokens.issue(endpoint, clock.now);
  const httpClient = coreHttpClient(arm, () => clock.now, benign);
  return {
    endpoint,
    subscriptionId,
    resourceGroup,
    addresses: /^127\./,
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

runArmContract({ name: 'the ARM core in memory and virtual time', connect: async () => inMemory() });
runArmContract({ name: 'the ARM stand-in over HTTPS on SQLite', connect: () => armOverHttps() });
runArmPowerContract('power over groups in memory and virtual time', async () => inMemory());
runArmPowerContract('power over groups over HTTPS on SQLite', () => armOverHttps());
runArmInitContract('init containers in memory and virtual time', async () => inMemory());
runArmInitContract('init containers over HTTPS on SQLite', () => armOverHttps());
