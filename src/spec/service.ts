/** One service of a document → its spec. Reads what the support table calls used; every default of a service is decided here or in a reader. */

import type { Dependency, InitContainerSpec, RegistrySpec, ServiceSpec, ServiceTemplate } from '../model/app-spec.ts';
import { limits } from '../model/limits.ts';
import { readCommand } from './command.ts';
import { readEnvironment } from './environment.ts';
import { minReadyMs, readHealth } from './health.ts';
import { isObject, joinPath } from './json.ts';
import { combineMounts } from './mounts.ts';
import { readPlacement } from './placement.ts';
import { readPorts } from './ports.ts';
import { readDurationMs, readNumber } from './read.ts';
import { registriesOf } from './registries.ts';
import type { Report } from './report.ts';
import { readResources } from './resources.ts';
import { readRollout } from './rollout.ts';
import { readSecretEnvironment, readSecretFiles, type SecretTable } from './secrets.ts';
import { nearestWord } from './suggest.ts';
import { readMounts, type VolumeTable } from './volumes.ts';

type Service = Readonly<Record<string, unknown>>;

/** A service as written, and where. */
export interface ServiceAsked {
  readonly name: string;
  readonly service: unknown;
  readonly path: string;
}

/** What the document declares for all services. */
export interface Shared {
  /** Names of all services. */
  readonly services: ReadonlySet<string>;
  readonly secrets: SecretTable;
  readonly volumes: VolumeTable;
  readonly registries: ReadonlyMap<string, RegistrySpec>;
}

/** The spec of a service with its init containers, complete only if `report` has no error about it. */
export function readService(
  asked: ServiceAsked,
  initContainers: readonly ServiceAsked[],
  dependsOn: readonly Dependency[],
  shared: Shared,
  report: Report,
): ServiceSpec {
  const { name, path } = asked;
  const service = isObject(asked.service) ? asked.service : {};
  const ports = readPorts(service, path, report);
  const placement = readPlacement(service, path, shared.services, report);
  const rollout = readRollout(service, path, report);
  const template: ServiceTemplate = {
    ...readProcess(service, path, shared, report),
    ...readResources(service, path, report),
    ports,
    restartPolicy: readRestartPolicy(service, path, report),
    ...readHealth(service, path, ports, report),
  };
  const graceMs = readDurationMs(service['stop_grace_period'], joinPath(path, 'stop_grace_period'), report) ?? 0;
  return {
    name,
    ...readReplicas(service, path, report),
    dependsOn,
    drainMs: Math.max(graceMs, minDrainMs),
    ...(rollout === undefined ? {} : { rollout }),
    ...(placement === undefined ? {} : { placement }),
    template: withGroup(template, [asked, ...initContainers], shared, report),
  };
}

/** Image, command and environment: what a container has in common with an init container. */
function readProcess(service: Service, path: string, { secrets }: Shared, report: Report): Process {
  const environment = readEnvironment(service['environment'], joinPath(path, 'environment'), report);
  const extension = service['x-flotilla'];
  const fromSecrets = readSecretEnvironment(extension, joinPath(path, 'x-flotilla'), secrets, environment, report);
  return {
    image: readImage(service, path, report),
    command: readCommand(service, path, report),
    environment,
    ...(Object.keys(fromSecrets).length > 0 && { secretEnvironment: fromSecrets }),
  };
}

type Process = Pick<ServiceTemplate, 'image' | 'command' | 'environment' | 'secretEnvironment'>;

/** The template with what its whole group shares. A key that nothing asks for is not there, so that older revisions keep their hash. */
function withGroup(
  template: ServiceTemplate,
  [own, ...inits]: readonly ServiceAsked[],
  shared: Shared,
  report: Report,
): ServiceTemplate {
  const mountsOf = ({ service, path }: ServiceAsked) => ({
    asked: isObject(service) ? readMounts(service, path, shared.volumes, report) : [],
    secrets: isObject(service) ? readSecretFiles(service, path, shared.secrets, report) : [],
    path,
  });
  const { volumes, mounts } = combineMounts([...(own ? [own] : []), ...inits].map(mountsOf), report);
  const initContainers = inits.map(({ name, service, path }, index): InitContainerSpec => {
    const mounted = mounts[index + 1] ?? [];
    const process = readProcess(isObject(service) ? service : {}, path, shared, report);
    return { name, ...process, ...(mounted.length > 0 && { mounts: mounted }) };
  });
  const images = [template.image, ...initContainers.map(({ image }) => image)];
  const registries = registriesOf(images, shared.registries);
  const [mounted = []] = mounts;
  return {
    ...template,
    ...(volumes.length > 0 && { volumes }),
    ...(mounted.length > 0 && { mounts: mounted }),
    ...(initContainers.length > 0 && { initContainers }),
    ...(registries.length > 0 && { registries }),
  };
}

/** Least wait between leaving the endpoints and DELETE (semantics, "Which knob wins"). */
const minDrainMs = minReadyMs;

