/** The answer to `flotilla why`, as lines of text. Pure; `now` in epoch ms. */
import type { NextResource, WhyResource } from '../model/api.ts';
import { elapsed } from './render.ts';
import { columns } from './table.ts';

export function renderWhy(why: WhyResource, now: number): readonly string[] {
  const { app, service, slot, incarnation, state, reason, message, workflow } = why;
  const since = `for ${elapsed(Math.max(0, now - Date.parse(why.since)))}`;
  return [
    `${app}.${service}.${slot}, incarnation ${incarnation}: ${state}${reason === null ? '' : ` (${reason})`} ${since}`,
    ...(message === null ? [] : [`  ${message}`]),
    ...columns([
      ['  group', `${why.group} in ${why.pool}`],
      ['  seen', why.sees],
      ['  planner', why.because],
      ['  workflow', workflow === null ? 'none is at work' : workflow.id],
      ...nextRows(why.next, now),
    ]),
    '  evidence, newest first',
    ...columns(why.evidence.map(({ at, source, text }) => [`    ${at.slice(0, 19)}Z`, source, text])),
  ];
}

function nextRows(next: readonly NextResource[], now: number): readonly (readonly string[])[] {
  if (next.length === 0) return [['  next', 'nothing, unless something changes']];
  return next.map(({ what, at }, index) => [index === 0 ? '  next' : '', what + whenOf(at, now)]);
}

function whenOf(at: string | null, now: number): string {
  if (at === null) return '';
  const inMs = Date.parse(at) - now;
  return inMs > 0 ? `, in ${elapsed(inMs)}` : ', now';
}
