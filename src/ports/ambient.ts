/** Time, ids and log lines: the ambient things that code outside the pure layers takes as ports. */
/** Epoch ms. */
export type Now = () => number;

export interface Ids {
  /** A new unguessable id, lower-case hex and dashes, valid in row keys and instance ids. */
  next(): string;
}

export interface Log {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
