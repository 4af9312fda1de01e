/** What an operand names: an app, a service of it, a replica. Pure. */
import { limits, namePattern } from '../model/limits.ts';
import { err, ok, type Result } from '../model/result.ts';

export interface Target {
  readonly app: string;
  readonly service: string | null;
  readonly slot: number | null;
}

/** `APP`, `APP.SERVICE` or `APP.SERVICE.SLOT`; the error says what is wrong. */
export function parseTarget(text: string): Result<Target, string> {
  const [app = '', service = null, slot = null, ...rest] = text.split('.');
  if (rest.length > 0) return err(`\`${text}\` has too many parts: write APP, APP.SERVICE or APP.SERVICE.SLOT.`);
  if (!namePattern.test(app)) return err(`\`${app}\` is not the name of an app.`);
  if (service !== null && !namePattern.test(service)) return err(`\`${service}\` is not the name of a service.`);
  if (slot !== null && !/^\d{1,4}$/.test(slot)) return err(`\`${slot}\` is not a slot: they are numbered from 0.`);
  return ok({ app, service, slot: slot === null ? null : Number(slot) });
}

export const nameOfTarget = ({ app, service, slot }: Target): string =>
  [app, service, slot].filter((part) => part !== null).join('.');

/** `APP.SERVICE=N`. */
export function parseReplicas(
  text: string,
): Result<{ readonly app: string; readonly service: string; readonly replicas: number }, string> {
  const [place = '', number, ...rest] = text.split('=');
  const form = 'write APP.SERVICE=N, such as shop.web=3.';
  if (number === undefined || rest.length > 0) return err(`\`${text}\` does not say how many: ${form}`);
  const target = parseTarget(place);
  if (!target.ok) return target;
  const { app, service, slot } = target.value;
  if (service === null || slot !== null) return err(`\`${place}\` is no service: ${form}`);
  const replicas = Number(number);
  if (!/^\d{1,4}$/.test(number) || replicas > limits.replicasPerService) {
    return err(`\`${number}\` is not a number of replicas: give a whole one from 0 to ${limits.replicasPerService}.`);
  }
  return ok({ app, service, replicas });
}
