import { describe, expect, it } from 'vitest';
import { planDocument } from '../../../src/commands/plan-document.ts';
import type { AppRow, GuardRow, ReplicaRow, Row, Stored } from '../../../src/model/state.ts';
import type { AppRows } from '../../../src/ports/state-store.ts';
import { parseApp } from '../../../src/spec/parse-app.ts';
import { revisionHash } from '../../../src/spec/revision.ts';
import { aGuard, anAppRow, anOperation, aPool, aReplica, aRevision, at } from '../../support/rows.ts';

const stored = <R extends Row>(row: R): Stored<R> => ({ ...row, etag: 'e' });
const parse = (services: object) => {
  const parsed = parseApp({ name: 'shop', services });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
};
const web = { image: 'nginx:1', environment: { TOKEN: 's3cret' }, deploy: { replicas: 2 } };
const before = parse({ web, old: { image: 'old:1', deploy: { replicas: 1 } } });

function rowsOf(guard: Partial<GuardRow> = {}, app: Partial<AppRow> = {}): AppRows {
  const [old, current] = before.app.services.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (!old || !current) throw new Error('two services');
  const replica = (service: string, slot: number): ReplicaRow => aReplica({ service, slot, incarnation: slot + 1 });
  return {
    app: stored(anAppRow({ spec: before.app, ...app })),
    guards: [aGuard({ service: 'old' }), aGuard({ desired: 2, ...guard })].map(stored),
    revisions: [
      aRevision({ service: 'old', template: old.template, hash: revisionHash(old.template) }),
      aRevision({ template: current.template, hash: revisionHash(current.template) }),
    ].map(stored),
    replicas: [replica('old', 0), replica('web', 0), replica('web', 1)].map(stored),
    operations: [],
    rollouts: [],
  };
}

const plan = (rows: AppRows, services: object) => planDocument('shop', rows, [aPool()], parse(services), at);

describe('the plan of a document', () => {
  it('tells per service what differs, what becomes of its replicas, and why', () => {
    const { services } = plan(rowsOf(), { web: { ...web, image: 'nginx:2' }, api: { image: 'api:1' } });
    expect(services).toMatchObject([
      { service: 'api', change: 'added', from: null, to: { revision: 1, image: 'api:1', replicas: 1 }, create: 1 },
      { service: 'old', change: 'removed', to: null, remove: 1, reasons: [{ reason: 'ServiceRemoved', count: 1 }] },
      {
        service: 'web',
        change: 'revised',
        from: { revision: 1, image: 'nginx:1', replicas: 2 },
        to: { revision: 2, image: 'nginx:2', replicas: 2 },
        fields: [{ field: 'template.image', from: 'nginx:1', to: 'nginx:2' }],
        replace: 2,
      },
    ]);
  });

  it('of the same document touches no replica', () => {
    const { services, warnings, pending } = plan(rowsOf(), { web, old: { image: 'old:1', deploy: { replicas: 1 } } });
    expect(services.map(({ change, keep }) => [change, keep])).toEqual([
      ['unchanged', 1],
      ['unchanged', 2],
    ]);
    expect({ warnings, pending }).toEqual({ warnings: [], pending: 0 });
  });

  it('tells no value that may be a secret', () => {
    const revealed = plan(rowsOf(), {
      web: { ...web, environment: { TOKEN: 'other' }, command: ['run', '--key=abc'] },
    });
    expect(JSON.stringify(revealed)).not.toMatch(/s3cret|other|abc/);
    const fields = revealed.services.find(({ service }) => service === 'web')?.fields;
    expect(fields).toContainEqual({ field: 'template.environment.TOKEN', from: null, to: null });
  });

  it('knows what was commanded: a manual scale that the file ends, and what stays stopped', () => {
    const old = { image: 'old:1', deploy: { replicas: 1 } };
    expect(plan(rowsOf({ desired: 5, scaledTo: 5 }), { web, old }).services[1]).toMatchObject({
      change: 'scaled',
      from: { replicas: 5 },
      to: { replicas: 2 },
    });
    const stopped = plan(rowsOf({ desired: 0, stopped: true }), { web, old });
    expect(stopped.services[1]).toMatchObject({ change: 'unchanged', to: { replicas: 0 } });
    expect(stopped.warnings).toMatchObject([{ path: 'services.web', problem: 'web is stopped and stays so.' }]);
  });

  it('of an app that is frozen says that it waits', () => {
    const { services, warnings } = plan(rowsOf({}, { frozen: true }), { web });
    expect(services[0]?.notes[0]).toContain('flotilla thaw shop');
    expect(warnings.at(-1)?.problem).toContain('the app is frozen');
  });

  it('of an app that is not there adds everything, and counts commands that are not applied yet', () => {
    const none: AppRows = { app: null, guards: [], revisions: [], replicas: [], operations: [], rollouts: [] };
    expect(plan(none, { web }).services).toMatchObject([{ change: 'added', create: 2 }]);
    const waiting = { ...rowsOf(), operations: [stored(anOperation({ seq: 2 }))] };
    expect(plan(waiting, { web }).pending).toBe(1);
  });
});
