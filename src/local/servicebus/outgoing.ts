/**
 * Takes the place of rhea's `Outgoing` in a server session: sends transfers and settles them. rhea's own keeps deliveries in a ring of 2048 that
 * an expired or never settled lock would block for ever, and cannot answer a disposition for a delivery that is gone.
 * It decides nothing about messages: outcomes go to the callback given with each transfer.
 */
import {
  type AmqpSession,
  accepted,
  type DispositionFields,
  type FlowFields,
  type Link,
  type Outcome,
  performative,
  readOutcome,
  rejected,
  released,
  type Typed,
  types,
} from './amqp.ts';
import { messageLockLost, notOffered, type Refusal } from './errors.ts';

const TRANSFER = 0x14;
const DISPOSITION = 0x15;

/** Bytes of a frame around the payload of a transfer: header, performative and a 16-byte tag (rhea reckons 50 + tag). */
const TRANSFER_OVERHEAD_BYTES = 66;

/** With fewer transfers left in the client's window its dead deliveries are settled to make room. */
const LOW_WINDOW = 256;

export interface Transfer {
  readonly link: Link;
  readonly tag: Buffer;
  readonly payload: Buffer;
  /** Asked once for the receiver's decision; resolves to why it was refused, or undefined. Absent: sent settled. */
  readonly settle?: (outcome: Outcome) => Promise<Refusal | undefined>;
  /** Whether the receiver can still settle it; a dead delivery may be settled by the broker. */
  readonly isAlive?: () => boolean;
}

interface Pending {
  readonly id: number;
  readonly transfer: Transfer;
  readonly fragments: readonly Buffer[];
  next: number;
}

interface Settled {
  readonly id: number;
  readonly state: Typed;
  readonly isAccepted: boolean;
}

export class Outgoing {
  /** Read by rhea: never blocked. */
  readonly deliveries = { available: () => Number.MAX_SAFE_INTEGER };
  window = 0xffffffff;
  next_transfer_id = 0;
  readonly #session: AmqpSession;
  #remoteWindow: number;
  #remoteNextTransferId = 0;
  #nextDeliveryId = 0;
  readonly #pending: Pending[] = [];
  readonly #queuedByLink = new Map<Link, number>();
  readonly #unsettledById = new Map<number, Transfer>();
  readonly #draining = new Set<Link>();
  readonly #windowOpened: () => void;
  #settled: Settled[] = [];

  /** @param windowOpened Called when the client takes transfers again after its window was nearly used up. */
  constructor(session: AmqpSession, windowOpened: () => void) {
    this.#session = session;
    this.#windowOpened = windowOpened;
    this.#remoteWindow = session.remote.begin.incoming_window;
  }

  available(): number {
    return this.deliveries.available();
  }

  /** How many transfers of one frame the link takes now. */
  capacity(link: Link): number {
    const window = this.#transferWindow() - this.#pending.length;
    if (window < LOW_WINDOW) this.#settleDead();
    return Math.min(link.credit - (this.#queuedByLink.get(link) ?? 0), window);
  }

  /** Sends, or queues when the link has no credit or the session no window. */
  send(transfer: Transfer): void {
    const maxFrame = this.#session.connection.max_frame_size;
    const fragments = split(transfer.payload, maxFrame ? maxFrame - TRANSFER_OVERHEAD_BYTES : Number.POSITIVE_INFINITY);
    const id = this.#nextDeliveryId++;
    if (transfer.settle) this.#unsettledById.set(id, transfer);
    this.#pending.push({ id, transfer, fragments, next: 0 });
    this.#queuedByLink.set(transfer.link, (this.#queuedByLink.get(transfer.link) ?? 0) + 1);
    this.#sendPending();
  }

  /**
   * Gives back the credit of a link whose client drains it, once all that is queued for it has been sent. rhea itself answers only while
   * credit is left, and the client closes a link that is not drained within 200 ms.
   */
  drain(link: Link): void {
    link._get_drain = () => link._draining === true;
    this.#draining.add(link);
    this.#finishDrains();
  }

  /** Drops what is queued for a link that ended. Its unsettled deliveries may still be settled by the receiver. */
  forget(link: Link): void {
    this.#queuedByLink.delete(link);
    this.#draining.delete(link);
    for (let i = this.#pending.length - 1; i >= 0; i--) {
      const pending = this.#pending[i];
      if (pending?.transfer.link !== link) continue;
      this.#pending.splice(i, 1);
      this.#unsettledById.delete(pending.id);
    }
  }

  on_begin(): void {}

  on_flow(fields: FlowFields): void {
    const wasLow = this.#transferWindow() < LOW_WINDOW;
    this.#remoteNextTransferId = fields.next_incoming_id ?? 0;
    this.#remoteWindow = fields.incoming_window;
    if (wasLow) this.#windowOpened();
  }

  on_disposition(fields: DispositionFields): void {
    const last = Math.min(fields.last ?? fields.first, this.#nextDeliveryId - 1);
    const outcome = readOutcome(fields.state);
    for (let id = fields.first; id <= last; id++) {
      const transfer = this.#unsettledById.get(id);
      this.#unsettledById.delete(id);
      if (outcome) void this.#decide(id, transfer, outcome, fields.settled === true);
      else if (!fields.settled) this.#settle(id, notOffered('this delivery state'));
    }
  }

  /** Called by rhea once per turn: writes what is ready. */
  process(): void {
    this.#sendPending();
    this.#finishDrains();
    const settled = this.#settled;
    this.#settled = [];
    for (let i = 0; i < settled.length; ) i = this.#writeDisposition(settled, i);
  }

  async #decide(id: number, transfer: Transfer | undefined, outcome: Outcome, isFinal: boolean): Promise<void> {
    const refusal = transfer?.settle ? await transfer.settle(outcome) : messageLockLost;
    if (!isFinal) this.#settle(id, refusal);
  }

  #settle(id: number, refusal: Refusal | undefined): void {
    this.#settled.push({ id, state: refusal ? rejected(refusal) : accepted(), isAccepted: !refusal });
    this.#session.connection._register();
  }

  #transferWindow(): number {
    return this.#remoteWindow - (this.next_transfer_id - this.#remoteNextTransferId);
  }

