/** What `plan` shows of a forecast: groups and quota by pool, what serves on the way, cost and time. Pure. */
import type { ApplyPreview, ForecastResource, ServicePlanResource } from '../model/api.ts';
import { formatDuration } from '../model/units.ts';
import { count } from './render.ts';

/** Nothing where no group is created or deleted and nothing is waited for. */
export function renderForecast({ forecast, services }: ApplyPreview): string[] {
  if (forecast.pools.length === 0 && forecast.waits.length === 0) return [];
  return [
    ...forecast.pools.map(poolLine),
    ...lowestLines(forecast, services),
    ...costLine(forecast),
    timeLine(forecast),
    ...forecast.waits.map(waitLine),
  ];
}

function poolLine({ pool, create, delete: remove, peak, quota }: ForecastResource['pools'][number]): string {
  const acts = [
    ...(create > 0 ? [`create ${count(create, 'group')}`] : []),
    ...(remove > 0 ? [`delete ${remove}`] : []),
  ].join(', ');
  return `Pool ${pool}: ${acts}; at most ${peak.groups} of ${quota.groups} groups and ${peak.cores} of ${quota.cores} cores are in use on the way.`;
}

/** Of what serves now: how few serve on the way. What is new or leaves for good says nothing by that. */
function lowestLines({ services }: ForecastResource, plans: readonly ServicePlanResource[]): string[] {
  const touched = new Map(
    plans
      .filter(({ from, to, replace }) => from !== null && to !== null && to.replicas > 0 && replace > 0)
      .map(({ service, from }) => [service, from?.replicas ?? 0]),
  );
  const words = services.flatMap(({ service, lowestReady }) => {
    const before = touched.get(service);
    return before === undefined ? [] : [`${service} at least ${lowestReady} of ${before}`];
  });
  return words.length === 0 ? [] : [`Ready on the way: ${words.join(', ')}.`];
}

function costLine({ costPerHour }: ForecastResource): string[] {
  if (costPerHour === null) return [];
  const { before, peak, after } = costPerHour;
  const way = peak > Math.max(before, after) ? `, at most ${money(peak)} on the way` : '';
  return [`Cost per hour: ${money(before)} → ${money(after)}${way}.`];
}

const money = (amount: number): string => amount.toFixed(amount >= 10 || amount === 0 ? 2 : 4);

function timeLine({ durationMs, services }: ForecastResource): string {
  const starts = services
    .filter(({ startMs }) => startMs > 0)
    .map(({ service, startMs, startMeasured }) => `${service} ${seconds(startMs)}${startMeasured ? '' : ' (a guess)'}`);
  const basis = starts.length === 0 ? '' : `, if a replica starts in: ${starts.join(', ')}`;
  const duration = durationMs === null ? 'it does not get there by itself' : `about ${seconds(durationMs)}`;
  return `Time: ${duration}${basis}.`;
}

const seconds = (ms: number): string => formatDuration(Math.max(1, Math.round(ms / 1000)) * 1000);

function waitLine({ service, reason, message }: ForecastResource['waits'][number]): string {
  const why = [reason, message].filter((part) => part !== null).join(': ');
  return `  ! ${service} does not get there${why === '' ? '' : `: ${why}`}`;
}
