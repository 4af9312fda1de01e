import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadApp } from '../../src/local/host/core.ts';
import { createFunctionsHost } from '../../src/local/host/functions-host.ts';
import { registrationList } from '../../src/local/host/registrations.ts';
import { HostStartError } from '../../src/local/host/start-error.ts';

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
const bus = 'Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true';

async function problemsOf(appDir: string, settings: Record<string, string>) {
  try {
    await (await createFunctionsHost({ appDir, port: 0, settings, log: () => undefined })).close();
  } catch (error) {
    if (error instanceof HostStartError) return error.problems;
    throw error;
  }
  return [];
}

describe('starting the host', () => {
  it('refuses everything it does not serve, by name, all at once, with remedies', async () => {
    const problems = await problemsOf(fixture('refused-app'), { BUS: bus, MALFORMED: 'secret-and-wrong' });
    expect(problems.map(({ path, problem }) => `${path}: ${problem}`).sort()).toEqual([
      'function "badSchedule": schedule "61 * * * * *": "61" is not valid in the second field (0 to 59)',
      'function "batch": cardinality "many" is not supported',
      'function "blob": trigger "blobTrigger" is not supported',
      'function "constrained": route "api/x/{at:datetime}": constraint ":datetime" is not supported (int, alpha, guid are)',
      'function "cosmos": trigger "cosmosDBTrigger" is not supported',
      'function "hub": trigger "eventHubTrigger" is not supported',
      'function "keyed": authLevel "system" is not known',
      'function "malformed": connection "MALFORMED" is no Service Bus connection string',
      'function "noConnection": connection "MISSING" has no value',
      'function "noSetting": queueName refers to the setting %NO_QUEUE%, which has no value',
      'function "retried": a retry policy on a Service Bus trigger is not supported (by Azure neither)',
      'function "retrying": a retry policy is not supported',
      'function "storageQueue": trigger "queueTrigger" is not supported',
      'function "topic": topics are not supported',
      'function "topicWriter": an output to a topic is not supported',
      'function "twin2": route "x/{b}" is taken by "x/{a}" of another function',
      'function "writer": output "queue" is not supported',
    ]);
    for (const { remedy } of problems) expect(remedy).not.toBe('');
    expect(JSON.stringify(problems)).not.toContain('secret');
  });

  it('refuses timers in another time zone than UTC', async () => {
    const settings = { HOURLY: '0 0 * * * *', WEBSITE_TIME_ZONE: 'W. Europe Standard Time' };
    const problems = await problemsOf(fixture('timer-app'), settings);
    expect(problems).toHaveLength(4);
    expect(problems[0]?.problem).toContain('WEBSITE_TIME_ZONE "W. Europe Standard Time"');
  });

  it('says in one message which file failed, and why', async () => {
    await expect(createFunctionsHost({ appDir: fixture('throwing-app'), port: 0 })).rejects.toThrow(
      /broken\.js.*configuration is missing/,
    );
  });
});

describe('the registration list', () => {
  it('is one stable line per function with the options that matter', async () => {
    expect(registrationList(await loadApp({ appDir: fixture('queue-app') }))).toEqual([
      'deadLetters: serviceBusTrigger(connection="BUS" queueName="plain/$DeadLetterQueue")',
      'plain: serviceBusTrigger(connection="BUS" queueName="%PLAIN_QUEUE%")',
      'sessions: serviceBusTrigger(connection="BUS" isSessionsEnabled=true queueName="sessions")',
    ]);
    expect(registrationList(await loadApp({ appDir: fixture('cjs-app') }))).toEqual([
      'double: activityTrigger',
      'fromCommonJs: httpTrigger(authLevel="anonymous" methods=GET,POST) -> http',
      'twice: orchestrationTrigger',
    ]);
  });
});
