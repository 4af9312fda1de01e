/** Another system gives commands over Service Bus and hears what became of them: the program of `examples/` against `npm start`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPlace, type Place } from '../support/flotilla-process.ts';

let place: Place;
beforeEach(() => {
  place = createPlace();
});
afterEach(() => place.clear());

const write = (name: string, value: unknown): string => {
  const path = join(place.directory, name);
  writeFileSync(path, JSON.stringify(value));
  return path;
};

describe('examples/service-bus/send.mjs', () => {
  it('applies an app, is told why a wrong one is refused, and deletes it', async () => {
    const platform = place.start('--no-app', '--port', '0');
    const [, access = ''] = await platform.see(/its key +(\S+\.json)/);
    const { serviceBus } = JSON.parse(readFileSync(access, 'utf8')) as { serviceBus: string };
    const send = async (key: string, ...args: string[]) => {
      const env = { FLOTILLA_SERVICEBUS: serviceBus, IDEMPOTENCY_KEY: key };
      const { code, out, errors } = await place.run(process.execPath, ['examples/service-bus/send.mjs', ...args], {
        env,
      }).finished;
      expect(errors.filter((line) => !/DEP0123|trace-deprecation/.test(line))).toEqual([]);
      return { code, outcome: JSON.parse(out.join('\n')) as unknown };
    };
    const document = { name: 'shop', services: { web: { image: 'nginx:1', deploy: { replicas: 1 } } } };
    const good = write('shop.json', document);
    const bad = write('bad.json', { ...document, services: { web: { image: 'nginx:1', deploy: { replicas: -1 } } } });
    expect(await send('k1', 'apply', 'shop', good)).toMatchObject({
      code: 0,
      outcome: { app: 'shop', state: 'applied', generation: 1, problems: [] },
    });
    expect(await send('k2', 'apply', 'shop', bad)).toMatchObject({
      code: 1,
      outcome: { state: 'rejected', reason: 'InvalidDocument', problems: [{ path: 'services.web.deploy.replicas' }] },
    });
    // The key is taken, by a command that was another one.
    expect(await send('k1', 'delete', 'shop')).toMatchObject({ code: 1, outcome: { reason: 'KeyReused' } });
    expect(await send('k3', 'delete', 'shop')).toMatchObject({ code: 0, outcome: { state: 'applied' } });
    platform.signal('SIGTERM');
    await platform.finished;
  });
});
