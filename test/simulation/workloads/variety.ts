/**
 * Users whose services are of every kind: probed over the network, without ports, slow to start, dependent on others, and now and then broken by an
 * image that does not exist or crashes. What is broken is mended in the end, so that the app can converge.
 */
import type { Drive, Workload } from '../types.ts';

type Document = Readonly<Record<string, unknown>>;
type Services = Map<string, Document>;

const small = { resources: { limits: { cpus: '1', memory: '1G' } } };

const probed = (tag: number, replicas: number): Document => ({
  image: `flotilla/http:${tag}`,
  ports: ['80'],
  healthcheck: { test: ['CMD', 'wget', '-qO-', 'http://localhost/'], interval: '5s', retries: 2 },
  deploy: { ...small, replicas },
});

const shapes: Readonly<Record<string, (tag: number) => Document>> = {
  store: (tag) => ({
    image: `redis:${tag}`,
    expose: ['6379'],
    'x-flotilla': { probes: { readiness: { tcp: { port: 6379 } } } },
    deploy: { ...small, replicas: 1 },
  }),
  worker: (tag) => ({ image: `flotilla/worker:${tag}`, deploy: { ...small, replicas: 2 } }),
  slow: (tag) => ({
    image: `flotilla/http:${tag}`,
    ports: ['80'],
    environment: { STANDIN_START_DELAY_S: '15' },
    'x-flotilla': { probes: { readiness: { tcp: { port: 80 } } } },
    deploy: { ...small, replicas: 1, update_config: { order: 'stop-first' } },
  }),
};

/** Whose names stand for a rule of placement: the `placement` oracle holds them to it. */
const placed: Readonly<Record<string, (tag: number) => Document>> = {
  pinned: (tag) => ({
    ...probed(tag, 2),
    deploy: { ...small, replicas: 2, placement: { constraints: ['pool.region == westus2'] } },
  }),
  apart: (tag) => ({
    ...probed(tag, 2),
    'x-flotilla': { antiAffinity: [{ service: 'apart', topology: 'region' }] },
  }),
};

const broken: readonly Document[] = [
  { image: 'flotilla/missing:1', deploy: { ...small, replicas: 1 } },
  { image: 'flotilla/crash:1', ports: ['80'], deploy: { ...small, replicas: 1 } },
];

/** The first is the plainest: every pool. */
const poolsOf: readonly (readonly string[])[] = [[], ['westus2'], ['westus2', 'eastus'], ['eastus']];

const gapsMs = [60_000, 10_000, 180_000, 300_000];

export const variety: Workload = {
  name: 'variety',
  async run(drive) {
    await Promise.all(['shop', 'lab'].slice(0, 1 + drive.pick('apps', 2)).map((app) => live(drive, app)));
  },
};

/** A value that was stored, and the next one, which nobody has asked for yet: a document means the version that it names. */
interface Canary {
  readonly tag: string;
  readonly version: string;
}

async function storeCanary(drive: Drive, app: string, n: number): Promise<Canary | null> {
  const tag = `${app}-${drive.pick(`${app} canary`, 3)}`;
  const version = await drive.store(app, 'token', `canary-${tag}`);
  if (n % 3 === 0) await drive.store(app, 'token', `canary-${app}-early`);
  return version === null ? null : { tag, version };
}

/** A service that reads a secret as a variable and as a file, and has scratch space. */
const sealed = (canary: Canary): Document => ({
  image: 'flotilla/worker:1',
  environment: { CANARY: canary.tag },
  secrets: ['token'],
  volumes: ['/var/cache/sealed'],
  deploy: { ...small, replicas: 1 },
  'x-flotilla': { secretEnvironment: { TOKEN: 'token' } },
});

async function live(drive: Drive, app: string): Promise<void> {
  const services: Services = new Map();
  const drawn = poolsOf[drive.pick(`${app} pools`, poolsOf.length)] ?? [];
  // Rules of placement need both pools.
  const pools = () => (Object.keys(placed).some((name) => services.has(name)) ? [] : drawn);
  let canary: Canary | null = null;
  const document = (): Document => ({
    name: app,
    ...(pools().length > 0 && { 'x-flotilla': { pools: pools() } }),
    services: Object.fromEntries(services),
    ...(services.has('sealed') &&
      canary && { secrets: { token: { 'x-flotilla': { secretRef: 'token', version: canary.version } } } }),
  });
  for (const [name, shape] of Object.entries(shapes))
    if (drive.pick(`${app} ${name}`, 2) === 0) services.set(name, shape(1));
  for (const [name, shape] of Object.entries(placed))
    if (drive.pick(`${app} ${name}`, 2) === 1) services.set(name, shape(1));
  const needs = services.has('store') ? { depends_on: { store: { condition: 'service_healthy' } } } : {};
  const web = (tag: number, replicas: number) => services.set('web', { ...probed(tag, replicas), ...needs });
  web(1, 2);
  const isSecretive = drive.pick(`${app} sealed`, 2) === 1;
  // As the CLI does: values first, each time, because a restored table may have forgotten them.
  const seal = async (n: number): Promise<void> => {
    if (!isSecretive) return;
    canary = await storeCanary(drive, app, n);
    if (canary !== null) services.set('sealed', sealed(canary));
    else services.delete('sealed');
  };
  await seal(1);
  await drive.apply(app, document());
  for (let n = 2; n < 7; n += 1) {
    await drive.wait(gapsMs[drive.pick(`${app} gap`, gapsMs.length)] ?? 0);
    await seal(n);
    await change(drive, { app, services, web, document }, n);
    if (drive.pick(`${app} command twice`, 4) === 3) await drive.apply(app, document());
  }
  services.delete('extra');
  web(9, 2);
  await drive.wait(60_000);
  await seal(9);
  await drive.apply(app, document());
}

interface Life {
  readonly app: string;
  readonly services: Services;
  readonly web: (tag: number, replicas: number) => void;
  readonly document: () => Document;
}

async function change(drive: Drive, { app, services, web, document }: Life, n: number): Promise<void> {
  switch (drive.pick(`${app} what`, 6)) {
    case 1:
      web(n, 3);
      break;
    case 2:
      services.set('extra', broken[drive.pick(`${app} broken`, broken.length)] ?? {});
      break;
    case 3:
      services.delete('extra');
      services.delete('worker');
      break;
    case 4:
      await drive.delete(app);
      return;
    case 5:
      if (services.has('store')) services.set('store', shapes['store']?.(n) ?? {});
      for (const [name, shape] of Object.entries(placed)) if (services.has(name)) services.set(name, shape(n));
      break;
    default:
      web(1, 1 + (n % 4));
  }
  await drive.apply(app, document());
}
