/** Where something can be mounted into a container of Azure Container Instances. */

/** What an image cannot do without; a mount would hide it. */
const systemDirectories = new Set([
  ...['bin', 'boot', 'dev', 'etc', 'lib', 'lib64', 'proc', 'run', 'sbin', 'sys', 'usr', 'var'].map(
    (name) => `/${name}`,
  ),
  ...['bin', 'lib', 'lib64', 'local', 'local/bin', 'local/lib', 'sbin', 'share'].map((name) => `/usr/${name}`),
  '/etc/ssl',
  '/etc/ssl/certs',
  '/var/lib',
  '/var/run',
]);

/** Why nothing can be mounted at `path`, to follow a colon; `undefined` = it can. A trailing slash is ignored. */
export function pathProblem(path: string): string | undefined {
  const plain = path.length > 1 ? path.replace(/\/+$/, '') : path;
  if (!plain.startsWith('/')) return `\`${path}\` is not an absolute path`;
  if (plain.includes(':')) return `\`${path}\` has a colon in it`;
  if (plain === '/' || systemDirectories.has(plain)) return `over \`${plain}\` it would hide what every image needs`;
  return undefined;
}
