/** What the commands of an app, one after the other, ask for in the end: a reading of the rule that shares nothing with the code. */
import type { CommandRecord, Imperative } from '../types.ts';

interface Wish {
  /** By the last document; null = it states none. */
  readonly stated: number | null;
  readonly scaledTo: number | null;
  readonly stopped: boolean;
}

export type Wishes = ReadonlyMap<string, Wish>;

export const countOf = ({ stated, scaledTo, stopped }: Wish): number => (stopped ? 0 : (scaledTo ?? stated ?? 1));

/** @param commands those that took effect, in their order. */
export function wishesOf(commands: readonly CommandRecord[]): Wishes {
  let wishes: Wishes = new Map();
  for (const command of commands) {
    if (command.command === 'apply') wishes = applied(wishes, command.document as Document);
    else if (command.command === 'delete') wishes = new Map();
    else wishes = commanded(wishes, command.document as Imperative);
  }
  return wishes;
}

interface Document {
  readonly services?: Readonly<Record<string, { readonly deploy?: { readonly replicas?: number } }>>;
}

function applied(before: Wishes, { services = {} }: Document): Wishes {
  const allStopped = before.size > 0 && [...before.values()].every(({ stopped }) => stopped);
  return new Map(
    Object.entries(services).map(([name, { deploy }]): [string, Wish] => {
      const known = before.get(name);
      const stated = deploy?.replicas ?? null;
      const scaledTo = stated === null ? (known?.scaledTo ?? null) : null;
      return [name, { stated, scaledTo, stopped: known?.stopped ?? allStopped }];
    }),
  );
}

function commanded(before: Wishes, body: Imperative): Wishes {
  const change = (name: string, wish: Wish): Wish => {
    if (body.command === 'scale') return { ...wish, scaledTo: body.services[name] ?? wish.scaledTo };
    if (body.command !== 'stop' && body.command !== 'start') return wish;
    const isMeant = body.services === undefined || body.services.includes(name);
    return isMeant ? { ...wish, stopped: body.command === 'stop' } : wish;
  };
  return new Map([...before].map(([name, wish]) => [name, change(name, wish)]));
}
