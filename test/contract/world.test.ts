/** The world as one process: identity through the real credentials, TLS by the local authority, sockets of containers, faults by hand, and what a SIGKILL leaves. */
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ContainerGroup, ContainerInstanceManagementClient } from '@azure/arm-containerinstance';
import { TableClient } from '@azure/data-tables';
import { DefaultAzureCredential, ManagedIdentityCredential } from '@azure/identity';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AuditEntry } from '../../src/local/aci/model.ts';
import { DEFAULT_SETTINGS } from '../../src/local/aci/settings.ts';
import { startWorld, type World, type WorldConfig, type WorldPorts } from '../../src/local/world/world.ts';
import { filesTelling } from '../support/secrecy.ts';

const subscriptionId = DEFAULT_SETTINGS.subscriptionIds[0] ?? '';

/** Another block of loopback addresses for every world: tests run beside each other. */
const anyBlock = () => `127.${160 + Math.floor(Math.random() * 40)}.${Math.floor(Math.random() * 256)}.1`;
const fast = (): WorldConfig['settings'] => ({ provisioningMs: 50, deletionMs: 50, firstAddress: anyBlock() });

interface Told {
  readonly armUrl: string;
  readonly tablesUrl: string;
  readonly identityUrl: string;
  readonly controlUrl: string;
  readonly caPath: string;
  readonly ports: WorldPorts;
}

const tlsOf = (told: Told) => ({ tlsOptions: { ca: readFileSync(told.caPath, 'utf8') } });

/** Asks for its token by hand: the library's credential remembers the first identity endpoint of a process for good. */
function clientOf(told: Told, header: string): ContainerInstanceManagementClient {
  const ask = async () => {
    const url = `${told.identityUrl}?api-version=2019-08-01&resource=${told.armUrl}`;
    const response = await fetch(url, { headers: { 'x-identity-header': header } });
    const answer = (await response.json()) as { access_token: string; expires_on: string };
    return { token: answer.access_token, expiresOnTimestamp: Number(answer.expires_on) * 1000 };
  };
  const common = { endpoint: told.armUrl, retryOptions: { maxRetries: 0 }, ...tlsOf(told) };
  return new ContainerInstanceManagementClient({ getToken: ask }, subscriptionId, common);
}

const group = (image: string, env: Record<string, string> = {}, port = 8080): ContainerGroup => ({
  location: 'eastus',
  osType: 'Linux',
  containers: [
    {
      name: 'main',
      image,
      ports: [{ port }],
      resources: { requests: { cpu: 1, memoryInGB: 1 } },
      environmentVariables: Object.entries(env).map(([name, value]) => ({ name, value })),
    },
  ],
  ipAddress: { type: 'Public', ports: [{ port }] },
});

const options = { updateIntervalInMs: 20 };

async function eventually<T>(what: string, read: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const value = await read();
    if (good(value)) return value;
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What a request comes to: a status and body, or why there was none. */
async function ask(
  url: string,
  timeoutMs = 2_000,
): Promise<{ status: number; body: Record<string, unknown> } | string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), headers: { connection: 'close' } });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  } catch (error) {
    const { name, cause } = error as { name: string; cause?: { code?: string } };
    return cause?.code ?? name;
  }
}

const addressOf = (one: ContainerGroup): string => one.ipAddress?.ip ?? 'no address';
const viewOf = (one: ContainerGroup) => one.containers[0]?.instanceView;

