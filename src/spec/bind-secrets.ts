/**
 * Gives every reference of an app the version of a stored value, and checks that the value is there and can be what it is asked to be. A document
 * that names no version means the newest one at the moment when it takes effect.
 */

import { type AppSpec, newestVersion, type SecretRef, type ServiceTemplate } from '../model/app-spec.ts';
import { limits } from '../model/limits.ts';
import type { Problem } from '../model/problem.ts';
import { err, ok, type Result } from '../model/result.ts';
import { composeName, newestByName, type SecretFacts } from '../model/secrets.ts';
import { formatBytes } from '../model/units.ts';
import { joinPath } from './json.ts';
import { mapReferences } from './references.ts';
import { createReport, type Report } from './report.ts';

/**
 * @param facts what is stored for the app, in any order
 * @param isAhead a version that is named and not stored is about to be
 */
export function bindSecrets(
  app: AppSpec,
  facts: readonly SecretFacts[],
  isAhead: boolean,
): Result<AppSpec, readonly Problem[]> {
  const report = createReport();
  const newest = newestByName(facts);
  const byRef = new Map(facts.map((fact) => [`${fact.name} ${fact.version}`, fact]));
  const find = ({ secretRef, version }: SecretRef): SecretFacts | undefined =>
    version === newestVersion ? newest.get(secretRef) : byRef.get(`${secretRef} ${version}`);
  const bind = (ref: SecretRef): SecretRef => {
    const fact = find(ref);
    const isComing = isAhead && ref.version !== newestVersion;
    if (fact === undefined && !isComing) refuseMissing(app.name, ref, newest.has(ref.secretRef), report);
    return fact === undefined ? ref : { secretRef: fact.name, version: fact.version };
  };
  const services = app.services.map((service) => {
    checkUses(service.name, service.template, find, report);
    return { ...service, template: mapReferences(service.template, bind) };
  });
  return report.hasErrors() ? err(report.problems()) : ok({ ...app, services });
}

function refuseMissing(app: string, { secretRef, version }: SecretRef, isKnown: boolean, report: Report): void {
  const { kind, name } = composeName(secretRef);
  report.refuse(
    joinPath(`${kind}s`, name),
    isKnown ? `version ${version} of the ${kind} \`${name}\` is not stored.` : `the ${kind} \`${name}\` is not stored.`,
    kind === 'secret'
      ? `Store it with \`flotilla secrets set ${app} ${name}\`, or let \`flotilla up\` send it.`
      : 'Let `flotilla up` send the file that declares it.',
  );
}

type Find = (ref: SecretRef) => SecretFacts | undefined;

function checkUses(service: string, template: ServiceTemplate, find: Find, report: Report): void {
  const path = joinPath('services', service);
  const environments = [template, ...(template.initContainers ?? [])].map(
    ({ secretEnvironment = {} }) => secretEnvironment,
  );
  for (const environment of environments) {
    for (const [name, ref] of Object.entries(environment)) {
      checkVariable(name, find(ref), joinPath(path, 'x-flotilla', 'secretEnvironment', name), report);
    }
  }
  for (const volume of template.volumes ?? []) {
    if (volume.kind === 'azureFile') checkText(find(volume.key), report);
    if (volume.kind !== 'secret') continue;
    const sizeBytes = Object.values(volume.files).reduce((sum, ref) => sum + (find(ref)?.sizeBytes ?? 0), 0);
    if (sizeBytes <= limits.aci.secretVolumeBytes) continue;
    const mounted = template.mounts?.find((mount) => mount.volume === volume.name)?.path;
    report.error(
      path,
      `the secrets and configs in \`${mounted ?? volume.name}\` have ${formatBytes(sizeBytes)} together, but a secret volume may have at most ${formatBytes(limits.aci.secretVolumeBytes)}.`,
      'Put large files into the image or into an Azure file share, or spread them over several directories.',
    );
  }
  for (const registry of template.registries ?? [])
    if ('password' in registry) checkText(find(registry.password), report);
}

function checkVariable(variable: string, fact: SecretFacts | undefined, path: string, report: Report): void {
  if (fact === undefined) return;
  checkText(fact, report);
  const sizeBytes = Buffer.byteLength(variable) + fact.sizeBytes + 2;
  if (sizeBytes <= limits.environmentVariableBytes) return;
  report.refuse(
    path,
    `would be ${formatBytes(sizeBytes)}, but Linux takes at most ${formatBytes(limits.environmentVariableBytes)} for one variable.`,
    'Mount the secret as a file: name it under `secrets` of the service.',
  );
}

function checkText(fact: SecretFacts | undefined, report: Report): void {
  if (fact === undefined || fact.isText) return;
  const { kind, name } = composeName(fact.name);
  report.refuse(
    joinPath(`${kind}s`, name),
    'is not UTF-8 text, which a variable, a password and a key must be.',
    'Mount it as a file instead, or store it as text.',
  );
}
