/** What befalls the next requests to Table Storage. */
import { type Argument, done, type Fault } from './fault.ts';
import type { TableAct, TableEffect } from './table-draw.ts';

const act: Argument = { name: 'act', kind: 'tableAct', fallback: '', help: 'what is asked for; without it, anything' };
const times: Argument = { name: 'times', kind: 'times', fallback: '1', help: 'how often; `always`: until cleared' };

function fault(name: string, effect: TableEffect, does: string, example: string): Fault {
  return {
    name,
    about: 'tables',
    arguments: [act, times],
    does,
    lasts: 'for so many requests',
    example,
    act({ tables }, given) {
      const wanted = given.find('act', 'tableAct');
      tables.add({
        effect,
        times: given.get('times', 'times'),
        ...(wanted !== undefined && { act: wanted as TableAct }),
      });
      return done('The fault of tables is set.');
    },
  };
}

export const tableFaults: readonly Fault[] = [
  fault('table-busy', 'busy', 'Table Storage answers 503 ServerBusy', 'table-busy times=20'),
  fault('table-error', 'error', 'Table Storage does what was asked and answers 500', 'table-error batch times=3'),
  fault(
    'table-lost-answer',
    'lost',
    'Table Storage does what was asked and the connection breaks',
    'table-lost-answer batch',
  ),
  fault('table-drop', 'drop', 'the request never arrives at Table Storage', 'table-drop times=5'),
  fault('table-slow', 'late', 'Table Storage answers 2 s late', 'table-slow query times=always'),
];
