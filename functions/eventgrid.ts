/** Events about container groups, of ARM or of whoever knows more (docs/events.md). Hints: what they say is looked up. */
import { app } from '@azure/functions';
import * as df from 'durable-functions';
import { names } from '../src/model/names.ts';
import { flotilla } from '../src/wiring.ts';

app.eventGrid(names.groupEvents, {
  extraInputs: [df.input.durableClient()],
  handler: (event, context) => flotilla().events(event, context),
});
