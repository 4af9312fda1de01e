/** Image references and the images the stand-in knows. `CATALOGUE.md` is the same table for people; a test compares the two. */

/** What an image does when its environment says nothing else. */
export interface KnownImage {
  readonly protocol: 'http' | 'tcp' | 'none';
  /** Listens here when the container declares no port. */
  readonly port?: number;
  readonly banner?: string;
  /** Exits 0 at once unless its command runs on: a shell without a terminal. */
  readonly shell?: true;
  readonly exitAfterMs?: number;
  readonly exitCode?: number;
  readonly hangAfterMs?: number;
  readonly startDelayMs?: number;
  readonly responseDelayMs?: number;
  readonly pull?: 'notFound' | 'inaccessible';
  /** Inaccessible to a group without a credential for its registry. */
  readonly private?: true;
}

const http = (port = 80): KnownImage => ({ protocol: 'http', port });
const tcp = (port: number, banner = ''): KnownImage => ({ protocol: 'tcp', port, banner });
const shell: KnownImage = { protocol: 'none', shell: true };

export const KNOWN_IMAGES: Readonly<Record<string, KnownImage>> = {
  'flotilla/http': http(),
  'flotilla/tcp': tcp(80, 'standin\r\n'),
  'flotilla/worker': { protocol: 'none' },
  'flotilla/crash': { ...http(), exitAfterMs: 3_000, exitCode: 1 },
  'flotilla/hang': { ...http(), hangAfterMs: 0 },
  'flotilla/slow': { ...http(), startDelayMs: 20_000, responseDelayMs: 500 },
  'flotilla/job': { protocol: 'none', exitAfterMs: 2_000, exitCode: 0 },
  'flotilla/missing': { protocol: 'none', pull: 'notFound' },
  'flotilla/private': { ...http(), private: true },
  'flotilla/inaccessible': { protocol: 'none', pull: 'inaccessible' },
  nginx: http(),
  'nginxinc/nginx-unprivileged': http(8080),
  httpd: http(),
  caddy: http(),
  traefik: http(),
  haproxy: http(),
  'traefik/whoami': http(),
  'nginxdemos/hello': http(),
  'hashicorp/http-echo': http(5678),
  'kennethreitz/httpbin': http(),
  'azuredocs/aci-helloworld': http(),
  'azuredocs/aci-tutorial-app': http(),
  'dockersamples/examplevotingapp_vote': http(),
  'dockersamples/examplevotingapp_result': http(),
  'dockersamples/examplevotingapp_worker': { protocol: 'none' },
  wordpress: http(),
  ghost: http(2368),
  redis: tcp(6379),
  valkey: tcp(6379),
  'valkey/valkey': tcp(6379),
  memcached: tcp(11211),
  postgres: tcp(5432),
  mysql: tcp(3306),
  mariadb: tcp(3306),
  mongo: tcp(27017),
  rabbitmq: tcp(5672),
  nats: tcp(4222, 'INFO {"server_name":"standin"}\r\n'),
  busybox: shell,
  alpine: shell,
  debian: shell,
  ubuntu: shell,
  'hello-world': { protocol: 'none', exitAfterMs: 0, exitCode: 0 },
};

/** The host of its registry; Docker Hub's where none is named. */
export function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first.toLowerCase() : 'index.docker.io';
}

/** The repository without registry, `library/`, tag and digest: `docker.io/library/nginx:1.27@sha256:…` is `nginx`. */
export function repositoryOf(image: string): string {
  const [named = ''] = image.split('@');
  const parts = named.split('/');
  const [first = ''] = parts;
  if (parts.length > 1 && (/[.:]/.test(first) || first === 'localhost')) parts.shift();
  if (parts[0] === 'library') parts.shift();
  return parts.join('/').replace(/:[^/]*$/, '');
}
