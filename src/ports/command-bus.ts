/** Sends hints that an operation was accepted, and outcomes to those who asked for them. The truth are the rows; a lost message is sent again by a timer. */
import type { CommandOutcome } from '../model/outcome.ts';
import type { Result } from '../model/result.ts';
import type { PortError } from './errors.ts';

export interface Reply {
  /** Queue or topic. */
  readonly to: string;
  /** The same outcome of the same command has the same id, however often it is sent. */
  readonly messageId: string;
  readonly correlationId: string;
  readonly sessionId: string;
  readonly body: CommandOutcome;
}

export interface CommandBus {
  /** Session = app, message id = `<operationId>:<attempt>`. */
  send(message: {
    readonly app: string;
    readonly operationId: string;
    readonly attempt: number;
  }): Promise<Result<void, PortError>>;
  /** `Unknown` = it may have been sent: sending it again is harmless. */
  reply(reply: Reply): Promise<Result<void, PortError>>;
}
