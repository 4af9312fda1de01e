/** Limits that several layers check. Sources: design §6 for our own, ACI's quota page (read 2025-11-17) for ACI's. */
export const limits = {
  /** Canonical JSON of an app document. */
  documentBytes: 192 * 1024,
  servicesPerApp: 30,
  /** Replicas of one service; one app's live replicas must also fit one partition's transactions. */
  replicasPerService: 500,
  /** Rows changed by one transaction; Table Storage allows 100 with their events. */
  replicaChangesPerTransaction: 45,
  planBytes: 64 * 1024,
  aci: {
    portsPerGroup: 5,
    cpuCoresPerGroup: 31,
    memoryGiBPerGroup: 240,
    /** Smallest allocation of a group. */
    minCpuCores: 1,
    minMemoryGiB: 1,
    groupNameLength: 63,
  },
} as const;

/** App and service names; never mapped, so that what the user wrote is what ARM, DNS and the table carry. */
export const namePattern = /^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/;
