/** Sends hints that an operation was accepted. The truth is the `op` row; a lost message is sent again by a timer. */
import type { Result } from '../model/result.ts';
import type { PortError } from './errors.ts';

export interface CommandBus {
  /** Session = app, message id = `<operationId>:<attempt>`. */
  send(message: {
    readonly app: string;
    readonly operationId: string;
    readonly attempt: number;
  }): Promise<Result<void, PortError>>;
}
