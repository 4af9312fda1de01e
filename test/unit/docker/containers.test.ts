/** Runs as options of the engine's API, and how they are read back. */
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { describe, expect, it } from 'vitest';
import { type RunSpec, runOptions, runSeen, sandboxOptions } from '../../../src/docker/containers.ts';
import { engineMessage } from '../../../src/docker/failure.ts';
import { credentialsFor, withTag } from '../../../src/docker/images.ts';
import { demultiplex } from '../../../src/docker/streams.ts';

const owner = { id: 'o1', machine: 'm', directory: '/d' };
const spec: RunSpec = {
  uid: '12345678-9abc',
  group: 'g',
  container: 'web',
  run: 3,
  image: 'nginx',
  command: [],
  environment: { A: 'x=y', EMPTY: '' },
  cpuCores: 0.5,
  memoryGiB: 1.5,
  mounts: [],
  volumes: [],
};

describe('a run', () => {
  it('is named after its ordinal and lives in the network of its sandbox, limited, never restarted by the engine', () => {
    const options = runOptions(owner, 'sandbox-id', 4, spec);
    expect(options).toMatchObject({
      name: 'flotilla-o1-12345678-g-web-3',
      Image: 'nginx:latest',
      Env: ['A=x=y', 'EMPTY='],
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        NetworkMode: 'container:sandbox-id',
        NanoCpus: 500_000_000,
        Memory: 1_610_612_736,
        MemorySwap: 1_610_612_736,
        RestartPolicy: { Name: 'no' },
      },
      Labels: {
        'flotilla.owner': 'o1',
        'flotilla.directory': '/d',
        'flotilla.uid': '12345678-9abc',
        'flotilla.container': 'web',
        'flotilla.run': '3',
      },
    });
    expect(options).not.toHaveProperty('Entrypoint');
  });

  it('replaces entry point and arguments of the image by a command', () => {
    expect(runOptions(owner, 's', 4, { ...spec, command: ['a', 'b'] })).toMatchObject({
      Entrypoint: ['a', 'b'],
      Cmd: [],
    });
  });

  it('is given the volumes that it mounts: secrets never to write, shares under one name for all groups', () => {
    const volumes = [
      { kind: 'emptyDir', name: 'scratch' },
      { kind: 'secret', name: 'certs', version: '1' },
      { kind: 'share', name: 'files', account: 'acc', share: 's', readOnly: false },
    ] as const;
    const mounts = [
      { volume: 'scratch', path: '/tmp/a', readOnly: false },
      { volume: 'certs', path: '/etc/certs', readOnly: false },
      { volume: 'files', path: '/mnt', readOnly: true },
    ];
    const mounted = (uid: string) => runOptions(owner, 's', 2, { ...spec, uid, mounts, volumes }).HostConfig?.Mounts;
    expect(mounted('12345678-9abc')).toMatchObject([
      { Type: 'volume', Source: 'flotilla-o1-12345678-scratch', Target: '/tmp/a', ReadOnly: false },
      { Type: 'volume', Source: 'flotilla-o1-12345678-certs', Target: '/etc/certs', ReadOnly: true },
      { Type: 'volume', Target: '/mnt', ReadOnly: true },
    ]);
    expect(mounted('87654321-0')?.[2]?.Source).toBe(mounted('12345678-9abc')?.[2]?.Source);
  });

  it('is given no more processors than there are', () => {
    expect(runOptions(owner, 's', 2, { ...spec, cpuCores: 4 }).HostConfig?.NanoCpus).toBe(2e9);
  });

  const inspected = (State: object) =>
    ({
      Id: 'id',
      Created: '2040-01-01T00:00:00.5Z',
      Config: { Labels: { 'flotilla.container': 'web', 'flotilla.run': '3' } },
      State: {
        OOMKilled: false,
        ExitCode: 0,
        StartedAt: '0001-01-01T00:00:00Z',
        FinishedAt: '0001-01-01T00:00:00Z',
        ...State,
      },
    }) as unknown as Docker.ContainerInspectInfo;
  const created = Date.UTC(2040, 0, 1, 0, 0, 0, 500);

  it.each([
    { Status: 'created', state: 'created' },
    { Status: 'running', state: 'running' },
    { Status: 'paused', state: 'paused' },
    { Status: 'exited', state: 'ended' },
    { Status: 'dead', state: 'ended' },
    { Status: 'removing', state: 'ended' },
  ])('that is $Status is $state', ({ Status, state }) => {
    expect(runSeen(inspected({ Status }))).toMatchObject({ container: 'web', run: 3, state, startedAt: created });
  });

  it('is out of memory only when that is what killed it', () => {
    const ended = { Status: 'exited', OOMKilled: true };
    expect(runSeen(inspected({ ...ended, ExitCode: 137 })).outOfMemory).toBe(true);
    expect(runSeen(inspected({ ...ended, ExitCode: 1 })).outOfMemory).toBe(false);
  });
});

