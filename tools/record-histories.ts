/**
 * Records golden histories of the orchestrators for `test/replay`: runs the built app on the embedded platform, one scenario after the other, and
 * keeps what the engine stored for the instances that have ended. TaskScheduled events carry no input (as in the cloud), so the inputs are taken from
 * the orchestrator's last answer, and are held against those that the activities were really given.
 *
 *     npm run record:histories            records what is missing, and touches no file that is there
 */
import { randomUUID } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '../src/client/client.ts';
import { EventType, type HistoryEvent } from '../src/local/host/engine/history.ts';
import { createSqliteStore } from '../src/local/host/engine/sqlite-store.ts';
import { type Platform, startPlatform } from '../src/local/platform.ts';
import { version } from '../src/model/version.ts';
import { effectsOf, type GoldenHistory, recordedEffects } from '../test/support/golden-history.ts';

const root = join(import.meta.dirname, '..');
const histories = join(root, 'test/replay/histories');

/** Loaded with the app: notes what orchestrators answer and activities get, and lets the worker die under the invocations it is told. */
const recorder = `
import { appendFileSync } from 'node:fs';
import { app } from '@azure/functions';
const note = (line) => appendFileSync(process.env.RECORDER_FILE, JSON.stringify(line) + '\\n');
const dying = new Set((process.env.RECORDER_DYING ?? '').split(','));
const counts = {};
app.hook.preInvocation(({ invocationContext: { functionName, triggerMetadata, options }, inputs }) => {
  if (options.trigger.type !== 'activityTrigger') return;
  counts[functionName] = (counts[functionName] ?? 0) + 1;
  note({ kind: 'activity', instanceId: triggerMetadata.instanceId, name: functionName, input: inputs[0] });
  if (dying.has(functionName + ':' + counts[functionName])) throw Object.assign(new Error('the worker died'), { stack: 'Error: the worker died' });
});
app.hook.postInvocation(({ invocationContext: { options }, inputs: [payload], result }) => {
  if (options.trigger.type !== 'orchestrationTrigger') return;
  const { OrchestrationInstance } = payload.history.find(({ EventType }) => EventType === 0);
  note({ kind: 'answer', instanceId: payload.instanceId, executionId: OrchestrationInstance.ExecutionId, answer: result });
});
`;

type Note =
  | { readonly kind: 'activity'; readonly instanceId: string; readonly name: string; readonly input: unknown }
  | {
      readonly kind: 'answer';
      readonly instanceId: string;
      readonly executionId: string;
      readonly answer: { readonly isDone?: boolean };
    };

interface Act {
  readonly does: 'apply' | 'delete';
  readonly services?: Readonly<Record<string, unknown>>;
  /** Instances that must have ended before the next act. */
  readonly ends: readonly string[];
}

interface Wanted {
  readonly instanceId: string;
  readonly name: string;
  readonly about: string;
  /** Proof that the history holds what the case is named for. */
  readonly has: (history: readonly HistoryEvent[]) => boolean;
}

interface Scenario {
  readonly acts: readonly (Act & { readonly keep: readonly Wanted[] })[];
  /** Posted to the control API. */
  readonly fault?: unknown;
  /** Activities under which the worker dies: `name:nth`. */
  readonly dying?: readonly string[];
}

const count = (history: readonly HistoryEvent[], name: string): number =>
  history.filter((event) => event.EventType === EventType.TaskScheduled && event.Name === name).length;
const holds = (history: readonly HistoryEvent[], type: number): boolean =>
  history.some((event) => event.EventType === type);

const healthcheck = { test: ['CMD', 'wget', '-qO-', 'http://localhost'], interval: '2s', retries: 3 };
const tcp = (replicas: number) => ({
  image: 'flotilla/tcp',
  ports: ['80'],
  stop_grace_period: '1s',
  deploy: { replicas },
});