describe('the world', () => {
  let dataDir: string;
  let world: World;
  let client: ContainerInstanceManagementClient;
  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'flotilla-world-'));
    world = await startWorld({ dataDir, settings: { ...fast(), retryAfterSeconds: 1 } });
  });
  afterEach(() => vi.unstubAllEnvs());
  afterAll(async () => {
    await world?.close();
    rmSync(dataDir, { recursive: true });
  });
  const create = async (name: string, body: ContainerGroup) => {
    client = clientOf(world, world.identityHeader);
    await client.containerGroups.beginCreateOrUpdate('flotilla', name, body, options);
    const created = await eventually(
      `${name} runs`,
      () => client.containerGroups.get('flotilla', name),
      (one) => one.provisioningState === 'Succeeded',
    );
    await world.settled();
    return created;
  };
  const control = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(world.controlUrl + path, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  };

  it('gives tokens to the managed identity credentials, and each service takes only its own', async () => {
    vi.stubEnv('IDENTITY_ENDPOINT', world.identityUrl);
    vi.stubEnv('IDENTITY_HEADER', world.identityHeader);
    for (const credential of [new ManagedIdentityCredential(), new DefaultAzureCredential()]) {
      const table = new TableClient(world.tablesUrl, 'rows', credential, tlsOf(world));
      await table.createTable();
      await table.upsertEntity({ partitionKey: 'p', rowKey: 'r' });
      expect(await table.getEntity('p', 'r')).toMatchObject({ rowKey: 'r' });
      const forTables = await credential.getToken('https://storage.azure.com/.default');
      const wrong = { getToken: async () => forTables };
      const at = { endpoint: world.armUrl, ...tlsOf(world) };
      const listed = new ContainerInstanceManagementClient(credential, subscriptionId, at).containerGroups.list();
      expect(await listed.next()).toMatchObject({ done: expect.any(Boolean) });
      const arm = new ContainerInstanceManagementClient(wrong, subscriptionId, at);
      await expect(arm.containerGroups.get('flotilla', 'any')).rejects.toMatchObject({ statusCode: 401 });
    }
  });

  it('keeps no secure value of a stand-in in its files, neither while it is there nor updated nor deleted', async () => {
    const secrets = ['canary-first-7d1f20b4', 'canary-later-93ac6e55'] as const;
    const secretive = (secret: string): ContainerGroup => {
      const [one] = group('flotilla/http').containers;
      if (!one) throw new Error('a group without containers');
      const mounted = { ...one, volumeMounts: [{ name: 'certs', mountPath: '/etc/certs' }] };
      const check = { exec: { command: ['test', '-f', '/etc/certs/key'] }, periodSeconds: 1 };
      const variables = ['PASSWORD', 'STANDIN_BANNER', 'STANDIN_LOG'].map((name) => ({ name, secureValue: secret }));
      return {
        ...group('flotilla/http'),
        containers: [{ ...mounted, environmentVariables: variables, livenessProbe: check }],
        volumes: [{ name: 'certs', secret: { key: Buffer.from(secret).toString('base64') } }],
        imageRegistryCredentials: [{ server: 'registry.example', username: 'ci', password: secret }],
      };
    };
    const telling = () => secrets.flatMap((secret) => filesTelling(dataDir, secret));
    for (const secret of secrets) {
      await create('secretive', secretive(secret));
      expect(telling()).toEqual([]);
    }
    await client.containerGroups.beginDeleteAndWait('flotilla', 'secretive', options);
    expect(telling()).toEqual([]);
    await create('open', group('flotilla/http', { GREETING: 'canary-in-the-clear' }));
    expect(filesTelling(dataDir, 'canary-in-the-clear').length).toBeGreaterThan(0);
  });

  it('gives no token without the header of the identity', async () => {
    const url = `${world.identityUrl}?api-version=2019-08-01&resource=https://storage.azure.com`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { 'x-identity-header': 'guess' } })).status).toBe(401);
    const header = { 'x-identity-header': world.identityHeader };
    expect((await fetch(`${url}&client_id=someone`, { headers: header })).status).toBe(400);
    expect((await fetch(url, { headers: header })).status).toBe(200);
  });

  it('is trusted by a process that knows its authority, and by no other', async () => {
    const script = `fetch(${JSON.stringify(world.armUrl)}).then((r) => console.log(r.status), (e) => console.log(e.cause.code))`;
    const run = async (env: NodeJS.ProcessEnv) =>
      (await promisify(execFile)(process.execPath, ['-e', script], { env })).stdout.trim();
    expect(await run({ NODE_EXTRA_CA_CERTS: world.caPath })).toBe('401');
    expect(await run({})).toMatch(/SELF_SIGNED|UNABLE_TO_VERIFY/);
  });

  it('answers on the declared port of the group with who is asked, and on no other', async () => {
    const labels = {
      FLOTILLA_APP: 'shop',
      FLOTILLA_SERVICE: 'web',
      FLOTILLA_SLOT: '2',
      FLOTILLA_INCARNATION: '5',
      FLOTILLA_REVISION: '3',
    };
    const created = await create('echo', group('nginx:1.29', labels));
    expect(await ask(`http://${addressOf(created)}:8080/some/path`)).toEqual({
      status: 200,
      body: {
        group: 'echo',
        container: 'main',
        image: 'nginx:1.29',
        location: 'eastus',
        app: 'shop',
        service: 'web',
        slot: '2',
        incarnation: '5',
        revision: '3',
        restartCount: 0,
        method: 'GET',
        path: '/some/path',
      },
    });
    expect(await ask(`http://${addressOf(created)}:8081/`)).toBe('ECONNREFUSED');
  });

  it('closes the port when the group is deleted', async () => {
    const created = await create('short', group('flotilla/http'));
    expect(await ask(`http://${addressOf(created)}:8080/`)).toMatchObject({ status: 200 });
    await client.containerGroups.beginDelete('flotilla', 'short', options);
    await world.settled();
    expect(await ask(`http://${addressOf(created)}:8080/`)).toBe('ECONNREFUSED');
  });

  it('plays a TCP server', async () => {
    const created = await create('cache', group('redis:7', {}, 6379));
    const socket = connect(6379, addressOf(created));
    socket.write('PING\r\n');
    const [reply] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(reply.toString()).toBe('+PONG\r\n');
  });

  it('plays a server that answers with an error, one that hangs, and one that is slow to start', async () => {
    const sick = await create('sick', group('flotilla/http', { STANDIN_HTTP_STATUS: '500' }));
    const hung = await create('hung', group('flotilla/hang'));
    const slow = await create('slow', group('flotilla/http', { STANDIN_START_DELAY_S: '0.5' }));
    expect(await ask(`http://${addressOf(slow)}:8080/`)).toBe('ECONNREFUSED');
    expect(await ask(`http://${addressOf(sick)}:8080/`)).toMatchObject({ status: 500 });
    expect(await ask(`http://${addressOf(hung)}:8080/`, 100)).toBe('TimeoutError');
    await eventually(
      'it has started',
      () => ask(`http://${addressOf(slow)}:8080/`),
      (answer) => typeof answer === 'object',
    );
  });

  it('lets containers be crashed, hung, moved, killed and lost by hand', async () => {
    const created = await create('victim', group('flotilla/http'));
    const url = `http://${addressOf(created)}:8080/`;
    const read = () => client.containerGroups.get('flotilla', 'victim');

    expect((await control('POST', '/control/groups/victim/containers/main/hang')).status).toBe(204);
    expect(await ask(url, 100)).toBe('TimeoutError');

    expect((await control('POST', '/control/groups/victim/kill')).status).toBe(204);
    const killed = await eventually('it runs again', read, (one) => viewOf(one)?.restartCount === 1);
    expect(viewOf(killed)?.previousState).toMatchObject({ state: 'Terminated', exitCode: 7147 });
    await world.settled();
    expect(await ask(url)).toMatchObject({ body: { restartCount: 1 } });

    expect((await control('POST', '/control/groups/victim/address')).status).toBe(204);
    await world.settled();
    const moved = await read();
    expect(addressOf(moved)).not.toBe(addressOf(created));
    expect(await ask(url)).toBe('ECONNREFUSED');
    expect(await ask(`http://${addressOf(moved)}:8080/`)).toMatchObject({ status: 200 });

    expect((await control('POST', '/control/groups/victim/containers/main/crash', { exitCode: 9 })).status).toBe(204);
    expect(viewOf(await read())).toMatchObject({ currentState: { state: 'Waiting' }, previousState: { exitCode: 9 } });
    expect((await control('POST', '/control/groups/victim/containers/main/crash')).status).toBe(409);

    expect((await control('POST', '/control/groups/victim/vanish')).status).toBe(204);
    await expect(read()).rejects.toMatchObject({ statusCode: 404 });
    const audit = (await control('GET', '/control/audit')).body as AuditEntry[];
    expect(audit.filter((entry) => entry.name === 'victim').map((entry) => entry.action)).toEqual(['create', 'gone']);
  });

  it('cuts off the containers of a region', async () => {
    const created = await create('cut-off', group('flotilla/http'));
    const url = `http://${addressOf(created)}:8080/`;
    await control('PUT', '/control/regions/eastus', { containersDown: true });
    await world.settled();
    expect(await ask(url)).toBe('ECONNREFUSED');
    await control('PUT', '/control/regions/eastus', {});
    await world.settled();
    expect(await ask(url)).toMatchObject({ status: 200 });
  });

  it('tells a port that cannot be opened as an event with cause and remedy', async () => {
    const first = await create('sits-there', group('flotilla/http'));
    const [a, b, c, d] = addressOf(first).split('.').map(Number);
    const next = `${a}.${b}.${c}.${(d ?? 0) + 1}`;
    // The lowest free address is the next one, unless an earlier test left a gap: whichever it is, the port is taken there.
    const taken = await Promise.all(
      Array.from({ length: 20 }, (_, i) => `${a}.${b}.${c}.${i + 1}`)
        .concat(next)
        .map(
          (address) =>
            new Promise<ReturnType<typeof createServer>>((resolve) => {
              const server = createServer();
              server.once('error', () => resolve(server));
              server.listen(18_080, address, () => resolve(server));
            }),
        ),
    );
    const created = await create('unbound', group('flotilla/http', {}, 18_080));
    const told = await eventually(
      'the event is there',
      () => client.containerGroups.get('flotilla', 'unbound'),
      (one) => viewOf(one)?.events?.some((event) => event.name === 'Failed') ?? false,
    );
    const event = viewOf(told)?.events?.find((one) => one.name === 'Failed');
    expect(event?.type).toBe('Warning');
    expect(event?.message).toContain(
      `cannot listen on ${addressOf(created)}:18080 (EADDRINUSE): another process uses it. Remedy:`,
    );
    for (const server of taken) server.close();
  });

  it.each([
    { what: 'an unknown path', method: 'GET', path: '/control/nothing', status: 404 },
    { what: 'an unknown group', method: 'POST', path: '/control/groups/nobody/kill', status: 404 },
    { what: 'an unknown region', method: 'PUT', path: '/control/regions/mars', body: {}, status: 404 },
    {
      what: 'an unknown fault',
      method: 'POST',
      path: '/control/faults',
      body: { effect: { kind: 'earthquake' } },
      status: 400,
    },
    {
      what: 'an unknown field',
      method: 'PUT',
      path: '/control/regions/eastus',
      body: { arm: 'unavailable', extra: 1 },
      status: 400,
    },
  ])('refuses control of $what in words', async ({ method, path, body, status }) => {
    const answer = await control(method, path, body);
    expect(answer).toMatchObject({ status, body: { error: expect.stringMatching(/\w{3}/) } });
  });
});

