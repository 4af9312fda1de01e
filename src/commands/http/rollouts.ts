/** Rollouts and revisions through the API: what is under way, what was, and from what it was decided. */
import type { HttpResponseInit } from '@azure/functions';
import { keys } from '../../model/keys.ts';
import { namePattern } from '../../model/limits.ts';
import { err, ok, type Result } from '../../model/result.ts';
import type { RolloutRow } from '../../model/rollout-record.ts';
import { compareText } from '../../spec/json.ts';
import type { CommandPorts } from '../ports.ts';
import { refuseUnknown } from './request.ts';
import { json, noSuchApp, problem, unavailable } from './responses.ts';
import { revisionsOf, rolloutOf, rolloutSummaryOf } from './rollout-views.ts';

type Ports = Pick<CommandPorts, 'store'>;

const limitDefault = 50;
const limitMax = 500;

export async function getRollouts(ports: Ports, app: string, query: URLSearchParams): Promise<HttpResponseInit> {
  const asked = readQuery(query);
  if (!asked.ok) return asked.error;
  if (!namePattern.test(app)) return noSuchApp(app);
  const [row, rollouts] = await Promise.all([
    ports.store.read(keys.app(app)),
    ports.store.readRollouts(app, asked.value),
  ]);
  if (!row.ok) return unavailable(row.error);
  if (!rollouts.ok) return unavailable(rollouts.error);
  return row.value === null ? noSuchApp(app) : json(200, { rollouts: rollouts.value.map(rolloutSummaryOf) });
}

function readQuery(
  query: URLSearchParams,
): Result<{ readonly service: string | null; readonly limit: number }, HttpResponseInit> {
  const unknown = refuseUnknown(query, ['service', 'limit']);
  if (unknown) return err(unknown);
  const text = query.get('limit') ?? String(limitDefault);
  const limit = Number(text);
  if (!/^\d{1,4}$/.test(text) || limit < 1 || limit > limitMax) {
    return err(problem('badQuery', `limit is «${text}»: give a whole number from 1 to ${limitMax}.`));
  }
  const service = readService(query);
  return service.ok ? ok({ service: service.value, limit }) : service;
}

function readService(query: URLSearchParams): Result<string | null, HttpResponseInit> {
  const service = query.get('service');
  if (service === null || namePattern.test(service)) return ok(service);
  return err(problem('badQuery', `service is «${service}»: give the name of a service.`));
}

export async function getRollout({ store }: Ports, app: string, id: string): Promise<HttpResponseInit> {
  const none = problem('notFound', `There is no rollout «${id}» of app «${app}»: ids are like web.3.`);
  const [, service = '', number = ''] = /^(.+)\.([1-9]\d{0,5})$/.exec(id) ?? [];
  if (!namePattern.test(app) || !namePattern.test(service)) return none;
  const row = await store.read<RolloutRow>(keys.rollout(app, service, Number(number)));
  if (!row.ok) return unavailable(row.error);
  return row.value === null ? none : json(200, rolloutOf(row.value));
}

export async function getRevisions({ store }: Ports, app: string, query: URLSearchParams): Promise<HttpResponseInit> {
  const unknown = refuseUnknown(query, ['service']);
  if (unknown) return unknown;
  const service = readService(query);
  if (!service.ok) return service.error;
  if (!namePattern.test(app)) return noSuchApp(app);
  const rows = await store.readApp(app);
  if (!rows.ok) return unavailable(rows.error);
  if (rows.value.app === null) return noSuchApp(app);
  const { guards } = rows.value;
  const revisions = rows.value.revisions
    .filter((row) => service.value === null || row.service === service.value)
    .toSorted((a, b) => compareText(a.service, b.service) || b.revision - a.revision);
  return json(200, { revisions: revisionsOf(revisions, guards) });
}
