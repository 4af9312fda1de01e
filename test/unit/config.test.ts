/** What is refused, how it is told, and what is never repeated: a value in the wrong setting may be a secret. */
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';

const good = {
  FLOTILLA_INSTALLATION: 'test',
  FLOTILLA_TABLES_ENDPOINT: 'https://shop.table.core.windows.net/',
  FLOTILLA_SERVICEBUS__fullyQualifiedNamespace: 'shop.servicebus.windows.net',
};

function problemsOf(over: Readonly<Record<string, string | undefined>>): readonly string[] {
  try {
    readConfig({ ...good, ...over });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

const secret = 'c2VjcmV0LWtleQ==';
const tables = 'FLOTILLA_TABLES_ENDPOINT';
const arm = 'FLOTILLA_ARM_ENDPOINT';
const namespace = 'FLOTILLA_SERVICEBUS__fullyQualifiedNamespace';

describe('the settings', () => {
  it('are read with their defaults, addresses without their last slash', () => {
    expect(readConfig(good)).toMatchObject({
      tablesEndpoint: 'https://shop.table.core.windows.net',
      armEndpoint: 'https://management.azure.com',
      serviceBus: { fullyQualifiedNamespace: 'shop.servicebus.windows.net' },
    });
  });

  it.each([
    [tables, 'https://127.0.0.1:10002/devstoreaccount1'],
    [arm, 'https://management.usgovcloudapi.net/'],
    [arm, 'https://127.0.0.1:8443'],
  ])('%s may be %s', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([]);
  });

  it.each<[string, string, string | undefined, RegExp]>([
    ['nothing', tables, undefined, /is not set: set it to https:\/\/ACCOUNT\.table\./],
    ['a connection string', tables, `AccountName=shop;AccountKey=${secret}`, /is not an https:\/\/ address.*no key/],
    ['a connection string', arm, `Endpoint=sb://x/;SharedAccessKey=${secret}`, /is not an https:\/\/ address/],
    ['plain HTTP', tables, 'http://shop.table.core.windows.net', /is not an https:\/\/ address.*in the clear/],
    ['a SAS token', tables, `https://shop.table.core.windows.net/?sv=1&sig=${secret}`, /has a query/],
    ['a fragment', tables, `https://shop.table.core.windows.net/#${secret}`, /has a fragment/],
    ['credentials', tables, `https://shop:${secret}@shop.table.core.windows.net`, /has a user name or password/],
    ['a table', tables, `https://shop.table.core.windows.net/a/${secret}`, /has a path/],
    ['a path', arm, `https://management.azure.com/${secret}`, /has a path/],
    ['a query', arm, `https://management.azure.com?code=${secret}`, /has a query/],
    ['no host', tables, `https://?${secret}`, /is not an https:\/\/ address/],
    [
      'a connection string',
      namespace,
      `Endpoint=sb://x/;SharedAccessKey=${secret}`,
      /is not a host name.*to FLOTILLA_SERVICEBUS/,
    ],
    ['an address', namespace, `sb://x.servicebus.windows.net/${secret}`, /is not a host name/],
  ])('%s is refused as %s, with the remedy and without a word of the value', (_, name, value, expected) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(expected);
    expect(problems[0]).toMatch(new RegExp(`^${name} .*: set it`));
    expect(problems[0]).not.toContain(secret);
  });

  it.each([
    [undefined, []],
    ['', []],
    ['answers', ['answers']],
    [' answers , team/Replies,', ['answers', 'team/Replies']],
  ])('reply queues: «%s» lists %j', (value, listed) => {
    expect(readConfig({ ...good, ...(value !== undefined && { FLOTILLA_REPLY_QUEUES: value }) }).replyQueues).toEqual(
      listed,
    );
  });

  it.each([
    ['the command queue, in whatever case', 'answers,Flotilla-Commands', /where commands come in: set it to other/],
    ['its dead letters', 'flotilla-commands/$DeadLetterQueue', /no name of a queue/],
    ['a connection string', `Endpoint=sb://x/;SharedAccessKey=${secret}`, /no name of a queue/],
  ])('take no replies at %s', (_, value, expected) => {
    const problems = problemsOf({ FLOTILLA_REPLY_QUEUES: value });
    expect(problems.join()).toMatch(expected);
    expect(problems.join()).not.toContain(secret);
  });

  it('are all judged at once', () => {
    const all = { FLOTILLA_INSTALLATION: '', [tables]: '', FLOTILLA_CLAIM_LEASE_MS: '0' };
    expect(problemsOf(all)).toHaveLength(3);
  });

  it('let no claim expire under a PUT', () => {
    expect(problemsOf({ FLOTILLA_CLAIM_LEASE_MS: '60000' })).toEqual([expect.stringContaining('greater than')]);
  });
});
