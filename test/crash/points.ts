/** Where a crash strikes: recognised by what is committed, not by the time that passed. */
import type { ProcessName } from '../../src/local/platform.ts';
import type { Sight } from './ledger.ts';

export interface Point {
  /** Completes the sentence "killed …". */
  readonly name: string;
  readonly victims: readonly ProcessName[];
  readonly when: (sight: Sight) => boolean;
  /** The command comes over Service Bus, from a sender that wants to be told of its outcome. */
  readonly asks?: true;
  /** ARM takes its time to answer this, having accepted it. */
  readonly slow?: 'create' | 'delete';
  /** Kills the same ones again at these later sights. */
  readonly again?: readonly ((sight: Sight) => boolean)[];
}

const host: readonly ProcessName[] = ['host'];
const broker: readonly ProcessName[] = ['broker'];
const world: readonly ProcessName[] = ['world'];
const all: readonly ProcessName[] = ['host', 'broker', 'world'];

const event =
  (type: string, count = 1) =>
  (sight: Sight): boolean =>
    (sight.events.get(type) ?? 0) >= count;
const arm =
  (action: string, count = 1) =>
  (sight: Sight): boolean =>
    (sight.arm.get(action) ?? 0) >= count;
const instance =
  (name: string, count = 1) =>
  (sight: Sight): boolean =>
    (sight.instances.get(name) ?? 0) >= count;
/** Claims of services by workflows: a teardown takes a service over whose deployment still watches its rollout. */
const claimed =
  (count: number) =>
  ({ events }: Sight): boolean =>
    (events.get('WorkflowStarted') ?? 0) + (events.get('WorkflowReplaced') ?? 0) >= count;
const operation = (count: number) => (sight: Sight) => sight.operations >= count;
const queued = (sight: Sight) => sight.messages > 0;

const owed = (sight: Sight) => sight.owed > 0;
const answered = (sight: Sight) => sight.answers > 0;

/** Of the first `apply` of an app that did not exist. */
export const deploymentPoints: readonly Point[] = [
  { name: 'between the op row and its message', victims: host, when: operation(1) },
  { name: 'between the op row and its message', victims: all, when: operation(1) },
  { name: 'when the message is in the queue', victims: broker, when: queued },
  { name: 'when the message is in the queue', victims: ['broker', 'host'], when: queued },
  { name: 'between the message and its completion', victims: host, when: event('OperationApplied') },
  { name: 'between the message and its completion', victims: broker, when: event('OperationApplied') },
  { name: 'when the message is completed', victims: all, when: (s) => event('OperationApplied')(s) && !queued(s) },
  { name: 'between claim and start of the workflows', victims: host, when: event('WorkflowStarted') },
  { name: 'when both workflows run', victims: world, when: instance('deployment', 2) },
  { name: 'when a pass has committed its plan', victims: host, when: event('ReplicaPlanned') },
  { name: 'before ARM hears of the create', victims: host, when: event('GroupCreating') },
  { name: 'before ARM hears of the create', victims: ['host', 'world'], when: event('GroupCreating') },
  { name: 'when ARM has accepted the create and not answered', victims: host, when: arm('create'), slow: 'create' },
  { name: 'when ARM has accepted the create and not answered', victims: world, when: arm('create'), slow: 'create' },
  { name: 'when ARM has accepted the create and not answered', victims: all, when: arm('create'), slow: 'create' },
  { name: 'when the first group is recorded', victims: all, when: event('GroupCreated') },
  { name: 'when the dependency is ready', victims: host, when: event('ReplicaReady') },
  { name: 'while two creates of a service are under way', victims: host, when: event('GroupCreating', 3) },
  { name: 'when one of two creates is accepted', victims: ['host', 'world'], when: arm('create', 2), slow: 'create' },
  { name: 'when the last group is recorded', victims: world, when: event('GroupCreated', 3) },
  { name: 'before the app is seen converged', victims: host, when: event('WorkflowEnded', 2) },
  {
    name: 'again and again',
    victims: host,
    when: operation(1),
    again: [event('WorkflowStarted'), event('GroupCreating'), event('ReplicaReady'), event('GroupCreated', 3)],
  },
  {
    name: 'again and again, all at once',
    victims: all,
    when: queued,
    again: [event('ReplicaPlanned'), event('GroupCreated'), event('ReplicaReady', 2)],
  },
];

/** Of the `delete` of the app that then stands. */
export const teardownPoints: readonly Point[] = [
  { name: 'between the op row and its message', victims: host, when: operation(2) },
  { name: 'between the op row and its message', victims: broker, when: operation(2) },
  { name: 'between the message and its completion', victims: all, when: event('OperationApplied', 2) },
  { name: 'between the message and its completion', victims: host, when: event('OperationApplied', 2) },
  { name: 'between claim and start of the workflows', victims: host, when: claimed(3) },
  { name: 'when both workflows run', victims: ['broker', 'world'], when: instance('teardown', 2) },
  { name: 'when the first replica drains', victims: all, when: event('ReplicaDraining') },
  { name: 'when every replica drains', victims: world, when: event('ReplicaDraining', 3) },
  { name: 'before ARM hears of the delete', victims: host, when: event('GroupDeleting') },
  { name: 'before ARM hears of the delete', victims: world, when: event('GroupDeleting') },
  { name: 'when ARM has accepted the delete and not answered', victims: host, when: arm('delete'), slow: 'delete' },
  { name: 'when ARM has accepted the delete and not answered', victims: all, when: arm('delete'), slow: 'delete' },
  { name: 'when one group is gone', victims: host, when: arm('gone') },
  { name: 'when one group is gone', victims: ['host', 'world'], when: arm('gone') },
  { name: 'when the last group is gone', victims: world, when: arm('gone', 3) },
  { name: 'when one replica is recorded gone', victims: host, when: event('ReplicaGone') },
  {
    name: 'before the app is seen deleted',
    victims: host,
    when: (sight) => event('ReplicaGone', 3)(sight) && event('WorkflowEnded', 2)(sight),
  },
  {
    name: 'again and again',
    victims: all,
    when: operation(2),
    again: [claimed(3), event('ReplicaDraining'), event('GroupDeleting'), event('ReplicaGone')],
  },
  { name: 'when a reply is owed and nothing else is done', victims: host, when: owed, asks: true },
  { name: 'when a reply is owed and nothing else is done', victims: ['broker', 'world'], when: owed, asks: true },
  { name: 'between the reply and the note that it was sent', victims: host, when: answered, asks: true },
  { name: 'between the reply and the note that it was sent', victims: broker, when: answered, asks: true },
  {
    name: 'again and again while it owes a reply',
    victims: all,
    when: owed,
    again: [event('OperationApplied', 2)],
    asks: true,
  },
];
