/**
 * A run: one command in a container group of its own, with everything a replica of its service has but ports and probes. It is a replica row with a slot
 * that no replica can have, so that whatever creates, watches, fences, counts and deletes container groups does so for runs too (decision 22).
 */
import type { Reason } from './reasons.ts';
import type { ReplicaRow } from './state.ts';

export interface RunFacts {
  /** Id of the operation that asked for it. */
  readonly operation: string;
  /** What people call it; it need not be unique. */
  readonly name: string | null;
  /** Replaces ENTRYPOINT and CMD of the image; empty = what the service runs. */
  readonly program: readonly string[];
  /** Over that of the service. */
  readonly environment: Readonly<Record<string, string>>;
  /** Epoch ms: it is ended then, whatever it does. */
  readonly deadlineAt: number;
  /** By command. */
  readonly canceled: boolean;
  /** When its container was seen to have started. */
  readonly startedAt: number | null;
  /** null = it is not over. */
  readonly end: RunEnd | null;
}

export interface RunEnd {
  readonly at: number;
  /** Of the program; null = it did not end by itself, or nobody knows how. */
  readonly exitCode: number | null;
  /** Why it is over although its program did not end. */
  readonly reason: Reason | null;
  readonly message: string | null;
}

export type RunRow = ReplicaRow & { readonly run: RunFacts };

/** Above all slots of replicas, which end at `limits.replicasPerService` and a surge. */
export const firstRunSlot = 10_000;

/** Incarnations of a service are never given out twice, so its runs are numbered by them. */
export const runSlot = (incarnation: number): number => firstRunSlot + incarnation;

export const isRun = <R extends ReplicaRow>(row: R): row is R & { readonly run: RunFacts } =>
  row.run !== null && row.run !== undefined;

/** `web.7`: the run of `web` that is its 7th incarnation. */
export const runId = ({ service, incarnation }: Pick<ReplicaRow, 'service' | 'incarnation'>): string =>
  `${service}.${incarnation}`;

export const runIdPattern = /^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?\.\d{1,9}$/;
