/**
 * A small Node app for the Docker tests, driven by its environment. It serves HTTP on PORT (default 8080) with who it is, counts in the
 * Redis at REDIS_HOST if there is one, prints a line at every start, and misbehaves as the stand-ins' catalogue words it.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';

const { env } = process;
const port = Number(env.PORT ?? 8080);
const seconds = (name) => (env[name] === undefined ? undefined : Number(env[name]) * 1000);

console.log('stand-in for flotilla/http');
for (const line of (env.STANDIN_LOG ?? '').split('\n')) if (line !== '') console.log(line);
writeFileSync('/tmp/alive', '');

process.on('SIGTERM', () => {
  console.log('asked to end');
  process.exit(Number(env.EXIT_ON_TERM ?? 0));
});

const crashAfterMs = seconds('STANDIN_CRASH_AFTER_S');
if (crashAfterMs !== undefined) setTimeout(() => process.exit(Number(env.STANDIN_EXIT_CODE ?? 1)), crashAfterMs);
const hangAfterMs = seconds('STANDIN_HANG_AFTER_S');
if (hangAfterMs !== undefined) {
  setTimeout(() => {
    for (;;); // answers nothing, and no signal
  }, hangAfterMs);
}
if (env.EAT_MIB !== undefined) {
  const eaten = [];
  setInterval(() => eaten.push(Buffer.alloc(16 * 1024 ** 2, 1)), 10);
}

/** One inline command to Redis and its reply. */
const redis = (command) =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(env.REDIS_PORT ?? 6379), env.REDIS_HOST);
    socket.setTimeout(1_000, () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
    socket.once('data', (data) => {
      resolve(data.toString().trim());
      socket.destroy();
    });
    socket.write(`${command}\r\n`);
  });

if (env.REDIS_HOST) {
  setInterval(
    () =>
      redis('INCR ticks').then(
        (reply) => console.log(`counted ${reply}`),
        (error) => console.log(`cannot count: ${error.message}`),
      ),
    500,
  );
}

createServer((request, response) => {
  const body = { service: env.FLOTILLA_SERVICE, greeting: env.GREETING, secret: env.PASSWORD, path: request.url };
  if (request.url === '/marker') body.marker = existsSync('/tmp/marker');
  if (request.url === '/mark') writeFileSync('/tmp/marker', '');
  if (request.url === '/exit') setTimeout(() => process.exit(3), 10);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}).listen(port, () => console.log(`ready, listening on http ${port}`));
