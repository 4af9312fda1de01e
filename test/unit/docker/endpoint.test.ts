/** Which daemon is meant, in the order of the Docker CLI. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { dockerEndpoint } from '../../../src/docker/endpoint.ts';

const metaOf = (context: string, directory = '/home/me/.docker') =>
  `${directory}/contexts/meta/${createHash('sha256').update(context).digest('hex')}/meta.json`;
const meta = (host: string) =>
  JSON.stringify({ Name: 'x', Endpoints: { docker: { Host: host, SkipTLSVerify: false } } });
const chosen = (context: string) => JSON.stringify({ auths: {}, currentContext: context });

describe('the Docker endpoint', () => {
  it.each([
    { name: 'is the default socket where nothing says otherwise', env: {}, files: {}, expect: {} },
    {
      name: 'is what DOCKER_HOST says',
      env: { DOCKER_HOST: 'unix:///a' },
      files: {},
      expect: { dockerHost: 'unix:///a' },
    },
    {
      name: 'is that of the context in use',
      env: {},
      files: { '/home/me/.docker/config.json': chosen('laptop'), [metaOf('laptop')]: meta('unix:///laptop') },
      expect: { dockerContext: 'laptop', dockerHost: 'unix:///laptop' },
    },
    {
      name: 'is that of DOCKER_CONTEXT before the one in use',
      env: { DOCKER_CONTEXT: 'other' },
      files: { '/home/me/.docker/config.json': chosen('laptop'), [metaOf('other')]: meta('ssh://other') },
      expect: { dockerContext: 'other', dockerHost: 'ssh://other' },
    },
    {
      name: 'is DOCKER_HOST before any context',
      env: { DOCKER_HOST: 'unix:///a', DOCKER_CONTEXT: 'other' },
      files: { [metaOf('other')]: meta('unix:///other') },
      expect: { dockerHost: 'unix:///a' },
    },
    {
      name: 'is looked for where DOCKER_CONFIG says',
      env: { DOCKER_CONFIG: '/etc/mine' },
      files: { '/etc/mine/config.json': chosen('laptop'), [metaOf('laptop', '/etc/mine')]: meta('unix:///mine') },
      expect: { dockerContext: 'laptop', dockerHost: 'unix:///mine' },
    },
    {
      name: 'is the default socket in the context «default»',
      env: { DOCKER_CONTEXT: 'default' },
      files: { '/home/me/.docker/config.json': chosen('laptop') },
      expect: {},
    },
    {
      name: 'is unknown in a context that is not there',
      env: { DOCKER_CONTEXT: 'gone' },
      files: {},
      expect: { dockerContext: 'gone' },
    },
    {
      name: 'is the default socket where the CLI’s file cannot be read',
      env: {},
      files: { '/home/me/.docker/config.json': '{' },
      expect: {},
    },
  ])('$name', ({ env, files, expect: wanted }) => {
    const readText = (path: string) => (files as Record<string, string>)[path];
    expect(dockerEndpoint(env, '/home/me', readText)).toEqual(wanted);
  });
});
