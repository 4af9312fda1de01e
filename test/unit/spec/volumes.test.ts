import { describe, expect, it } from 'vitest';
import { appOf, documentOf, problemsOf } from '../../support/compose.ts';

const secrets = 'secrets: { key: { external: true } }';
const share = '{ x-flotilla: { azureFile: { share: data, storageAccount: acme, keySecret: key } } }';
const document = (service: string, volumes = '{}') =>
  documentOf(`name: shop\nservices:\n  web: { image: "nginx:1.29", ${service} }\nvolumes: ${volumes}\n${secrets}`);
const templateOf = (service: string, volumes?: string) => appOf(document(service, volumes)).services[0]?.template;
const said = (service: string, volumes?: string) =>
  problemsOf(document(service, volumes)).map(({ severity, path, problem, remedy }) => ({
    what: `${severity} ${path}`,
    text: `${problem} ${remedy}`,
  }));

describe('a named volume', () => {
  it('that says nothing about its data is refused, with every way out: its data would be lost in silence', () => {
    const [problem, ...more] = said('volumes: ["data:/var/lib/data"]', '{ data: }');
    expect(more).toEqual([]);
    expect(problem?.what).toBe('error volumes.data');
    expect(problem?.text).toMatch(
      /would be lost with the first replica.*azureFile.*database outside the app.*emptyDir: true/,
    );
  });

  it('in Azure Files is mounted by every replica; its key is a reference', () => {
    expect(templateOf('volumes: ["data:/srv/data:ro"]', `{ data: ${share} }`)).toMatchObject({
      volumes: [
        {
          kind: 'azureFile',
          name: 'volume-data',
          share: 'data',
          storageAccount: 'acme',
          key: { secretRef: 'key' },
          readOnly: false,
        },
      ],
      mounts: [{ volume: 'volume-data', path: '/srv/data', readOnly: true }],
    });
  });

  it('means the same in the words of Docker’s former integration', () => {
    const driver =
      '{ driver: azure_file, driver_opts: { share_name: data, storage_account_name: acme, storage_account_key_secret: key } }';
    const mount = 'volumes: ["data:/srv/data"]';
    expect(templateOf(mount, `{ data: ${driver} }`)).toEqual(templateOf(mount, `{ data: ${share} }`));
  });

  it('that may be lost is an empty directory, with a warning', () => {
    const mount = 'volumes: ["data:/srv/data"]';
    expect(templateOf(mount, '{ data: { x-flotilla: { emptyDir: true } } }')?.volumes).toEqual([
      { kind: 'emptyDir', name: 'volume-data' },
    ]);
    expect(said(mount, '{ data: { x-flotilla: { emptyDir: true } } }').map(({ what }) => what)).toEqual([
      'warning volumes.data',
    ]);
  });

  it('that nobody mounts is only warned about', () => {
    expect(said('', '{ data: }').map(({ what }) => what)).toEqual(['warning volumes.data']);
  });

  it.each([
    ['{ data: { driver: rexray } }', 'volumes.data', /driver `rexray` does not exist here/],
    [
      `{ data: ${share.replace('share: data', 'share: Data')} }`,
      'volumes.data.x-flotilla.azureFile.share',
      /file share/,
    ],
    [
      `{ data: ${share.replace('acme', 'a_b')} }`,
      'volumes.data.x-flotilla.azureFile.storageAccount',
      /storage account/,
    ],
    [`{ data: ${share.replace(', keySecret: key', '')} }`, 'volumes.data.x-flotilla.azureFile.keySecret', /key of the/],
    [
      `{ data: ${share.replace('keySecret: key', 'keySecret: kee')} }`,
      'volumes.data.x-flotilla.azureFile.keySecret',
      /`key`/,
    ],
    ['{ data: { driver: azure_file } }', 'volumes.data.driver_opts.share_name', /file share/],
  ])('%s is refused', (volumes, path, text) => {
    const errors = said('volumes: ["data:/srv/data"]', volumes).filter(({ what }) => what.startsWith('error'));
    expect(errors[0]?.what).toBe(`error ${path}`);
    expect(errors[0]?.text).toMatch(text);
  });
});

