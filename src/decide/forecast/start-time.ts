/** How long a service takes from an accepted create to ready, learned from its replicas that are there. */
import type { ServiceTemplate } from '../../model/app-spec.ts';
import type { ReplicaRow } from '../../model/state.ts';

/** Where no replica tells: a common image in a warm region (aci: "starts in seconds", image pull included). */
export const assumedStartMs = 20_000;
/** From a DELETE to a group that is not listed any more; ARM says nothing of it. */
export const assumedDeletionMs = 5_000;

/** The median over its replicas that became ready, else over those of the app; without what readiness itself waits for. Null = none is there. */
export function startMsOf(
  service: string,
  replicas: readonly ReplicaRow[],
  templateOf: (service: string, revision: number) => ServiceTemplate | undefined,
): number | null {
  const own = replicas.filter((row) => row.service === service);
  return medianStartMs(own, templateOf) ?? medianStartMs(replicas, templateOf);
}

function medianStartMs(
  replicas: readonly ReplicaRow[],
  templateOf: (service: string, revision: number) => ServiceTemplate | undefined,
): number | null {
  const times = replicas
    .flatMap(({ service, revision, createdAt, readyAt }) => {
      const readiness = templateOf(service, revision)?.readiness;
      if (readyAt === null || readiness === undefined) return [];
      const waits = readiness.kind === 'running' ? readiness.afterMs : 0;
      return [Math.max(0, readyAt - createdAt - waits)];
    })
    .sort((a, b) => a - b);
  return times[times.length >> 1] ?? null;
}
