/** Asks a replica over the network whether it is ready. */
export type ProbeTarget =
  | {
      readonly kind: 'http';
      readonly ip: string;
      readonly port: number;
      readonly path: string;
      readonly scheme: 'http' | 'https';
      readonly timeoutMs: number;
    }
  | { readonly kind: 'tcp'; readonly ip: string; readonly port: number; readonly timeoutMs: number };

export interface ProbeOutcome {
  readonly passed: boolean;
  /** Something at the address accepted or refused the connection: whatever it answers, the network and the host are there. */
  readonly reached: boolean;
  readonly detail: string;
}

export interface Prober {
  /** HTTP passes on 200..399 (Kubernetes' rule), without following redirects and reading at most a few KiB; TCP passes on connect. Never throws. */
  probe(target: ProbeTarget): Promise<ProbeOutcome>;
}
