/** Limits that several layers check. Sources: design §6 for our own, ACI's quota page (read 2025-11-17) for ACI's. */
export const limits = {
  /** Canonical JSON of an app document. */
  documentBytes: 192 * 1024,
  servicesPerApp: 30,
  /** Runs of an app that are not over. ACI grants 100 groups per region: those of the services come first. */
  runsPerApp: 20,
  /** Of the words and the environment of a run: its row must stay small, because every pass over the service reads it. */
  runBytes: 16 * 1024,
  /** Longest a run may take, ms. */
  runMs: 24 * 60 * 60_000,
  /** Replicas of one service; one app's live replicas must also fit one partition's transactions. */
  replicasPerService: 500,
  /** Rows changed by one transaction; Table Storage allows 100 with their events. */
  replicaChangesPerTransaction: 45,
  planBytes: 64 * 1024,
  /** One secret or config file: its sealed form must fit a row of 1 MiB with room to spare. */
  secretBytes: 512 * 1024,
  /** One environment variable with its name, `=` and end: Linux, `MAX_ARG_STRLEN` (execve(2)). */
  environmentVariableBytes: 128 * 1024,
  aci: {
    portsPerGroup: 5,
    cpuCoresPerGroup: 31,
    memoryGiBPerGroup: 240,
    /** Smallest allocation of a group. */
    minCpuCores: 1,
    minMemoryGiB: 1,
    groupNameLength: 63,
    volumesPerGroup: 20,
    /** Of all files of one secret volume: Kubernetes' bound on a secret, which ACI runs on; its own is not published. */
    secretVolumeBytes: 1024 * 1024,
  },
} as const;

/** App and service names; never mapped, so that what the user wrote is what ARM, DNS and the table carry. */
export const namePattern = /^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/;
