/** Secure values with real containers: they arrive, at every start, and stand nowhere in the files of the world. */
import { createHash } from 'node:crypto';
import type Docker from 'dockerode';
import { beforeAll, describe, expect, it } from 'vitest';
import { filesTelling } from '../support/secrecy.ts';
import { ask, engine, engineId, eventually, group, leftOn } from './fixture.ts';
import { directories, worlds } from './worlds.ts';

const values = { variable: 'canary-variable-9f1c6a', file: 'canary-file-4be2d7', password: 'canary-password-77ab0e' };
const later = { variable: 'canary-later-5c3e19aa', file: 'canary-later-file-1d4f', password: 'canary-later-word-88' };
type Values = typeof values;

let docker: Docker;
beforeAll(async () => {
  docker = await engine();
});
const newDir = directories();
const { launch, kill, end, runs } = worlds();

const sha = (text: string) => createHash('sha256').update(text).digest('hex');
/** One serves its variable; the other prints a hash of its file at every start. */
const secretive = ({ variable, file, password }: Values) =>
  group(
    [
      { secret: { PASSWORD: variable } },
      {
        name: 'reader',
        image: 'busybox:1.37',
        port: 8081,
        mounts: { certs: '/etc/certs' },
        command: ['sh', '-c', 'sha256sum /etc/certs/key; trap exit TERM; while :; do sleep 0.2; done'],
      },
    ],
    {
      volumes: [{ name: 'certs', secret: { key: Buffer.from(file).toString('base64') } }],
      imageRegistryCredentials: [{ server: 'registry.example', username: 'ci', password }],
    },
  );
const all = (dataDir: string) =>
  [...Object.values(values), ...Object.values(later)].flatMap((value) => filesTelling(dataDir, value));
const served = async (ip: string) => JSON.parse(await ask(`http://${ip}:8080/`)).secret;

describe('secure values', () => {
  it('reach containers at every start, also after an update and a crash of the world, and lie in no file of it', async () => {
    const dataDir = newDir();
    const first = await launch(dataDir);
    await first.arm.put('secretive', secretive(values));
    const { ip } = await runs('secretive', first.arm);
    expect(await served(ip)).toBe(values.variable);
    const printed = () => first.arm.logs('secretive', 'reader').catch(() => '');
    await eventually(printed, (log) => log.includes(sha(values.file)));
    expect(all(dataDir)).toEqual([]);

    await first.arm.put('secretive', secretive(later));
    await eventually(printed, (log) => log.includes(sha(later.file)));
    await runs('secretive', first.arm);
    expect(await served(ip)).toBe(later.variable);
    expect(all(dataDir)).toEqual([]);

    await kill(first);
    await docker.getContainer(await engineId(docker, 'secretive', 'sandbox')).remove({ force: true });
    const second = await launch(dataDir);
    const again = await second.arm.until('secretive', 'it was restarted', (seen) => seen.first.restartCount === 1);
    expect(await served(again.ip)).toBe(later.variable);
    expect(all(dataDir)).toEqual([]);

    await second.arm.remove('secretive');
    await second.arm.untilGone('secretive');
    await end(second);
    expect(all(dataDir)).toEqual([]);
    expect(await leftOn(docker, dataDir)).toEqual([]);
  });

  it('cannot be opened with another key: the group says so in its events, and starts once it is deployed again', async () => {
    const dataDir = newDir();
    const first = await launch(dataDir);
    await first.arm.put('locked', secretive(values));
    await runs('locked', first.arm);
    await end(first);
    const second = await launch(dataDir, {}, 'a key that has never sealed anything here');
    await second.arm.until('locked', 'its events say it', ({ events }) =>
      events.some(({ message }) => message.includes('cannot be opened: they were sealed with another key')),
    );
    await second.arm.put('locked', secretive(later));
    const { ip } = await runs('locked', second.arm);
    expect(await served(ip)).toBe(later.variable);
    await end(second);
  });
});
