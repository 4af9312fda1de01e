/** Stable PascalCase tokens that say why; each is documented here once. */
const reasons = {
  // operations
  InvalidDocument: 'the document does not pass validation; `problems` lists every fault',
  InvalidMessage: 'a message on the command queue could not be understood',
  CommandFailed: 'the command could not be carried out and repeating it does not help; `problems` says why',
  KeyReused: 'the idempotency key was used for another command of this app',
  NewerCommandApplied: 'a command accepted later was already applied',
  AppNotFound: 'there is no such app',
  AppProtected: 'the app is protected, and its deletion was not confirmed',
  ServiceNotFound: 'the app has no such service',
  ReplicaNotFit: 'the replica that the command names is not there, or not in a state in which it may be done',
  TooManyRuns: 'the app has as many runs as it may have at a time',
  RunNotFound: 'the app has no such run that is not over',
  Frozen: 'the app is frozen: nothing of it is created or deleted until it is thawed',
  AppBeingDeleted: 'the app is being deleted; apply it again once it is gone',
  ReplyNotAllowed:
    'the command asks for its outcome at a queue that FLOTILLA_REPLY_QUEUES does not list; it is carried out without a reply',
  ReplyUndeliverable: 'the outcome of a command could not be sent to where its sender wanted it, for a day',
  NoRollout: 'no rollout of the service is under way (or none that the command could act upon)',
  NoSuchRevision: 'the service has no such revision, or not any more',
  // rollouts
  PausedByCommand: 'a person or a program paused the rollout',
  TooManyFailures: 'a greater share of new replicas failed than `max_failure_ratio` allows',
  BreakerTripped: 'half as many failures as replicas are desired (at least 3), without a new replica that stayed ready',
  ProgressDeadlineExceeded: 'no new replica became ready (or ended) within the progress deadline',
  RolloutTooLong: 'the rollout was under way for a day',
  NoVerifiedRevision: 'the rollout failed, and there is no revision that was ever verified-good to go back to',
  RollbackFailed: 'a rollback failed, and a rollback is never rolled back',
  RevisionRolledBack: 'the document asks for a revision that was rolled back; the service stays as it is',
  AwaitingPromotion: 'the canary waits for `rollout promote`',
  Baking: 'the new replicas are watched before the rollout goes on',
  // services
  AwaitingDependency: 'a service named in depends_on is not healthy (or started) yet',
  NoPoolWithRoom: 'no pool has quota left for another container group of this size',
  NoFeasiblePool:
    'every pool is ruled out, at least one by a rule of the service: a constraint, spread, affinity or limit',
  UnknownPool: 'x-flotilla.pools names a pool that is not configured',
  ReplicasNotReady: 'some replicas are not ready yet',
  RollingOut: 'replicas of an older revision are being replaced',
  Restarting: 'a restart replaces the replicas one at a time',
  NoRoomForSurge:
    'a rollout waits for room beside the old replicas; `maxSurge: 0` (or `order: stop-first`) replaces them one by one in place',
  ScalingIn: 'surplus replicas are being removed',
  Removing: 'the service is being torn down',
  CreateBudget:
    'ACI takes so many creates in 5 minutes and in an hour; a fifth of them is kept for repairs and for emptying pools',
  BackingOff: 'a replica failed; its successor waits out the back-off',
  PoolUnavailable: 'the control plane of the pool does not answer',
  // replicas
  Surplus: 'more replicas than desired',
  PoolDraining: 'its pool is being drained, and a successor elsewhere is ready or it served nobody',
  OldRevision: 'an older revision than the service wants',
  ServiceRemoved: 'its service is no longer wanted',
  ImagePullFailed: 'the image could not be pulled',
  SecretMissing: 'a secret or config that the revision refers to is not stored any more',
  SecretUnreadable: 'a secret or config cannot be opened with the key of this installation',
  CreateUnconfirmed:
    'ARM did not say what became of the create: it is read back, and tried again once it can no longer land',
  CreateRejected: 'ARM refused the container group',
  QuotaExceeded: 'the region has no quota left',
  NoCapacity: 'the region has no capacity left',
  ProvisioningFailed: 'ACI could not provision the container group',
  StartDelayed: 'ACI says that something keeps the container group from starting, and goes on trying',
  StartDeadlineExceeded: 'not ready within startDeadline of the accepted create',
  ContainerCrashed: 'a container terminated; ACI restarts it in place',
  CrashLooping: 'a container terminates again and again; ACI restarts it in place, more and more slowly',
  PlatformMaintenance: 'the platform ended a container for maintenance and restarts it; the app is not at fault',
  ContainerExited: 'the container ended and its restart policy keeps it down',
  RunTimedOut: 'the run was not over at its deadline',
  RunCanceled: 'the run was ended by command',
  ProbeFailed: 'the readiness probe fails',
  Flapping: 'it became ready and unready again too often; it stays out of the endpoints until it has been steady',
  DeletionStuck: 'ARM has accepted the deletion of the container group and does not carry it out',
  GroupMissing: 'the container group is gone though nobody of us deleted it',
  Forgotten: 'let go by command, whatever became of its container group',
  GroupStopped:
    'somebody stopped the container group, and ACI will not start it by itself: another one takes its place',
  Orphaned: 'a container group of this installation that no live row owns',
  // pools
  PoolSuspect: 'our own evidence speaks against the region of the pool, which takes no new container groups for now',
  PoolDown: 'the region of the pool is down: its replicas are lost until it is back',
  CutOff: 'every region that holds replicas looks dead: it is more likely our own view that is, and nothing is done',
  PoolMoving:
    'the configuration names another place for the pool, which takes no new container groups until those in its old place are gone',
  // workflows
  WorkflowBroken: 'the workflow is finished, failed, absent or overdue though the service still names it',
} as const;

export type Reason = keyof typeof reasons;
