/** What befalls the next events of Event Grid: rows of its own table (`eventgrid/faults.ts`). */
import { addEventFault, type EventEffect } from '../../eventgrid/faults.ts';
import { type Argument, done, type Fault, type Given } from './fault.ts';

const groups: Argument = {
  name: 'groups',
  kind: 'prefix',
  fallback: '*',
  help: 'events about groups of this name; a trailing * matches any rest',
};
const times: Argument = { name: 'times', kind: 'times', fallback: '1', help: 'how often; `always`: until cleared' };

function fault(
  row: Pick<Fault, 'name' | 'does' | 'example'> & { readonly more?: readonly Argument[] },
  effectOf: (given: Given) => EventEffect,
): Fault {
  const { name, does, example, more = [] } = row;
  return {
    name,
    about: 'events',
    arguments: [...more, groups, times],
    does,
    lasts: 'for so many events',
    example,
    act({ events }, given) {
      const pattern = given.get('groups', 'prefix');
      const { id } = addEventFault(events.store, {
        ...(pattern !== '*' && { name: pattern }),
        times: given.get('times', 'times'),
        effect: effectOf(given),
      });
      return done(`Fault event-${id} is set.`);
    },
  };
}

export const eventFaults: readonly Fault[] = [
  fault({ name: 'lose-events', does: 'the event is never delivered', example: 'lose-events times=10' }, () => ({
    kind: 'lose',
  })),
  fault(
    {
      name: 'duplicate-events',
      does: 'the event is delivered once more',
      example: 'duplicate-events after=5s',
      more: [{ name: 'after', kind: 'duration', fallback: '1s', help: 'how much later' }],
    },
    (given) => ({ kind: 'duplicate', afterMs: given.get('after', 'duration') }),
  ),
  fault(
    {
      name: 'delay-events',
      does: 'the event is delivered late',
      example: 'delay-events by=1m times=always',
      more: [{ name: 'by', kind: 'duration', fallback: '30s', help: 'how much later' }],
    },
    (given) => ({ kind: 'delay', ms: given.get('by', 'duration') }),
  ),
  fault(
    {
      name: 'reorder-events',
      does: 'whatever follows within this time overtakes the event',
      example: 'reorder-events within=10s',
      more: [{ name: 'within', kind: 'duration', fallback: '5s', help: 'how long it can be overtaken' }],
    },
    (given) => ({ kind: 'reorder', withinMs: given.get('within', 'duration') }),
  ),
];