describe('a mount', () => {
  it.each([
    ['volumes: [/var/cache/web]', '/var/cache/web'],
    ['volumes: ["/var/cache/web/"]', '/var/cache/web'],
    ['volumes: [{ type: tmpfs, target: /scratch }]', '/scratch'],
    ['tmpfs: /scratch', '/scratch'],
    ['tmpfs: ["/scratch:size=64m"]', '/scratch'],
  ])('%s is an empty directory of each replica, with a warning', (service, path) => {
    expect(templateOf(service)?.mounts).toMatchObject([{ path, readOnly: false }]);
    expect(templateOf(service)?.volumes).toMatchObject([{ kind: 'emptyDir' }]);
    expect(said(service).map(({ what }) => what.split(' ')[0])).toEqual(['warning']);
  });

  it('gets a volume of its own where it has no name, and shares the named one', () => {
    const volumes = `{ data: ${share} }`;
    const template = templateOf('volumes: [/a-b, /a/b, "data:/one", "data:/two"]', volumes);
    expect(template?.volumes?.map(({ name }) => name)).toEqual(['scratch-a-b', 'scratch-a-b-2', 'volume-data']);
    expect(template?.mounts?.filter(({ volume }) => volume === 'volume-data')).toHaveLength(2);
  });

  it('has a name that ACI takes, whatever the volume is called', () => {
    const name = `My_Data.${'x'.repeat(80)}`;
    const [volume] = templateOf(`volumes: ["${name}:/srv"]`, `{ ${name}: ${share} }`)?.volumes ?? [];
    expect(volume?.name).toMatch(/^volume-my-data-x+$/);
    expect(volume?.name.length).toBeLessThanOrEqual(63);
  });

  it.each([
    ['volumes: ["./src:/srv"]', 'volumes[0]', /`.\/src` of the machine.*under `configs:`/],
    ['volumes: ["~/x:/srv"]', 'volumes[0]', /of the machine/],
    ['volumes: ["C:\\\\data:/srv"]', 'volumes[0]', /of the machine/],
    ['volumes: [{ type: bind, source: ./src, target: /srv }]', 'volumes[0]', /of the machine/],
    ['volumes: [/var/run/docker.sock:/var/run/docker.sock]', 'volumes[0]', /run without one/],
    ['volumes: [{ type: image, source: a, target: /srv }]', 'volumes[0]', /type `image` does not exist/],
    ['volumes: ["nope:/srv"]', 'volumes[0]', /declares no volume `nope`/],
    ['volumes: ["data:/srv:ro:x"]', 'volumes[0]', /is not a mount/],
    ['volumes: ["data:srv"]', 'volumes[0]', /not an absolute path/],
    ['volumes: ["/usr"]', 'volumes[0]', /what every image needs/],
    ['volumes: ["/"]', 'volumes[0]', /what every image needs/],
    ['volumes: [/srv, "/srv/"]', 'volumes[1]', /something is mounted at `\/srv` already/],
    ['volumes: [/run/secrets], secrets: [key]', '', /something is mounted at `\/run\/secrets` already/],
    [
      'volumes: [{ type: volume, source: data, target: /srv, volume: { subpath: a } }]',
      'volumes[0].volume.subpath',
      /part/,
    ],
    ['tmpfs: relative', 'tmpfs', /not an absolute path/],
  ])('%s is refused', (service, path, text) => {
    const errors = said(service, `{ data: ${share} }`).filter(({ what }) => what.startsWith('error'));
    expect(errors.map(({ what }) => what)).toEqual([`error services.web${path === '' ? '' : `.${path}`}`]);
    expect(errors[0]?.text).toMatch(text);
  });

  it('beyond the twentieth volume is refused with both numbers', () => {
    const mounts = Array.from({ length: 21 }, (_, n) => `/scratch/${n}`).join(', ');
    expect(said(`volumes: [${mounts}]`).filter(({ what }) => what.startsWith('error'))).toEqual([
      { what: 'error services.web', text: expect.stringMatching(/needs 21 volumes.*at most 20/) },
    ]);
  });
});