/** Grammar of github.com/distribution/reference (read 2025-11-17), lengths aside: [domain/]path[:tag][@digest]. */
const imagePattern =
  /^(?:[a-zA-Z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,})?$/;

function readImage(service: Service, path: string, report: Report): string {
  const image = service['image'];
  const hasBuild = service['build'] !== undefined && service['build'] !== null;
  if (image === '') {
    report.refuse(joinPath(path, 'image'), 'is empty.', 'Write `image: name:tag`.');
    return '';
  }
  if (image === undefined || image === null) {
    if (hasBuild) {
      report.refuse(
        joinPath(path, 'build'),
        '`build` is not supported: Flotilla runs images and builds none.',
        'Build and push the image (`docker compose build` and `push`), and name it in `image`.',
      );
    } else if (service['extends'] === undefined && service['provider'] === undefined) {
      // What these two stand for is refused by the support table, and would bring the image.
      report.error(path, 'has no `image`.', 'Add `image: name:tag`.');
    }
    return '';
  }
  if (typeof image !== 'string') return '';
  if (hasBuild) {
    report.warn(
      joinPath(path, 'build'),
      `is ignored: Flotilla builds nothing and runs \`${image}\` as the registry has it.`,
      'Push the image before you apply the app.',
    );
  }
  if (image.length > 512 || !imagePattern.test(image)) {
    report.refuse(
      joinPath(path, 'image'),
      `\`${image.slice(0, 100)}\` is not the name of an image.`,
      'Write `[registry/]name[:tag][@digest]`; the name is lower case.',
    );
  }
  return image;
}

const replicasRange = { min: 0, max: limits.replicasPerService, of: 'replicas' };

function readReplicas(
  service: Service,
  path: string,
  report: Report,
): Pick<ServiceSpec, 'replicas' | 'replicasByDefault'> {
  const deploy = service['deploy'];
  const replicasPath = joinPath(path, 'deploy', 'replicas');
  const replicas = isObject(deploy) ? readNumber(deploy['replicas'], replicasPath, replicasRange, report) : undefined;
  const scale = readNumber(service['scale'], joinPath(path, 'scale'), replicasRange, report);
  if (replicas !== undefined && scale !== undefined && replicas !== scale) {
    report.error(
      joinPath(path, 'scale'),
      `says ${scale}, but \`${replicasPath}\` says ${replicas}.`,
      'Keep one of the two.',
    );
  }
  const stated = replicas ?? scale;
  return stated === undefined ? { replicas: 1, replicasByDefault: true } : { replicas: stated };
}

type RestartPolicy = ServiceTemplate['restartPolicy'];

const restartValues: Readonly<Record<string, RestartPolicy>> = {
  always: 'Always',
  'unless-stopped': 'Always',
  'on-failure': 'OnFailure',
  no: 'Never',
};

const conditionValues: Readonly<Record<string, RestartPolicy>> = {
  any: 'Always',
  'on-failure': 'OnFailure',
  none: 'Never',
};

/**
 * `deploy.restart_policy.condition` wins over `restart`, as in Compose. Where neither is stated a service stays up (`Always`, the default of
 * Swarm and of ACI), unlike `docker compose` on a laptop.
 */
function readRestartPolicy(service: Service, path: string, report: Report): RestartPolicy {
  const deploy = service['deploy'];
  const policy = isObject(deploy) ? deploy['restart_policy'] : undefined;
  const conditionPath = joinPath(path, 'deploy', 'restart_policy', 'condition');
  const condition = isObject(policy)
    ? pick(policy['condition'] ?? 'any', conditionValues, conditionPath, report)
    : undefined;
  const restart = readRestart(service['restart'], joinPath(path, 'restart'), report);
  if (condition !== undefined && restart !== undefined && condition !== restart) {
    report.warn(
      joinPath(path, 'restart'),
      `is ignored: \`deploy.restart_policy\` says ${condition}.`,
      'Keep one of the two.',
    );
  }
  return condition ?? restart ?? 'Always';
}

function readRestart(value: unknown, path: string, report: Report): RestartPolicy | undefined {
  if (typeof value !== 'string') return undefined;
  const [, condition = value, retries] = /^(on-failure)(?::(\d+))?$/.exec(value) ?? [];
  if (retries !== undefined) {
    report.warn(
      path,
      `the limit of ${retries} is ignored: Azure Container Instances restarts without a limit.`,
      'Write `on-failure`.',
    );
  }
  return pick(condition, restartValues, path, report);
}

function pick<T>(value: unknown, known: Readonly<Record<string, T>>, path: string, report: Report): T | undefined {
  if (typeof value !== 'string') return undefined;
  if (Object.hasOwn(known, value)) return known[value];
  const nearest = nearestWord(value, Object.keys(known));
  const allowed = Object.keys(known)
    .map((word) => `\`${word}\``)
    .join(', ');
  report.refuse(
    path,
    `\`${value}\` is not a restart condition.`,
    nearest === undefined ? `Write one of ${allowed}.` : `Did you mean \`${nearest}\`?`,
  );
  return undefined;
}
