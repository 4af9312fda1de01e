/** What the container group of a replica or of a run is made from: one rule for whoever creates it and whoever recognises it. Pure. */
import type { ServiceTemplate } from '../model/app-spec.ts';
import { isRun } from '../model/run.ts';
import type { ReplicaRow } from '../model/state.ts';

/**
 * The template of the revision; for a run with its own program and environment, without ports and probes, and never started again by ACI. A run is never
 * ready: it runs until its program ends.
 */
export function templateOf(template: ServiceTemplate, replica: ReplicaRow): ServiceTemplate {
  if (!isRun(replica)) return template;
  const { program, environment } = replica.run;
  const { liveness: _, secretEnvironment, ...kept } = template;
  const secrets = Object.entries(secretEnvironment ?? {}).filter(([name]) => !Object.hasOwn(environment, name));
  return {
    ...kept,
    command: program.length > 0 ? program : template.command,
    environment: { ...template.environment, ...environment },
    ...(secrets.length > 0 && { secretEnvironment: Object.fromEntries(secrets) }),
    ports: [],
    restartPolicy: 'Never',
    readiness: { kind: 'running', afterMs: Number.MAX_SAFE_INTEGER },
  };
}
