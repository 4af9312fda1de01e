/** The safety nets: every 30 s, every 15 min, daily at 03:17 UTC. */
import { app } from '@azure/functions';
import * as df from 'durable-functions';
import { flotilla } from '../src/wiring.ts';

const extraInputs = [df.input.durableClient()];

app.timer('resync', {
  schedule: '*/30 * * * * *',
  extraInputs,
  handler: (timer, context) => flotilla().timers.resync(timer, context),
});
app.timer('scan', {
  schedule: '0 */15 * * * *',
  extraInputs,
  handler: (timer, context) => flotilla().timers.scan(timer, context),
});
app.timer('purge', {
  schedule: '0 17 3 * * *',
  extraInputs,
  handler: (timer, context) => flotilla().timers.purge(timer, context),
});
