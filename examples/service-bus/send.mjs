// Sends one command over Service Bus and waits for its outcome:
//   export FLOTILLA_SERVICEBUS='<connection string>'
//   node examples/service-bus/send.mjs apply shop document.json
//   node examples/service-bus/send.mjs delete shop
// Prints the outcome; exit code 0 when the command was applied, 1 when it was rejected or superseded, 2 when nothing came within a minute.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ServiceBusClient } from '@azure/service-bus';

const [command = '', app = '', file = ''] = process.argv.slice(2);
const connection = process.env['FLOTILLA_SERVICEBUS'];
if (!connection || !app || (command !== 'delete' && !(command === 'apply' && file))) {
  console.error('usage: FLOTILLA_SERVICEBUS=… node send.mjs apply APP FILE | delete APP');
  process.exit(64);
}

// The key makes sending again safe: after a lost connection, send the same command under the same key.
const idempotencyKey = process.env['IDEMPOTENCY_KEY'] ?? randomUUID();
const document = command === 'apply' ? { document: JSON.parse(readFileSync(file, 'utf8')) } : {};
const messageId = randomUUID();
const replyTo = process.env['FLOTILLA_REPLY_QUEUE'] ?? 'flotilla-replies';

const client = new ServiceBusClient(connection);
try {
  await client.createSender('flotilla-commands').sendMessages({
    messageId,
    // The queue requires it: the commands of an app are one session.
    sessionId: app,
    contentType: 'application/json',
    body: { command, app, idempotencyKey, ...document },
    replyTo,
  });
  // Without a replyToSessionId the reply waits in a session named like the message.
  const replies = await client.acceptSession(replyTo, messageId);
  const [reply] = await replies.receiveMessages(1, { maxWaitTimeInMs: 60_000 });
  if (!reply || reply.correlationId !== messageId) {
    console.error(`no outcome within a minute; the command was sent under the key ${idempotencyKey}`);
    process.exitCode = 2;
  } else {
    await replies.completeMessage(reply);
    console.log(JSON.stringify(reply.body, null, 2));
    process.exitCode = reply.body.state === 'applied' ? 0 : 1;
  }
} finally {
  await client.close();
}
