/**
 * The parts of rhea that a server needs, with types: its published ones leave out the internals this broker must reach (rhea 3.0.5).
 * Values on the wire are `Typed`; encode integers explicitly, since rhea takes a plain number > 0 for a uint.
 */
import type { EventEmitter } from 'node:events';
import rhea, { type Typed, type Types } from 'rhea';
import type { Refusal } from './errors.ts';

export type { Typed } from 'rhea';

interface TypeWriter {
  write(value: Typed): void;
  toBuffer(): Buffer;
}

export const types = rhea.types as unknown as Types & { readonly Writer: new () => TypeWriter };
export const createContainer = rhea.create_container;
export const decodeMessage = rhea.message.decode as (bytes: Buffer) => AmqpRequest;
export const encodeMessage = rhea.message.encode as unknown as (message: object) => Buffer;

/** A decoded message, as far as requests and filters look at it. */
export interface AmqpRequest {
  readonly message_id?: unknown;
  readonly reply_to?: unknown;
  readonly correlation_id?: unknown;
  readonly to?: unknown;
  readonly subject?: unknown;
  readonly group_id?: unknown;
  readonly reply_to_group_id?: unknown;
  readonly content_type?: unknown;
  readonly body?: unknown;
  readonly application_properties?: Readonly<Record<string, unknown>>;
}

export interface Terminus {
  readonly address?: string | null;
  readonly filter?: Readonly<Record<string, unknown>> | null;
}

export interface Attach {
  source?: Terminus | null;
  target?: Terminus | null;
  snd_settle_mode?: number;
  rcv_settle_mode?: number;
  max_message_size?: number;
  properties?: Readonly<Record<string, unknown>> | null;
}

/** Either end of a link; `is_sender()` is seen from the broker. */
export interface Link extends EventEmitter {
  readonly name: string;
  readonly session: AmqpSession;
  readonly connection: AmqpConnection;
  readonly local: { readonly handle: number; readonly attach: Attach };
  readonly remote: { readonly attach?: Attach };
  readonly state: { open_requests: number };
  credit: number;
  delivery_count: number;
  issue_flow: boolean;
  _draining?: boolean;
  _get_drain(): boolean;
  is_open(): boolean;
  is_sender(): boolean;
  set_source(terminus: Terminus): void;
  set_target(terminus: Terminus): void;
  close(error?: Refusal): void;
}

/** An incoming transfer. */
export interface IncomingDelivery {
  readonly format: number;
  update(settled: boolean, state: unknown): void;
}

export interface FlowFields {
  readonly next_incoming_id?: number;
  readonly incoming_window: number;
}

export interface DispositionFields {
  readonly first: number;
  readonly last?: number;
  readonly settled?: boolean;
  /** The described outcome as read, not unwrapped. */
  readonly state?: Typed | null;
}

/** Something rhea's frame writer takes: only `described` is called. */
export interface Performative {
  described(): Typed;
}

export interface TransferFrame {
  readonly performative: { message_format?: number | null };
}

export interface AmqpSession extends EventEmitter {
  readonly connection: AmqpConnection;
  readonly remote: { readonly begin: { readonly incoming_window: number } };
  outgoing: unknown;
  on_transfer(frame: TransferFrame): void;
  output(performative: Performative, payload?: Buffer): void;
}

export interface AmqpConnection extends EventEmitter {
  /** Of the peer; undefined when it takes frames of any size. */
  readonly max_frame_size?: number;
  accept(socket: unknown): void;
  input(chunk: Buffer): void;
  output(): void;
  _register(): void;
  /** Stops timers and reconnecting. */
  _disconnected(): void;
  /** Without arguments: an empty frame. */
  _write_frame(): void;
}

const isTyped = (value: unknown): value is Typed =>
  typeof value === 'object' && value !== null && 'type' in value && 'value' in value;

const OUTCOME = { accepted: 0x24, rejected: 0x25, released: 0x26, modified: 0x27 } as const;
const ERROR = 0x1d;

const describedList = (code: number, fields: readonly Typed[]): Typed =>
  types.wrap_described(types.wrap_list([...fields]), code);

export const performative = (code: number, fields: readonly Typed[]): Performative => ({
  described: () => describedList(code, fields),
});

export const accepted = (): Typed => describedList(OUTCOME.accepted, []);
export const released = (): Typed => describedList(OUTCOME.released, []);
export const rejected = ({ condition, description }: Refusal): Typed =>
  describedList(OUTCOME.rejected, [
    describedList(ERROR, [types.wrap_symbol(condition), types.wrap_string(description)]),
  ]);

/** What a receiver decided about a delivery. */
export type Outcome =
  | { readonly kind: 'accepted' | 'released' }
  | { readonly kind: 'rejected'; readonly info: AmqpMap }
  | { readonly kind: 'modified'; readonly undeliverableHere: boolean; readonly annotations: AmqpMap };

/** A map read from the wire that keeps the AMQP type of each value. */
export type AmqpMap = ReadonlyMap<string, Typed>;

/** Reads the `state` of a disposition; undefined when it is not an outcome. */
export function readOutcome(state: Typed | null | undefined): Outcome | undefined {
  const fields: readonly unknown[] = Array.isArray(state?.value) ? state.value : [];
  const descriptor = isTyped(state?.descriptor) ? Number(state.descriptor.value) : undefined;
  switch (descriptor) {
    case OUTCOME.accepted:
      return { kind: 'accepted' };
    case OUTCOME.released:
      return { kind: 'released' };
    case OUTCOME.rejected: {
      const error = isTyped(fields[0]) && Array.isArray(fields[0].value) ? fields[0].value : [];
      return { kind: 'rejected', info: readMap(error[2]) };
    }
    case OUTCOME.modified: {
      const undeliverableHere = isTyped(fields[1]) && fields[1].value === true;
      return { kind: 'modified', undeliverableHere, annotations: readMap(fields[2]) };
    }
    default:
      return undefined;
  }
}

/** The entries of a map whose value is not null; anything else is an empty map. */
function readMap(map: unknown): AmqpMap {
  const entries = new Map<string, Typed>();
  if (!isTyped(map) || !types.is_map(map)) return entries;
  const items = map.value as readonly Typed[];
  for (let i = 0; i + 1 < items.length; i += 2) {
    const [key, value] = [items[i], items[i + 1]];
    if (key && value && value.value !== null && value.value !== undefined) entries.set(String(key.value), value);
  }
  return entries;
}
