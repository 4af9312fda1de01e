/** The secrets that a template or an app refers to, and their versions once they are looked up. */

import type {
  AppSpec,
  InitContainerSpec,
  RegistrySpec,
  SecretRef,
  ServiceTemplate,
  VolumeSpec,
} from '../model/app-spec.ts';

/** Every reference of an app, in no order, some of them twice. */
export const referencesOf = ({ services }: AppSpec): readonly SecretRef[] =>
  services.flatMap(({ template }) => templateReferences(template));

export function templateReferences(template: ServiceTemplate): readonly SecretRef[] {
  const found: SecretRef[] = [];
  mapReferences(template, (ref) => {
    found.push(ref);
    return ref;
  });
  return found;
}

type Change = (ref: SecretRef) => SecretRef;

/** The template with each reference replaced; keys that it lacks stay away. */
export function mapReferences(template: ServiceTemplate, change: Change): ServiceTemplate {
  const { volumes, initContainers, registries } = template;
  return {
    ...withEnvironment(template, change),
    ...(volumes && { volumes: volumes.map((volume) => ofVolume(volume, change)) }),
    ...(initContainers && { initContainers: initContainers.map((init) => withEnvironment(init, change)) }),
    ...(registries && { registries: registries.map((registry) => ofRegistry(registry, change)) }),
  };
}

function withEnvironment<T extends Pick<InitContainerSpec, 'secretEnvironment'>>(container: T, change: Change): T {
  const { secretEnvironment } = container;
  return secretEnvironment === undefined
    ? container
    : { ...container, secretEnvironment: mapValues(secretEnvironment, change) };
}

function ofVolume(volume: VolumeSpec, change: Change): VolumeSpec {
  if (volume.kind === 'azureFile') return { ...volume, key: change(volume.key) };
  return volume.kind === 'secret' ? { ...volume, files: mapValues(volume.files, change) } : volume;
}

const ofRegistry = (registry: RegistrySpec, change: Change): RegistrySpec =>
  'identity' in registry ? registry : { ...registry, password: change(registry.password) };

const mapValues = (refs: Readonly<Record<string, SecretRef>>, change: Change): Readonly<Record<string, SecretRef>> =>
  Object.fromEntries(Object.entries(refs).map(([name, ref]) => [name, change(ref)]));
