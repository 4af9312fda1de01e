/** Activities over a real table, an ARM that answers as told and a recording durable client. */
import type { ActivityPorts, ActivitySettings } from '../../src/activities/ports.ts';
import { defaults } from '../../src/model/defaults.ts';
import { keys } from '../../src/model/keys.ts';
import { err, ok, type Result } from '../../src/model/result.ts';
import type { DueRow, GuardRow, ReplicaRow, Row } from '../../src/model/state.ts';
import { version } from '../../src/model/version.ts';
import type { ContainerGroups } from '../../src/ports/container-groups.ts';
import type { PortError } from '../../src/ports/errors.ts';
import type { InstanceStatus, Workflows } from '../../src/ports/workflows.ts';
import { anAppRow, aPool, aRevision, at } from './rows.ts';
import { secretsFixture } from './secrets-fixture.ts';
import { tableFixture } from './table-fixture.ts';

export const settings: ActivitySettings = {
  ...defaults,
  version,
  installation: 'test',
  installationEpoch: 1,
  pools: [],
};
export const refusal = (kind: PortError['kind'], over: Partial<PortError> = {}) =>
  err<PortError>({ kind, code: null, message: `ARM says ${kind}`, retryAfterMs: null, ...over });

/** `rows` beside the app, its revision and its pool; `called` tells every effect in its order. */
export async function bench(...rows: Row[]) {
  const { store } = tableFixture();
  const clock = { now: at + 1_000 };
  const called: string[] = [];
  const answers: {
    create: Result<'accepted', PortError>;
    get: Awaited<ReturnType<ContainerGroups['get']>>;
    delete: Result<'accepted' | 'gone', PortError>;
    status: InstanceStatus | null;
  } = { create: ok('accepted'), get: refusal('NotFound'), delete: ok('accepted'), status: null };
  let ids = 0;
  const ports: ActivityPorts & { readonly workflows: { -readonly [K in keyof Workflows]: Workflows[K] } } = {
    store,
    secrets: secretsFixture({ store, now: () => clock.now, ids: { next: () => `id-${String(ids++)}` } }),
    groups: {
      async create(_, { name }) {
        called.push(`create ${name}`);
        return answers.create;
      },
      get: async () => answers.get,
      list: async () => ok([]),
      async delete(_, name) {
        called.push(`delete ${name}`);
        return answers.delete;
      },
      exec: async () => err({ kind: 'NotFound', code: null, message: 'no terminals here', retryAfterMs: null }),
      logs: async () => ok(''),
    },
    prober: { probe: async () => ({ passed: true, reached: true, detail: '' }) },
    workflows: {
      async start(_, id) {
        called.push(`start ${id}`);
        return ok('started');
      },
      async hint(id) {
        called.push(`hint ${id}`);
      },
      status: async () => ok(answers.status === null ? null : { status: answers.status, updatedAt: at }),
      async terminate(id) {
        called.push(`terminate ${id}`);
        return ok(undefined);
      },
      purge: async () => ok(0),
    },
    now: () => clock.now,
    ids: { next: () => `tx-${ids++}` },
    log: { info() {}, warn() {}, error() {} },
    sleep: async () => {},
  };
  for (const row of [anAppRow(), aRevision(), aPool(), ...rows]) {
    const put = await store.commit({ txId: 'given', changes: [{ type: 'insert', row }] });
    if (!put.ok) throw new Error(put.error.message);
  }
  const read = async <R extends Row>(key: Parameters<typeof store.read>[0]) => {
    const row = await store.read<R>(key);
    if (!row.ok) throw new Error(row.error.message);
    return row.value;
  };
  const audit = async () => {
    const page = await store.readEvents('shop', { limit: 100 });
    return page.ok ? page.value.events : [];
  };
  return {
    ports,
    clock,
    called,
    answers,
    replica: () => read<ReplicaRow>(keys.replica('shop', 'web', 0, 1)),
    guard: () => read<GuardRow>(keys.guard('shop', 'web')),
    due: () => read<DueRow>(keys.due('shop')),
    audit,
    events: async () => (await audit()).map(({ type, cause }) => `${type} by ${cause}`).toReversed(),
    async change(row: Row, key: Parameters<typeof store.read>[0]) {
      const before = await read(key);
      await store.commit({ txId: 'other', changes: [{ type: 'update', row, etag: before?.etag ?? '' }] });
    },
  };
}
