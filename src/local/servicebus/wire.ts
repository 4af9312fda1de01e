/**
 * How a rhea server connection meets the Azure client on the wire: frames of one turn leave in one write, no input stays without output
 * for long, and sessions send through `Outgoing` and hand over messages undecoded.
 */
import type { Socket } from 'node:net';
import type { AmqpConnection, AmqpSession } from './amqp.ts';
import { Outgoing } from './outgoing.ts';

/** Stands in for message format 0, for which rhea would decode the message and drop its bytes. */
export const PLAIN_MESSAGE = 0xffffffff;

/** Message format of a batch: each data section is an encoded message. */
export const BATCH_MESSAGE = 0x80013700;

/**
 * To be called before `accept`. One `socket.write` per frame would be slow. The client leaves Nagle's algorithm on, so that its next small frame
 * waits for the ack of the last: input that caused no output is answered with an empty frame, which carries the ack 40 ms earlier.
 */
export function smoothTraffic(connection: AmqpConnection, socket: Socket): void {
  const write = connection.output.bind(connection);
  const read = connection.input.bind(connection);
  let isOpen = false;
  let isScheduled = false;
  let hasWritten = false;
  let isChecking = false;
  const flush = () => {
    isScheduled = false;
    hasWritten = true;
    if (socket.destroyed) return;
    socket.cork();
    write();
    socket.uncork();
  };
  const answer = () => {
    isChecking = false;
    if (!hasWritten && !socket.destroyed) connection._write_frame();
  };
  connection.once('connection_open', () => {
    isOpen = true;
  });
  connection.output = () => {
    if (!isOpen) {
      write();
    } else if (!isScheduled) {
      isScheduled = true;
      process.nextTick(flush);
    }
  };
  connection.input = (chunk) => {
    read(chunk);
    if (!isOpen || isChecking) return;
    hasWritten = false;
    isChecking = true;
    setImmediate(answer);
  };
}

/**
 * To be called when the client has begun a session, before any link is attached.
 * @param windowOpened Called when the client takes transfers again after its window was nearly used up.
 */
export function takeOver(session: AmqpSession, windowOpened: () => void): Outgoing {
  const outgoing = new Outgoing(session, windowOpened);
  session.outgoing = outgoing;
  const receive = session.on_transfer.bind(session);
  session.on_transfer = (frame) => {
    if (!frame.performative.message_format) frame.performative.message_format = PLAIN_MESSAGE;
    receive(frame);
  };
  return outgoing;
}