const scenarios: readonly Scenario[] = [
  {
    acts: [
      {
        does: 'apply',
        services: { store: tcp(2) },
        ends: ['deployment:shop.store:1', 'app:shop'],
        keep: [
          {
            instanceId: 'deployment:shop.store:1',
            name: 'plain',
            about: 'two replicas come up',
            has: (history) => count(history, 'createGroup') === 2,
          },
          {
            instanceId: 'app:shop',
            name: 'converged',
            about: 'the assessor that a finished deployment woke: nothing is left to start',
            has: (history) => count(history, 'assess') > 0,
          },
        ],
      },
      {
        does: 'delete',
        ends: ['teardown:shop.store:2'],
        keep: [
          {
            instanceId: 'teardown:shop.store:2',
            name: 'plain',
            about: 'two replicas are drained, deleted and confirmed gone',
            has: (history) => count(history, 'deleteGroup') >= 2,
          },
        ],
      },
    ],
  },
  {
    acts: [
      {
        does: 'apply',
        services: {
          store: { image: 'flotilla/http', ports: ['80'], healthcheck },
          web: { ...tcp(1), depends_on: { store: { condition: 'service_healthy' } } },
        },
        ends: ['deployment:shop.web:1'],
        keep: [
          {
            instanceId: 'deployment:shop.web:1',
            name: 'hint',
            about: 'waits for its dependency and is hinted when that is ready',
            has: (history) => holds(history, EventType.EventRaised),
          },
        ],
      },
    ],
  },
  {
    acts: [
      {
        does: 'apply',
        services: {
          store: { image: 'flotilla/hang', ports: ['80'], healthcheck },
          web: { ...tcp(1), depends_on: { store: { condition: 'service_healthy' } } },
        },
        ends: ['app:shop'],
        keep: [
          {
            instanceId: 'app:shop',
            name: 'first-apply',
            about: 'the assessor that a command woke starts a workflow for each of two services',
            has: (history) => count(history, 'startWorkflow') === 2,
          },
        ],
      },
    ],
  },
  {
    fault: {
      act: 'create',
      effect: { kind: 'mishap', mishap: { code: 'InsufficientCapacity.', message: 'none left', afterMs: 500 } },
    },
    acts: [
      {
        does: 'apply',
        services: { store: tcp(1) },
        ends: ['deployment:shop.store:1'],
        keep: [
          {
            instanceId: 'deployment:shop.store:1',
            name: 'failed-create',
            about: 'the first group fails after it was accepted and is replaced',
            has: (history) => count(history, 'createGroup') === 2,
          },
        ],
      },
    ],
  },
  {
    dying: ['pass:1', 'createGroup:2'],
    acts: [
      {
        does: 'apply',
        services: { store: tcp(3) },
        ends: ['deployment:shop.store:1'],
        keep: [
          {
            instanceId: 'deployment:shop.store:1',
            name: 'lost-worker',
            about: 'the worker dies under the first pass and under one of three creates',
            has: (history) => history.filter((event) => event.EventType === EventType.TaskFailed).length === 2,
          },
        ],
      },
    ],
  },
];

/** The kind of an instance is the name of its orchestrator. */
const fileOf = ({ instanceId, name }: Pick<Wanted, 'instanceId' | 'name'>): string =>
  join(histories, `${instanceId.slice(0, instanceId.indexOf(':'))}.${version}.${name}.json`);
const isMissing = (wanted: Wanted): boolean => !existsSync(fileOf(wanted));

for (const scenario of scenarios) {
  if (scenario.acts.some(({ keep: wanted }) => wanted.some(isMissing))) await record(scenario);
}

