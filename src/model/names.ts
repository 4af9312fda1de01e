/** Names that are persisted in histories, queues, tables and tags: never renamed, only added to. */
export const names = {
  table: 'flotilla',
  partitions: { due: '~due', pools: '~pools', logs: '~logs', replies: '~replies' },
  queue: 'flotilla-commands',
  /** Subject of the message that tells what became of a command. */
  replySubject: 'flotilla.outcome',
  orchestrators: { app: 'app', deployment: 'deployment', teardown: 'teardown' },
  activities: {
    assess: 'assess',
    startWorkflow: 'startWorkflow',
    settle: 'settle',
    pass: 'pass',
    createGroup: 'createGroup',
    deleteGroup: 'deleteGroup',
    finish: 'finish',
  },
  /** Function that is told of events: part of the address that Event Grid calls. */
  groupEvents: 'groupEvents',
  /** External event that means "look again now". */
  hint: 'hint',
  tags: {
    installation: 'flotilla-installation',
    epoch: 'flotilla-installation-epoch',
    app: 'flotilla-app',
    appUid: 'flotilla-app-uid',
    service: 'flotilla-service',
    slot: 'flotilla-slot',
    incarnation: 'flotilla-incarnation',
    revision: 'flotilla-revision',
    revisionHash: 'flotilla-revision-hash',
  },
} as const;

/** Instance id of the assessor of an app. */
export const assessorId = (app: string): string => `${names.orchestrators.app}:${app}`;

export type WorkflowKind = 'deployment' | 'teardown';

/** Instance id of a workflow of one service; never reused, because the guard's epoch only rises. */
export const workflowId = (kind: WorkflowKind, app: string, service: string, epoch: number): string =>
  `${kind}:${app}.${service}:${epoch}`;
