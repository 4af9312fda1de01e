/** All activities by their registered names. Orchestrations know the type of this object and nothing else of it. */
import { type AssessInput, assess, type SettleInput, settle, startWorkflow } from './assess.ts';
import { type CreateInput, createGroup } from './create-group.ts';
import { type DeleteInput, deleteGroup } from './delete-group.ts';
import { type FinishInput, finish } from './finish.ts';
import { type PassInput, pass } from './pass.ts';
import type { ActivityPorts, ActivitySettings } from './ports.ts';

export const createActivities = (ports: ActivityPorts, settings: ActivitySettings) => ({
  assess: (input: AssessInput) => assess(ports, settings, input),
  startWorkflow: (input: Parameters<typeof startWorkflow>[2]) => startWorkflow(ports, settings, input),
  settle: (input: SettleInput) => settle(ports, settings, input),
  pass: (input: PassInput) => pass(ports, settings, input),
  createGroup: (input: CreateInput) => createGroup(ports, settings, input),
  deleteGroup: (input: DeleteInput) => deleteGroup(ports, settings, input),
  finish: (input: FinishInput) => finish(ports, input),
});

export type Activities = ReturnType<typeof createActivities>;
