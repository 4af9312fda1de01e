/** Decides from what the API shows whether there is still something to wait for. Pure. */
import type { AppResource, EventResource, ServiceResource } from '../model/api.ts';

export type Progress =
  | { readonly state: 'waiting' }
  | { readonly state: 'converged' }
  /** Nothing more happens until another command lets it. */
  | { readonly state: 'held'; readonly why: string }
  /** Waiting longer is pointless: the orchestrator goes on trying, with back-off, but a person has to look. */
  | { readonly state: 'failing'; readonly why: string };

/** Attempts of one slot (or restarts in place) after which `up` stops waiting; `docker compose up --wait` gives up at the first. */
const pointlessAfter = 3;

/**
 * @param generation the one that the command made or found.
 * @param events those since the command was accepted, oldest first.
 */
export function progressOf(app: AppResource | null, generation: number, events: readonly EventResource[]): Progress {
  if (app === null || app.state !== 'active') {
    return { state: 'failing', why: 'the app was deleted by another command.' };
  }
  const fall = events.findLast(({ type, reason }) => isFall(type, reason));
  if (fall !== undefined) return { state: 'failing', why: `rollout ${fall.message}` };
  if (app.converged && app.observedGeneration >= generation) return { state: 'converged' };
  if (app.frozen) return held(app);
  for (const service of app.serviceList) {
    const why = service.converged || service.removed ? undefined : (failures(service, events) ?? restarts(service));
    if (why !== undefined) return { state: 'failing', why };
  }
  return { state: 'waiting' };
}

/** A rollout led back, or stopped by itself: the app may converge then, but not on what was asked for. */
const isFall = (type: string, reason: string | null): boolean =>
  type === 'RolloutFailed' || (type === 'RolloutPaused' && reason !== null);

export function teardownProgress(app: AppResource | null): Progress {
  if (app === null || app.state === 'deleted') return { state: 'converged' };
  return app.frozen ? held(app) : { state: 'waiting' };
}

const held = ({ name }: AppResource): Progress => ({
  state: 'held',
  why: `${name} is frozen: the command is noted, and nothing is created or deleted until \`flotilla thaw ${name}\`.`,
});

/** Only incarnations that were begun since the command: the failures of those it replaces are why it was given. */
function failures({ name }: ServiceResource, events: readonly EventResource[]): string | undefined {
  const begun = new Set(events.filter(({ type }) => type === 'ReplicaPlanned').map(({ replica }) => replica));
  const bySlot = new Map<string, EventResource[]>();
  for (const event of events) {
    if (event.type !== 'ReplicaFailed' || event.service !== name || !begun.has(event.replica)) continue;
    const slot = slotOf(event.replica ?? '');
    bySlot.set(slot, [...(bySlot.get(slot) ?? []), event]);
  }
  for (const [slot, failed] of bySlot) {
    if (failed.length >= pointlessAfter) return `${slot} failed ${failed.length} times: ${failed.at(-1)?.message}`;
  }
  return undefined;
}

function restarts({ name, revision, replicas }: ServiceResource): string | undefined {
  const looping = replicas.find(
    (replica) =>
      replica.revision === revision && !isLeavingOrReady(replica.state) && replica.restartCount >= pointlessAfter,
  );
  if (looping === undefined) return undefined;
  const why = looping.message ?? looping.reason ?? 'it crashes';
  return `${name}/${looping.slot} was restarted ${looping.restartCount} times: ${why}`;
}

const isLeavingOrReady = (state: string): boolean => ['ready', 'draining', 'deleting', 'gone'].includes(state);

/** `<service>/<slot>/<incarnation>` → `<service>/<slot>`. */
const slotOf = (replica: string): string => replica.split('/').slice(0, 2).join('/');
