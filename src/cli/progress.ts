/** Decides from what the API shows whether there is still something to wait for. Pure. */
import type { AppResource, EventResource } from '../model/api.ts';

export type Progress =
  | { readonly state: 'waiting' }
  | { readonly state: 'converged' }
  /** Waiting longer is pointless: the orchestrator goes on trying, with back-off, but a person has to look. */
  | { readonly state: 'failing'; readonly why: string };

/** Attempts of one slot (or restarts in place) after which `up` stops waiting; `docker compose up --wait` gives up at the first. */
export const pointlessAfter = 3;

/** @param events those since the command was applied. */
export function progressOf(app: AppResource, generation: number, events: readonly EventResource[]): Progress {
  if (app.converged && app.observedGeneration >= generation) return { state: 'converged' };
  return failing(app, events) ?? { state: 'waiting' };
}

export function teardownProgress(app: AppResource | null): Progress {
  return app === null || app.state === 'deleted' ? { state: 'converged' } : { state: 'waiting' };
}

function failing(app: AppResource, events: readonly EventResource[]): Progress | undefined {
  for (const service of app.serviceList) {
    if (service.converged) continue;
    const failures = events.filter(({ type, service: name }) => type === 'ReplicaFailed' && name === service.name);
    const last = failures.toSorted((a, b) => a.at.localeCompare(b.at, 'en')).at(-1);
    if (last && failures.length >= pointlessAfter) {
      return {
        state: 'failing',
        why: `${service.name}: ${failures.length} replicas failed; the last one: ${last.message}`,
      };
    }
    const looping = service.replicas.find(
      ({ state, restartCount }) => state !== 'ready' && state !== 'gone' && restartCount >= pointlessAfter,
    );
    if (looping) {
      return {
        state: 'failing',
        why: `${service.name}/${looping.slot} was restarted ${looping.restartCount} times: ${looping.message ?? looping.reason ?? 'it crashes'}`,
      };
    }
  }
  return undefined;
}
