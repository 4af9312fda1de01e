/** Secrets and configs of a Compose file through the commands that users type, with stand-ins: containers get the values, and nothing else ever tells them. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AppResource } from '../../src/model/api.ts';
import { createPlace, type Place } from '../support/flotilla-process.ts';
import { filesTelling } from '../support/secrecy.ts';
import { placesTelling, secretApp, values } from '../support/secret-app.ts';

let place: Place;
beforeEach(() => {
  place = createPlace();
});
afterEach(() => place.clear());

/** A stand-in answers with the status that it is given, and has the files that are mounted. */
const services = `  web:
    image: flotilla/http
    ports: ["8080"]
    environment: { GREETING: canary-in-the-clear }
    secrets: [token, { source: db, target: /run/web/db }]
    configs: [{ source: page, target: /run/pages/page.html }]
    healthcheck:
      test: ["CMD-SHELL", "test -f /run/secrets/token && test -f /run/web/db && test -f /run/pages/page.html"]
      interval: 1s
    x-flotilla: { secretEnvironment: { TOKEN: token, DB: db, STANDIN_HTTP_STATUS: status } }`;

describe('a Compose app with secrets and configs', () => {
  it('hands them to its containers, and leaves none of their values anywhere', { timeout: 240_000 }, async () => {
    const dataDir = join(place.directory, 'data');
    const app = secretApp(place, services);
    const platform = place.start('--no-app', '--port', '0', '--data', dataDir, '--verbose');
    const [, api = ''] = await platform.see(/^ *API +(http:\S+)\/api\/v1/);
    await platform.see(/^Ctrl-C ends everything/);

    const early = await app.up(api);
    expect(early.code).not.toBe(0);
    expect(early.errors.join('\n')).toMatch(/flotilla secrets set secretive token/);
    expect(await app.store(api, values.token)).toMatchObject({ code: 0 });
    expect(await app.up(api)).toMatchObject({ code: 0 });
    const shown = async () => {
      const { out } = await place.flotilla('ps', 'secretive', '--json', '--api', api).finished;
      const { serviceList } = JSON.parse(out.join('\n')) as AppResource;
      return serviceList[0]?.replicas.find(({ state }) => state === 'ready');
    };
    const first = await shown();
    expect((await fetch(first?.addresses[0] ?? '')).status).toBe(207);
    expect(await placesTelling(place, platform, dataDir)).toEqual([]);
    // The search finds what is not secret.
    expect(filesTelling(dataDir, 'canary-in-the-clear').length).toBeGreaterThan(0);

    expect(await app.store(api, values.later)).toMatchObject({ code: 0 });
    expect(await app.up(api)).toMatchObject({ code: 0 });
    expect((await shown())?.revision).toBe((first?.revision ?? 0) + 1);
    expect(await placesTelling(place, platform, dataDir)).toEqual([]);

    expect(await place.flotilla('down', 'secretive', '--api', api).finished).toMatchObject({ code: 0 });
    expect(await placesTelling(place, platform, dataDir)).toEqual([]);
    platform.signal('SIGINT', 'group');
    expect((await platform.finished).code).toBe(0);
    for (const value of Object.values(values)) expect(filesTelling(dataDir, value)).toEqual([]);
  });
});
