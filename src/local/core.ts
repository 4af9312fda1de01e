/**
 * What an embedded Azure service is: a *core*, a plain function from request to response over a store, without sockets, clock or files.
 * `serve.ts` puts it behind HTTP(S); a simulator or a fast test puts it behind the SDKs' own `httpClient` (`core-http-client.ts`).
 */
export interface CoreRequest {
  /** Upper case. */
  readonly method: string;
  /** Path and query as sent (not decoded), beginning with `/`. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface CoreResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How long the network takes to bring this answer, in ms; default 0. */
  readonly delayMs?: number;
  /** The connection breaks instead of an answer (the request may have taken effect). */
  readonly dropped?: boolean;
}

/** A named choice of the world: an integer in [0, options); 0 always means "nothing bad". */
export type Draw = (key: string, options: number) => number;

/** The draw of a world in which nothing bad happens. */
export const benign: Draw = () => 0;

export interface Core {
  /** `now` in epoch ms. Must keep all state in its store, so that a transaction around it can be rolled back. */
  handle(request: CoreRequest, now: number, draw: Draw): CoreResponse;
}
