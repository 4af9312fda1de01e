/** Command queue and its dead-letter queue. One session per app keeps the commands of an app apart from those of others, and in order. */
import { app } from '@azure/functions';
import * as df from 'durable-functions';
import { names } from '../src/model/names.ts';
import { flotilla } from '../src/wiring.ts';

const connection = 'FLOTILLA_SERVICEBUS';
const extraInputs = [df.input.durableClient()];

app.serviceBusQueue('commands', {
  connection,
  queueName: names.queue,
  isSessionsEnabled: true,
  extraInputs,
  handler: (body, context) => flotilla().queue.message(body, context),
});

// The dead-letter queue of a queue with sessions has none.
app.serviceBusQueue('commandDeadLetters', {
  connection,
  queueName: `${names.queue}/$DeadLetterQueue`,
  extraInputs,
  handler: (body, context) => flotilla().queue.deadLetter(body, context),
});
