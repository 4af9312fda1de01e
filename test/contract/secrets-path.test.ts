/**
 * A secret's whole way: stored, applied, mounted, changed, gone. A canary value is looked for in everything that Flotilla keeps or says: every property of
 * every row, inputs and results of activities, inputs of orchestrations, log lines, messages and what ARM shows.
 */
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { purgePartition } from '../../src/commands/purge.ts';
import { newestVersion } from '../../src/model/app-spec.ts';
import { defaults } from '../../src/model/defaults.ts';
import { appWorld, converged } from '../support/app-world.ts';

const canary = 'canary-5d41402abc4b2a76';
const forms = [canary, Buffer.from(canary).toString('base64').slice(0, 20), Buffer.from(canary).toString('hex')];
const tells = (text: string): boolean => forms.some((form) => text.includes(form));

const document = (version: string = newestVersion) => ({
  name: 'shop',
  services: {
    web: {
      image: 'flotilla/http',
      ports: ['80'],
      secrets: ['db'],
      volumes: ['/var/cache/web'],
      'x-flotilla': { secretEnvironment: { DB: 'db' } },
    },
  },
  secrets: { db: { 'x-flotilla': { secretRef: 'db', version } } },
});

/** Text of a row with its compressed values inflated. */
const readable = (entity: unknown): string =>
  JSON.stringify(entity, (_, value) => {
    if (typeof value === 'bigint') return String(value);
    if (!(value instanceof Uint8Array)) return value;
    try {
      return gunzipSync(value).toString('utf8');
    } catch {
      return Buffer.from(value).toString('latin1');
    }
  });

async function world() {
  const told: string[] = [];
  const shop = appWorld({ onTell: (text) => told.push(text) });
  const store = async (text: string) => {
    const set = await shop.ports.secrets.set('shop', { name: 'db', value: Buffer.from(text), managed: true });
    if (!set.ok) throw new Error(set.error.message);
    return set.value.version;
  };
  return { shop, told, store };
}

describe('a secret', () => {
  it('reaches ARM as a secure variable and a secret file, and stands nowhere else', async () => {
    const { shop, told, store } = await world();
    await store(`${canary}\n`);
    await shop.command('apply', 'shop', document());
    await shop.until('convergence', converged);
    const puts = shop.armBodies.map((body) => JSON.parse(body));
    expect(puts).toHaveLength(1);
    const [{ properties }] = puts as [{ properties: Record<string, unknown> }];
    expect(properties).toMatchObject({
      volumes: [
        { name: 'scratch-var-cache-web', emptyDir: {} },
        { name: 'secrets-run-secrets', secret: { db: Buffer.from(`${canary}\n`).toString('base64') } },
      ],
      containers: [
        { properties: { environmentVariables: expect.arrayContaining([{ name: 'DB', secureValue: canary }]) } },
      ],
    });
    const rows = shop.entities().map(readable);
    expect(rows.length).toBeGreaterThan(8);
    expect(rows.filter(tells)).toEqual([]);
    expect(told.length).toBeGreaterThan(10);
    expect(told.filter(tells)).toEqual([]);
    const instances = [...shop.durable.instances.values()].map((instance) => readable(instance));
    expect(instances.filter(tells)).toEqual([]);
    expect(shop.armShown().filter(tells)).toEqual([]);
  });

  it('that changes makes a new revision of the services that use it; one that does not, none', async () => {
    const { shop, store } = await world();
    const first = await store('one');
    await shop.command('apply', 'shop', document(first));
    await shop.until('convergence', converged);
    await shop.command('apply', 'shop', document(await store('one')));
    await shop.until('rest', converged);
    expect((await shop.rows()).revisions).toHaveLength(1);
    await shop.command('apply', 'shop', document(await store('two')));
    await shop.until('the new revision', converged);
    const { revisions, replicas } = await shop.rows();
    expect(revisions).toHaveLength(2);
    expect(replicas.filter(({ state }) => state === 'ready').map(({ revision }) => revision)).toEqual([2]);
    expect(shop.armBodies.map((body) => /"secureValue":"([^"]*)"/.exec(body)?.[1])).toEqual(['one', 'two']);
  });

  it('that is gone fails the create with its own reason, and heals once it is stored again', async () => {
    const { shop, store } = await world();
    const version = await store('one');
    await shop.command('apply', 'shop', document(version));
    await shop.ports.secrets.remove('shop', { secretRef: 'db', version });
    await shop.until('the failure', async (w) =>
      (await w.rows()).replicas.some(({ reason }) => reason === 'SecretMissing'),
    );
    expect(shop.armLog.filter((line) => line.startsWith('PUT'))).toEqual([]);
    await store('one');
    await shop.until('convergence', converged);
  });

  it('goes with the revisions that need it when its app is deleted', async () => {
    const { shop, store } = await world();
    const version = await store(canary);
    await shop.command('apply', 'shop', document(version));
    await shop.until('convergence', converged);
    const purge = () => purgePartition(shop.ports, 'shop', { ...defaults, secretGraceMs: -1 });
    await purge();
    expect(await shop.ports.secrets.list('shop')).toMatchObject({ ok: true, value: [{ version }] });
    await shop.command('delete', 'shop', null);
    await shop.until('deletion', async (w) => (await w.rows()).app?.state === 'deleted');
    await purge();
    expect(await shop.ports.secrets.list('shop')).toEqual({ ok: true, value: [] });
  });
});

describe('a private image', () => {
  const image = 'acme.azurecr.io/flotilla/private:1';
  const shop = (registries: readonly object[]) => ({
    name: 'shop',
    'x-flotilla': { registries },
    services: { web: { image, ports: ['80'] } },
    secrets: { db: { 'x-flotilla': { secretRef: 'db' } } },
  });

  it('is pulled with the credentials of its registry, whose password stands nowhere else', async () => {
    const { shop: shown, told, store } = await world();
    await store(`${canary}\n`);
    const registry = { server: 'acme.azurecr.io', username: 'ci', passwordSecret: 'db' };
    await shown.command('apply', 'shop', shop([registry]));
    await shown.until('convergence', converged);
    const [body = '{}'] = shown.armBodies;
    expect(JSON.parse(body).properties.imageRegistryCredentials).toEqual([
      { server: 'acme.azurecr.io', username: 'ci', password: canary },
    ]);
    expect([...told, ...shown.entities().map(readable), ...shown.armShown()].filter(tells)).toEqual([]);
  });

  it('is refused without them, as ACI refuses it', async () => {
    const { shop: shown } = await world();
    await shown.command('apply', 'shop', shop([]));
    await shown.until('the refusal', async (w) =>
      (await w.rows()).replicas.some(({ reason }) => reason === 'ImagePullFailed'),
    );
  });
});