  /** The client's ring of 2048 deliveries frees its head only when that is settled. */
  #settleDead(): void {
    for (const [id, transfer] of this.#unsettledById) {
      if (transfer.isAlive?.() !== false) continue;
      this.#unsettledById.delete(id);
      this.#settled.push({ id, state: released(), isAccepted: false });
      this.#session.connection._register();
    }
  }

  #finishDrains(): void {
    for (const link of this.#draining) {
      if (this.#queuedByLink.has(link)) continue;
      this.#draining.delete(link);
      link.delivery_count += link.credit;
      link.credit = 0;
      link.issue_flow = true;
      link.connection._register();
    }
  }

  #sendPending(): void {
    let isSending = this.#pending.length > 0;
    while (isSending) isSending = this.#sendFirst();
  }

  /** @returns false when the first pending transfer has to wait. */
  #sendFirst(): boolean {
    const pending = this.#pending[0];
    if (!pending) return false;
    const { link } = pending.transfer;
    if (link.credit <= 0) return false;
    if (link.state.open_requests > 0) {
      // The attach is not written yet: rhea does so at the end of this turn.
      link.connection._register();
      return false;
    }
    while (pending.next < pending.fragments.length) {
      if (this.#transferWindow() <= 0) return false;
      this.#writeFragment(pending);
    }
    this.#pending.shift();
    link.credit -= 1;
    link.delivery_count += 1;
    const queued = (this.#queuedByLink.get(link) ?? 1) - 1;
    if (queued > 0) this.#queuedByLink.set(link, queued);
    else this.#queuedByLink.delete(link);
    return true;
  }

  #writeFragment(pending: Pending): void {
    const { id, transfer, fragments } = pending;
    const fragment = fragments[pending.next++];
    const isMore = pending.next < fragments.length;
    this.next_transfer_id += 1;
    const fields = [
      types.wrap_uint(transfer.link.local.handle),
      types.wrap_uint(id),
      types.wrap_binary(transfer.tag),
      types.wrap_uint(0),
      types.wrap_boolean(!transfer.settle),
      types.wrap_boolean(isMore),
    ];
    this.#session.output(performative(TRANSFER, fields), fragment);
  }

  /** Writes one disposition for the run of equally accepted deliveries that begins at `from`. @returns Where the next run begins. */
  #writeDisposition(settled: readonly Settled[], from: number): number {
    const first = settled[from];
    if (!first) return settled.length;
    let to = from + 1;
    while (first.isAccepted && settled[to]?.isAccepted && settled[to]?.id === first.id + (to - from)) to += 1;
    const fields = [
      types.wrap_boolean(false),
      types.wrap_uint(first.id),
      types.wrap_uint(first.id + (to - from) - 1),
      types.wrap_boolean(true),
      first.state,
    ];
    this.#session.output(performative(DISPOSITION, fields));
    return to;
  }
}

function split(payload: Buffer, maxBytes: number): Buffer[] {
  if (payload.length <= maxBytes) return [payload];
  const fragments: Buffer[] = [];
  for (let at = 0; at < payload.length; at += maxBytes) fragments.push(payload.subarray(at, at + maxBytes));
  return fragments;
}
