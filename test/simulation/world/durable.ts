/** The durable service: the engine over its memory store on the virtual clock, and the HTTP client that a host's durable SDK uses to reach it. */
import { durableClientBinding } from '../../../src/local/host/engine/binding.ts';
import { createEngine, type DurableEngine } from '../../../src/local/host/engine/engine.ts';
import {
  createManagement,
  type Management,
  type ManagementResponse,
} from '../../../src/local/host/engine/management.ts';
import { createMemoryStore } from '../../../src/local/host/engine/memory-store.ts';
import { type DurableStore, hasEnded } from '../../../src/local/host/engine/store.ts';
import type { Clock } from '../../../src/model/clock.ts';
import { causes, clock } from '../virtual/clock.ts';
import type { Caller, Calls } from './calls.ts';
import { addresses, secrets, strikes, type WorldCore } from './core.ts';

const webhooks = { origin: addresses.durable, hubName: 'Flotilla', systemKey: secrets.durableKey } as const;

export interface Durable {
  readonly engine: DurableEngine;
  readonly store: DurableStore;
  readonly management: Management;
  /** JSON text of the durable client binding. */
  readonly binding: string;
}

export const worldClock: Clock = {
  now: () => clock.now,
  at(atMs, fire) {
    // A timer of the service is nobody's cause.
    const event = causes.run(undefined, () => clock.at(atMs, fire));
    return () => clock.cancel(event);
  },
};

export function createDurable(world: WorldCore, newId: () => string): Durable {
  const store = watched(createMemoryStore(), world);
  const engine = createEngine({
    store,
    clock: worldClock,
    newId,
    hubName: webhooks.hubName,
    defaultVersion: '1.0.0',
    versionMatchStrategy: 'CurrentOrOlder',
    faults: {
      earlyTimers: world.plan.names.has('timersEarly'),
      loseTurn: (instance) => strikes(world, 'turnLost', `durable turn ${instance}`, 0.004),
    },
    log: (level, message) => world.emit({ type: 'log', at: clock.now, host: 'durable', level, message }),
  });
  return {
    engine,
    store,
    management: createManagement({ engine, settings: webhooks }),
    binding: JSON.stringify(durableClientBinding(webhooks, addresses.durable)),
  };
}

/** Tells of every instance that ends. */
function watched(store: DurableStore, world: WorldCore): DurableStore {
  const commit = store.commit.bind(store);
  store.commit = async (writes) => {
    await commit(writes);
    for (const write of writes) {
      if (write.op !== 'updateInstance' || !hasEnded(write.record)) continue;
      const { instanceId: instance, status, output } = write.record;
      world.emit({ type: 'instance', at: clock.now, instance, status: String(status), output: output ?? '' });
    }
  };
  return store;
}

interface AxiosConfig {
  readonly url?: string;
  readonly baseURL?: string;
  readonly method?: string;
  readonly data?: unknown;
  readonly headers?: unknown;
  readonly validateStatus?: ((status: number) => boolean) | null;
  readonly signal?: AbortSignal;
}

/** The axios adapter of one host. */
export function createAxiosAdapter(world: WorldCore, calls: Calls, durable: Durable, caller: Caller) {
  return async (config: AxiosConfig): Promise<unknown> => {
    const url = new URL(config.url ?? '', config.baseURL ?? addresses.durable);
    const method = (config.method ?? 'get').toUpperCase();
    const key = `durable ${nameOf(method, url.pathname)}`;
    const body =
      typeof config.data === 'string' ? config.data : config.data === undefined ? '' : JSON.stringify(config.data);
    const request = { method, url: url.pathname + url.search, headers: headersOf(config, url), body };
    const lost = /raiseEvent/.test(url.pathname) && strikes(world, 'hintLost', key, 0.05);
    const accepted: ManagementResponse = { status: 202, headers: {}, body: '' };
    const response = await calls.exchange<ManagementResponse>(caller, {
      target: 'durable',
      key,
      method,
      writes: method !== 'GET',
      apply: async () =>
        lost ? accepted : ((await durable.management(request)) ?? { status: 404, headers: {}, body: '' }),
      status: (code) => ({ status: code, headers: {}, body: '' }),
      broken: (code) =>
        Object.assign(new Error(code === 'ECONNRESET' ? 'socket hang up' : `connect ${code}`), {
          code,
          isAxiosError: true,
        }),
      statusOf: ({ status }) => status,
      signal: config.signal,
    });
    const answer = { data: response.body, status: response.status, statusText: '', headers: response.headers, config };
    if (config.validateStatus && !config.validateStatus(response.status)) {
      const error = new Error(`Request failed with status code ${response.status}`);
      throw Object.assign(error, { isAxiosError: true, response: answer, config });
    }
    return answer;
  };
}

/** The management API looks at some: an event without its media type is refused, and with it every hint. */
function headersOf({ headers }: AxiosConfig, { host }: URL): Record<string, string> {
  const given = Object.entries(headers ?? {}).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return { ...Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value])), host };
}

/** `POST start deployment:shop.web:1`, `POST raiseEvent app:shop`, `GET deployment:shop.web:1`. */
function nameOf(method: string, path: string): string {
  const [, area = '', first = '', second = ''] =
    /(orchestrators|instances)\/([^/]+)(?:\/([^/]+))?/.exec(decodeURIComponent(path)) ?? [];
  return area === 'orchestrators'
    ? `${method} start ${second || first}`
    : `${method} ${second === '' ? '' : `${second} `}${first}`;
}
