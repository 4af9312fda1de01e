/** The trace: one line an event, hashed as it grows. Two runs of one seed must give the same lines, byte for byte. */
import { createHash } from 'node:crypto';
import type { SimEvent } from '../types.ts';
import { epoch } from '../virtual/clock.ts';

const instant = (at: number): string => `${((at - epoch) / 1000).toFixed(3).padStart(10)}`;

const marks = { sent: '→', applied: '●', replied: '←' } as const;

/** Everything that the event says, after its time. */
const texts: { readonly [T in SimEvent['type']]: (event: Extract<SimEvent, { type: T }>) => string } = {
  effect({ moment, id, host, key, status, fault, cause }) {
    const by = cause ? ` by ${cause.fn}${cause.about === '' ? '' : ` ${cause.about}`}` : '';
    return `${host} ${marks[moment]} ${key} #${id}${status === null ? '' : ` ${status}`}${fault ? ` !${fault}` : ''}${by}`;
  },
  row({ before, after, partition, row }) {
    const change = before === null ? '+' : after === null ? '-' : '~';
    return `table ${change} ${partition}/${row} ${JSON.stringify(after ?? {})}`;
  },
  group({ group, change }) {
    const state = group.serving ? 'serving' : group.deleting ? 'deleting' : group.provisioningState;
    return `arm ${change} ${group.label} ${group.name} ${state} ${group.ip ?? '-'} ${group.image}`;
  },
  host: ({ host, change, fault, version }) =>
    `${host} ${change}${version ? ` ${version}` : ''}${fault ? ` !${fault}` : ''}`,
  fault: ({ fault, phase, detail }) => `world !${fault} ${phase} ${detail}`,
  command: ({ command, moment }) =>
    `user ${command.command} ${command.app} ${command.id} ${moment} ${command.status ?? ''}`,
  reply: ({ reply, cause }) => `reply ${JSON.stringify(reply)} by ${cause?.host} ${cause?.fn}`,
  run: ({ cause, moment, detail }) => `${cause.host} ${moment} ${cause.fn} ${cause.instance ?? ''} ${detail}`,
  instance: ({ instance, status, output }) => `durable ${instance} is ${status} ${output}`,
  log: ({ host, level, message }) => `${host} [${level}] ${message}`,
  tick: () => 'tick',
};

export const lineOf = (event: SimEvent): string =>
  `${instant(event.at)} ${(texts[event.type] as (event: SimEvent) => string)(event)}`;

/**
 * Real time and real UUIDs cannot occur: the virtual epoch is 2040, and seeded UUIDs have version 8. The year before is virtual too: clocks of hosts
 * run behind, and the app looks back from them.
 */
const real =
  /\b1[6-9]\d{11}\b|\b20(?:[0-2]\d|3[0-8])-\d\d-\d\dT|\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/;

export interface Trace {
  add(event: SimEvent): void;
  readonly hash: string;
  readonly lines: number;
}

/** Lines are hashed and searched in blocks of this many: a call for each costs more than its work. */
const blockLines = 200;

/** `onReal` hears of a line that shows something of the real world. */
export function createTrace(sink: ((line: string) => void) | null, onReal: (what: string) => void): Trace {
  const hash = createHash('sha256');
  let block: string[] = [];
  let lines = 0;
  const close = (): void => {
    if (block.length === 0) return;
    const text = `${block.join('\n')}\n`;
    hash.update(text);
    const shown = real.test(text) ? block : [];
    block = [];
    for (const line of shown) {
      const leak = real.exec(line)?.[0];
      if (leak !== undefined) onReal(`${leak} in: ${line}`);
    }
  };
  return {
    add(event) {
      if (event.type === 'tick') return;
      const line = lineOf(event);
      lines += 1;
      block.push(line);
      sink?.(line);
      if (block.length === blockLines) close();
    },
    get hash() {
      close();
      return hash.copy().digest('hex').slice(0, 32);
    },
    get lines() {
      return lines;
    },
  };
}