async function record(scenario: Scenario): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-histories-'));
  const notesFile = join(directory, 'notes.jsonl');
  writeFileSync(notesFile, '');
  const notes = (): Note[] =>
    readFileSync(notesFile, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Note);
  const dataDir = join(directory, 'data');
  const platform = await startPlatform({
    appDir: recordingApp(directory),
    dataDir,
    port: 0,
    settings: { RECORDER_FILE: notesFile, RECORDER_DYING: (scenario.dying ?? []).join(',') },
    onDeath: (name, why) => console.error(`the ${name} process ended: ${why}`),
  });
  try {
    if (scenario.fault) await inject(platform, scenario.fault);
    for (const act of scenario.acts) {
      const before = notes().length;
      await perform(platform, act);
      await ended(act.ends, () => notes().slice(before));
      for (const wanted of act.keep.filter(isMissing)) keep(wanted, join(dataDir, 'durable.db'), notes());
    }
  } finally {
    await platform.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The built app with one more entry file, beside the project's packages. */
function recordingApp(directory: string): string {
  for (const path of ['package.json', 'host.json', 'pools.yaml', 'dist'])
    cpSync(join(root, path), join(directory, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  writeFileSync(join(directory, 'dist/functions/recorder.js'), recorder);
  return directory;
}

async function inject({ controlUrl }: Platform, fault: unknown): Promise<void> {
  const response = await fetch(`${controlUrl}/control/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(fault),
  });
  if (!response.ok) throw new Error(`the fault was refused: ${await response.text()}`);
}

async function perform({ url, apiKey: key }: Platform, { does, services }: Act): Promise<void> {
  const client = createClient({ baseUrl: url, key, fetch, sleep });
  const answer =
    does === 'apply'
      ? await client.apply('shop', { name: 'shop', services }, randomUUID())
      : await client.remove('shop', randomUUID());
  if (!answer.ok) throw new Error(`${does} was refused: ${JSON.stringify(answer.error)}`);
}

/** Waits until the named instances have ended and have been quiet for a while: the assessor may be woken once more by the others. */
async function ended(instanceIds: readonly string[], notes: () => Note[]): Promise<void> {
  const deadline = Date.now() + 120_000;
  for (let quiet = 0, seen = -1; quiet < 8; ) {
    if (Date.now() > deadline) throw new Error(`${instanceIds.join(', ')} did not end within two minutes`);
    await sleep(250);
    const found = notes().filter(({ instanceId }) => instanceIds.includes(instanceId));
    const last = (id: string) => found.findLast((note) => note.kind === 'answer' && note.instanceId === id);
    const areOver = instanceIds.map(last).every((note) => note?.kind === 'answer' && note.answer.isDone === true);
    quiet = areOver && found.length === seen ? quiet + 1 : 0;
    seen = found.length;
  }
}

function keep({ instanceId, name, about, has }: Wanted, storePath: string, notes: readonly Note[]): void {
  const store = createSqliteStore(storePath);
  const instance = store.instance(instanceId);
  const history = JSON.parse(`[${store.history(instance?.key ?? 0).join(',')}]`) as HistoryEvent[];
  store.close();
  if (instance?.status !== 'Completed')
    throw new Error(`${instanceId} is ${instance?.status ?? 'absent'}, not Completed`);
  if (!has(history)) throw new Error(`the history of ${instanceId} does not show the case «${name}»`);
  const answered = notes.findLast(
    (note) => note.kind === 'answer' && note.instanceId === instanceId && note.executionId === instance.executionId,
  );
  if (answered?.kind !== 'answer') throw new Error(`no answer of ${instanceId} was noted`);
  const effects = effectsOf(JSON.stringify(answered.answer));
  const golden: GoldenHistory = {
    orchestrator: instance.name,
    appVersion: version,
    case: name,
    about,
    instanceId,
    input: JSON.parse(instance.input ?? 'null'),
    activityInputs: effects.flatMap((effect) => (effect.kind === 'activity' ? [effect.input] : [])),
    history,
  };
  const recorded = JSON.stringify(recordedEffects(golden));
  if (recorded !== JSON.stringify(effects))
    throw new Error(`${instanceId}: the answer and the history differ: ${recorded}`);
  heldAgainst(golden, notes);
  write(fileOf({ instanceId, name }), golden);
}

/** What was scheduled is what ran; several executions of one instance may have run, so more may have run than this one scheduled. */
function heldAgainst({ instanceId, activityInputs }: GoldenHistory, notes: readonly Note[]): void {
  const ran = notes.flatMap((note) =>
    note.kind === 'activity' && note.instanceId === instanceId ? [JSON.stringify(note.input)] : [],
  );
  const strange = activityInputs.filter((input) => !ran.includes(JSON.stringify(input)));
  if (strange.length > 0) throw new Error(`${instanceId}: no activity was given ${JSON.stringify(strange)}`);
}

/** One event a line. */
function write(file: string, golden: GoldenHistory): void {
  const { history, activityInputs, ...head } = golden;
  const list = (items: readonly unknown[]) =>
    `[\n${items.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`;
  const members = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  members.push(`  "activityInputs": ${list(activityInputs)}`, `  "history": ${list(history)}`);
  writeFileSync(file, `{\n${members.join(',\n')}\n}\n`);
  console.log(`recorded ${file}: ${history.length} events`);
}
