/** Every default in one place; sources: semantics "Which knob wins", design §7, Kubernetes CrashLoopBackOff for the back-off. */
const second = 1_000;
const minute = 60 * second;

export const defaults = {
  minReadyMs: 10 * second,
  drainMs: 10 * second,
  /** Long for a migration, short for a bill: a run that hangs is paid for by the second. */
  runTimeoutMs: 60 * minute,
  startDeadlineMs: 10 * minute,
  /** Of rollouts (semantics, "Which knob wins"). */
  rollout: {
    monitorMs: 30 * second,
    /** What is ready is looked at once per sweep: a shorter watch would see nothing. */
    shortestMonitorMs: 30 * second,
    /** Of a canary's step, and of its last one. */
    canaryBakeMs: 5 * minute,
    progressDeadlineMs: 10 * minute,
    maxDurationMs: 24 * 60 * minute,
    /** Circuit breaker: half of the desired replicas within these bounds (Amazon ECS). */
    breaker: { share: 0.5, min: 3, max: 200 },
  },
  /** Back-off of a slot's successor: doubles from `first` to `cap`; a replica ready for `reset` clears it. */
  backoff: { firstMs: 10 * second, capMs: 5 * minute, resetMs: 10 * minute },
  /** Longer than the 5-minute redelivery of a lost activity. */
  claimLeaseMs: 6 * minute,
  putTimeoutMs: 60 * second,
  /** Any other call to ARM, the table or the bus. */
  callTimeoutMs: 30 * second,
  /** Longest wait of a workflow in transition. */
  transitionWakeMs: 30 * second,
  /** A workflow whose wakeAt is further in the past is broken; the same for an assessor and its due row. */
  brokenAfterMs: 10 * minute,
  /** A pass and a timer begin no further call after this; a function is killed, and its worker with it, after 5 minutes (host.json). */
  observeBudgetMs: 1 * minute,
  tickBudgetMs: 3 * minute,
  dueRearmMs: 5 * minute,
  /** An accepted operation whose message may be lost is sent again after this. */
  resendAfterMs: 1 * minute,
  /**
   * A reply that could not be sent is sent again after `first`, doubling up to `cap`; after `giveUp` it is dropped, with an event that says so. Nobody
   * waits for an outcome that long, and one that needs it can read the operation.
   */
  reply: { firstMs: 30 * second, capMs: 10 * minute, giveUpMs: 24 * 60 * minute },
  /** An orphan is deleted at its second sighting, at least this long after the first (a late create settles within it). */
  orphanGraceMs: 1 * minute,
  retainMs: 7 * 24 * 60 * minute,
  eventRetainMs: 30 * 24 * 60 * minute,
  secretGraceMs: 24 * 60 * minute,
  revisionHistory: 10,
} as const;
