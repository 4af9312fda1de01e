/** One probe, evaluated against the group as it is at this instant. Pure: what it needs of the image comes through the containers port. */
import type { Containers, Inside, Reached } from './containers-port.ts';
import { isObject, objects } from './json.ts';
import { type ContainerRecord, type GroupRecord, modelOf, type ProbeRecord } from './model.ts';

export type ProbeAnswer = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** What `localhost:port` of the group answers: containers of one group share the address. */
function reach(group: GroupRecord, port: number): Reached {
  const listener = group.containers.find(
    (c) =>
      modelOf(c)?.ports.includes(port) &&
      c.condition !== 'down' &&
      c.condition !== 'starting' &&
      !c.unbound.some((u) => u.port === port),
  );
  const model = listener && modelOf(listener);
  if (!model || model.protocol === 'none') return { kind: 'refused' };
  if (listener.condition === 'hung') return { kind: 'silent' };
  const { protocol, banner, httpStatus, responseDelayMs } = model;
  if (protocol === 'tcp') return { kind: 'tcp', banner };
  return { kind: 'http', status: listener.condition === 'sick' ? 503 : httpStatus, delayMs: responseDelayMs };
}

/** The inside of a modelled container. */
export function insideOf(group: GroupRecord, container: ContainerRecord): Inside {
  return {
    reach: (port) => reach(group, port),
    files: modelOf(container)?.files ?? [],
    hostname: `SandboxHost-${group.uid.slice(0, 8)}`,
    environment: plainEnvironment(group, container.name),
  };
}

function plainEnvironment(group: GroupRecord, container: string): Record<string, string> {
  const spec = objects(group.properties['containers']).find((one) => one['name'] === container);
  const properties = isObject(spec?.['properties']) ? spec['properties'] : {};
  const plain = objects(properties['environmentVariables']).filter((variable) => typeof variable['value'] === 'string');
  return Object.fromEntries(plain.map((variable) => [String(variable['name']), String(variable['value'])]));
}

export function evaluateProbe(
  group: GroupRecord,
  container: ContainerRecord,
  probe: ProbeRecord,
  containers: Pick<Containers, 'exec'>,
): ProbeAnswer {
  if ('exec' in probe.test) {
    const { exec } = probe.test;
    const result = containers.exec(exec, insideOf(group, container), probe.timeoutMs);
    if (result.tookMs > probe.timeoutMs) {
      return { ok: false, why: `command ${JSON.stringify(exec.join(' '))} timed out after ${probe.timeoutMs / 1000}s` };
    }
    if (result.exitCode === 0) return { ok: true };
    const said = result.output.trim();
    return { ok: false, why: said === '' ? `command exited with code ${result.exitCode}` : said };
  }
  return httpAnswer(reach(group, probe.test.http.port), probe.test.http, probe.timeoutMs);
}

function httpAnswer(reached: Reached, at: { port: number; path: string }, timeoutMs: number): ProbeAnswer {
  const where = `Get "http://localhost:${at.port}${at.path}"`;
  switch (reached.kind) {
    case 'refused':
      return { ok: false, why: `${where}: dial tcp 127.0.0.1:${at.port}: connect: connection refused` };
    case 'silent':
      return { ok: false, why: `${where}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)` };
    case 'tcp':
      return { ok: false, why: `${where}: net/http: malformed HTTP response` };
    case 'http':
      if (reached.delayMs > timeoutMs) {
        return {
          ok: false,
          why: `${where}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
        };
      }
      return reached.status >= 200 && reached.status < 400
        ? { ok: true }
        : { ok: false, why: `HTTP probe failed with statuscode: ${reached.status}` };
  }
}
