/** Orchestrations and activities. Activities get the durable client as a second input: some of them start or hint other instances. */
import * as df from 'durable-functions';
import { names } from '../src/model/names.ts';
import { app } from '../src/orchestrations/app.ts';
import { deployment } from '../src/orchestrations/deployment.ts';
import { teardown } from '../src/orchestrations/teardown.ts';
import { flotilla } from '../src/wiring.ts';

const { activities, orchestrators } = names;
const extraInputs = [df.input.durableClient()];

df.app.orchestration(orchestrators.app, app);
df.app.orchestration(orchestrators.deployment, deployment);
df.app.orchestration(orchestrators.teardown, teardown);

df.app.activity(activities.assess, {
  extraInputs,
  handler: (input, context) => flotilla().activities(context).assess(input),
});
df.app.activity(activities.startWorkflow, {
  extraInputs,
  handler: (input, context) => flotilla().activities(context).startWorkflow(input),
});
df.app.activity(activities.settle, {
  extraInputs,
  handler: (input, context) => flotilla().activities(context).settle(input),
});
df.app.activity(activities.pass, {
  extraInputs,
  handler: (input, context) => flotilla().activities(context).pass(input),
});
df.app.activity(activities.createGroup, {
  extraInputs,
  handler: (input, context) => flotilla().activities(context).createGroup(input),
});
df.app.activity(activities.deleteGroup, {
  extraInputs,
  handler: (input, context) => flotilla().activities(context).deleteGroup(input),
});
df.app.activity(activities.finish, {
  extraInputs,
  handler: (input, context) => flotilla().activities(context).finish(input),
});