describe('the world as a process', () => {
  const children: ChildProcess[] = [];
  const dirs: string[] = [];
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  });
  const launch = async (config: WorldConfig): Promise<Told & { child: ChildProcess }> => {
    const child = fork(join(import.meta.dirname, '../../src/local/world/main.ts'), [JSON.stringify(config)], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    children.push(child);
    const [message] = (await once(child, 'message')) as [Told & { type: string; message?: string }];
    if (message.type !== 'ready') throw new Error(message.message);
    return { ...message, child };
  };

  it("comes back after SIGKILL with every group, its clients' tokens still good and its containers restarted", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'flotilla-world-'));
    dirs.push(dataDir);
    const config: WorldConfig = { dataDir, identityHeader: 'header', settings: { ...fast(), provisioningMs: 200 } };
    const first = await launch(config);
    const client = clientOf(first, 'header');
    const get = (name: string) => client.containerGroups.get('flotilla', name);
    await client.containerGroups.beginCreateOrUpdate('flotilla', 'settled', group('flotilla/http'), options);
    const before = await eventually(
      'it runs',
      () => get('settled'),
      (one) => one.provisioningState === 'Succeeded',
    );
    await client.containerGroups.beginCreateOrUpdate('flotilla', 'half-way', group('flotilla/http'), options);
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');

    const second = await launch({ ...config, ports: first.ports });
    expect(second.ports).toEqual(first.ports);
    const after = await eventually(
      'it runs again',
      () => get('settled'),
      (one) => viewOf(one)?.currentState?.state === 'Running',
    );
    expect(viewOf(after)).toMatchObject({ restartCount: 1, previousState: { exitCode: 7147 } });
    expect(addressOf(after)).toBe(addressOf(before));
    await eventually(
      'the other one runs, too',
      () => get('half-way'),
      (one) => one.provisioningState === 'Succeeded',
    );
    await eventually(
      'it answers',
      () => ask(`http://${addressOf(after)}:8080/`),
      (answer) => typeof answer === 'object',
    );
    const audit = (await (await fetch(`${second.controlUrl}/control/audit`)).json()) as AuditEntry[];
    expect(audit.map(({ action, name }) => `${action} ${name}`)).toEqual(['create settled', 'create half-way']);
  });

  it('ends with its supervisor', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'flotilla-world-'));
    dirs.push(dataDir);
    const { child } = await launch({ dataDir });
    child.disconnect();
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
  });

  it('says what is wrong when a port is taken', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'flotilla-world-'));
    dirs.push(dataDir);
    const { ports } = await launch({ dataDir });
    const other = mkdtempSync(join(tmpdir(), 'flotilla-world-'));
    dirs.push(other);
    await expect(launch({ dataDir: other, ports })).rejects.toThrow(/EADDRINUSE/);
  });
});
