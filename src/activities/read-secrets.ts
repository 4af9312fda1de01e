/** Reads the values that a template refers to, for the moment in which they are sent to ARM. They are in no row, event, log or result of an activity. */
import type { SecretRef, ServiceTemplate } from '../model/app-spec.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { PortError } from '../ports/errors.ts';
import { templateReferences } from '../spec/references.ts';
import { mapBounded } from './bounded.ts';
import type { ActivityPorts } from './ports.ts';

const readsAtOnce = 8;

const keyOf = ({ secretRef, version }: SecretRef): string => `${secretRef} ${version}`;

/** The value says what a reference stands for. One that is missing is an error of code `SecretMissing`: the group cannot be what its revision says. */
export async function readSecrets(
  { secrets }: Pick<ActivityPorts, 'secrets'>,
  app: string,
  template: ServiceTemplate,
): Promise<Result<(ref: SecretRef) => Uint8Array, PortError>> {
  const wanted = new Map(templateReferences(template).map((ref) => [keyOf(ref), ref]));
  const read = await mapBounded([...wanted], readsAtOnce, async ([key, ref]) => ({
    key,
    answer: await secrets.read(app, ref),
  }));
  const values = new Map<string, Uint8Array>();
  for (const { key, answer } of read) {
    if (answer.ok) values.set(key, answer.value);
    else return err(answer.error.kind === 'NotFound' ? { ...answer.error, code: 'SecretMissing' } : answer.error);
  }
  return ok((ref) => values.get(keyOf(ref)) ?? unread(ref));
}

/** A group is asked for with values that nobody read: a fault of ours. */
export function unread(ref: SecretRef): never {
  throw new Error(`the value of ${keyOf(ref)} was not read`);
}
