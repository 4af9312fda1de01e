/** Binds the contract of the Tables service to the embedded one (in process, and over HTTPS) and to Azurite, the reference. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
  type PipelineRequestOptions,
} from '@azure/core-rest-pipeline';
import {
  AzureNamedKeyCredential,
  TableClient,
  TableServiceClient,
  type TableServiceClientOptions,
} from '@azure/data-tables';
import { generate } from 'selfsigned';
import { describe, expect, it } from 'vitest';
import { benign } from '../../src/local/core.ts';
import { coreHttpClient } from '../../src/local/core-http-client.ts';
import { createTablesCore } from '../../src/local/tables/core.ts';
import { memoryTableStore } from '../../src/local/tables/memory-store.ts';
import { startTablesServer } from '../../src/local/tables/server.ts';
import { azuriteDifferences } from './tables.azurite.ts';
import { runTablesContract, type TablesTarget } from './tables.contract.ts';

const token = 'a-token';
const authorize = (authorization: string | undefined): boolean => authorization === `Bearer ${token}`;
const bearer = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
const retryOptions = { maxRetries: 0 };

type Credential = typeof bearer | AzureNamedKeyCredential;

function targetAt(
  url: string,
  credential: Credential,
  options: TableServiceClientOptions,
  httpClient: HttpClient,
  close: () => Promise<void>,
): TablesTarget {
  const clientOptions = { ...options, httpClient, retryOptions };
  const service = new TableServiceClient(url, credential as AzureNamedKeyCredential, clientOptions);
  return {
    table: (name) => new TableClient(url, name, credential as AzureNamedKeyCredential, clientOptions),
    service: () => service,
    send: (path, request) =>
      service.pipeline.sendRequest(
        httpClient,
        createPipelineRequest({
          ...request,
          url: url + path,
          headers: createHttpHeaders(request.headers as unknown as Record<string, string>),
          ...(options.allowInsecureConnection && { allowInsecureConnection: true }),
        } as PipelineRequestOptions),
      ),
    close,
  };
}

runTablesContract({
  name: 'Tables core in memory',
  connect: async () => {
    const core = createTablesCore({ store: memoryTableStore(), authorize });
    const httpClient = coreHttpClient(core, () => 1_767_225_600_000, benign);
    return targetAt('https://account.table.core.windows.net', bearer, {}, httpClient, async () => undefined);
  },
});

async function startServer() {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-tables-'));
  const pems = await generate([{ name: 'commonName', value: 'flotilla test' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  const server = await startTablesServer({
    port: 0,
    dataPath: join(directory, 'tables.sqlite'),
    tls: { key: pems.private, cert: pems.cert },
    now: Date.now,
    draw: benign,
    authorize,
  });
  const close = async () => {
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { url: server.url, ca: pems.cert, close };
}

for (const account of ['', '/account'])
  runTablesContract({
    name: `Tables server on SQLite, over HTTPS${account && ` with the account in the path`}`,
    connect: async () => {
      const { url, ca, close } = await startServer();
      return targetAt(url + account, bearer, { tlsOptions: { ca } }, createDefaultHttpClient(), close);
    },
  });

describe('a server asked with the wrong token', () => {
  it('answers 401 with a challenge, on which the client asks for another token once', async () => {
    const { url, ca, close } = await startServer();
    const asked: string[] = [];
    const credential = {
      getToken: async (scopes: string | string[]) => {
        asked.push(...[scopes].flat());
        return { token: asked.length === 1 ? 'old' : token, expiresOnTimestamp: Date.now() + 3_600_000 };
      },
    };
    const table = new TableClient(url, 'challenged', credential, { tlsOptions: { ca }, retryOptions });
    await table.createTable();
    expect(asked).toEqual(Array(2).fill('https://storage.azure.com/.default'));
    const wrong = { getToken: async () => ({ token: 'wrong', expiresOnTimestamp: Date.now() + 3_600_000 }) };
    const refused = new TableClient(url, 'challenged', wrong, { tlsOptions: { ca }, retryOptions });
    await expect(refused.getEntity('p', 'r')).rejects.toMatchObject({ statusCode: 401 });
    await close();
  });
});

const azuriteDirectory = new URL('../../tools/azurite/', import.meta.url).pathname;
const azuriteMissing = 'Azurite is not installed: npm run test:azurite installs it';

async function startAzurite(): Promise<{ url: string; close: () => Promise<void> }> {
  const child = spawn(process.execPath, ['serve.cjs'], {
    cwd: azuriteDirectory,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const address = Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    exited.then(([code]) => Promise.reject(new Error(`Azurite ended with code ${code} before it listened`))),
  ]);
  const close = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return { url: String((await address)[0]), close };
}

if (existsSync(join(azuriteDirectory, 'node_modules/azurite')))
  runTablesContract({
    name: 'Azurite',
    connect: async () => {
      const { url, close } = await startAzurite();
      // The account and key that Azurite publishes for everyone.
      const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
      const credential = new AzureNamedKeyCredential('devstoreaccount1', key);
      return targetAt(url, credential, { allowInsecureConnection: true }, createDefaultHttpClient(), close);
    },
    differences: azuriteDifferences,
  });
else if (process.env['FLOTILLA_AZURITE'] === 'required')
  it('Azurite is bound to the contract', () => {
    throw new Error(azuriteMissing);
  });
else it.skip(`the contract on Azurite (${azuriteMissing})`, () => undefined);

describe('src/local/tables/DIFFERENCES.md', () => {
  it('lists exactly the differences of Azurite that the contract run shows', () => {
    const text = readFileSync(new URL('../../src/local/tables/DIFFERENCES.md', import.meta.url), 'utf8');
    const section = text.slice(text.indexOf('## Where Azurite answers otherwise'));
    const items = section.split('\n').filter((line) => line.startsWith('- '));
    expect(items).toEqual(
      azuriteDifferences.flatMap(({ reason, tests }) => tests.map((test) => `- ${test}: ${reason}`)),
    );
  });
});