describe('a sandbox', () => {
  it('has the address of the group, or whichever the engine likes', () => {
    const at = (address?: string) =>
      sandboxOptions(owner, 'net', {
        uid: '12345678-9',
        group: 'g',
        volumes: [],
        files: {},
        digest: '',
        ...(address && { address }),
      }).NetworkingConfig?.EndpointsConfig?.['net'];
    expect(at('10.0.0.9')).toEqual({ IPAMConfig: { IPv4Address: '10.0.0.9' } });
    expect(at()).toEqual({});
  });
});

it.each([
  ['nginx', 'nginx:latest'],
  ['nginx:1', 'nginx:1'],
  ['registry.example:5000/a/b', 'registry.example:5000/a/b:latest'],
  ['a@sha256:0123', 'a@sha256:0123'],
])('the image %s is pulled as %s', (image, reference) => {
  expect(withTag(image)).toBe(reference);
});

describe('registry credentials', () => {
  const credentials = ['registry.example', 'localhost:5000', 'index.docker.io'].map((server) => ({
    server,
    username: 'u',
    password: 'p',
  }));
  it.each([
    { image: 'registry.example/a/b:1', server: 'registry.example' },
    { image: 'localhost:5000/a', server: 'localhost:5000' },
    { image: 'nginx', server: 'index.docker.io' },
    { image: 'docker.io/library/nginx', server: 'index.docker.io' },
    { image: 'acme/app', server: 'index.docker.io' },
    { image: 'other.example/a', server: undefined },
  ])('for $image are those of $server', ({ image, server }) => {
    expect(credentialsFor(image, credentials)?.server).toBe(server);
  });
});

it.each([
  { error: { json: { message: 'from the body' }, message: 'x' }, text: 'from the body' },
  {
    error: new Error('(HTTP code 500) server error - Get "https://r/v2/": no such host '),
    text: 'Get "https://r/v2/": no such host',
  },
  { error: new Error('connect ENOENT'), text: 'connect ENOENT' },
])('the engine is quoted without what its client adds: $text', ({ error, text }) => {
  expect(engineMessage(error)).toBe(text);
});

it('a stream of two sources is taken apart wherever its chunks break', async () => {
  const frame = (source: number, text: string) => {
    const header = Buffer.alloc(8);
    header[0] = source;
    header.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const whole = Buffer.concat([frame(1, 'one'), frame(2, 'zwei'), frame(1, ''), frame(1, 'drei')]);
  for (let size = 1; size <= whole.length; size += 1) {
    const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
      whole.subarray(i * size, (i + 1) * size),
    );
    const stream = Readable.from(chunks);
    const seen: string[] = [];
    demultiplex(stream, (source, data) => void seen.push(`${source} ${data}`));
    await new Promise((resolve) => stream.once('end', resolve));
    expect(seen).toEqual(['out one', 'err zwei', 'out ', 'out drei']);
  }
});
