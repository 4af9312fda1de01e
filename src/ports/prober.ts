/** Asks a replica over the network whether it is ready. */
export type ProbeTarget =
  | {
      readonly kind: 'http';
      readonly ip: string;
      readonly port: number;
      readonly path: string;
      readonly scheme: 'http' | 'https';
      readonly timeoutMs: number;
      /** Statuses that pass; default 200..399 (Kubernetes' rule). */
      readonly status?: { readonly min: number; readonly max: number };
      /** Sent with the request. */
      readonly headers?: Readonly<Record<string, string>>;
      /** Text that the first 64 KiB of the body must hold. */
      readonly body?: string;
    }
  | { readonly kind: 'tcp'; readonly ip: string; readonly port: number; readonly timeoutMs: number };

export interface ProbeOutcome {
  readonly passed: boolean;
  /** Something at the address accepted or refused the connection: whatever it answers, the network and the host are there. */
  readonly reached: boolean;
  readonly detail: string;
}

export interface Prober {
  /** HTTP passes by its status, and by its body where a text is asked for, without following redirects; TCP passes on connect. Never throws. */
  probe(target: ProbeTarget): Promise<ProbeOutcome>;
}
