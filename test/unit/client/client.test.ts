import { describe, expect, it } from 'vitest';
import { createClient } from '../../../src/client/client.ts';

const info = { name: 'flotilla', version: '0.1.0', installation: 'test' };
const json = (status: number, body: unknown) => () => Response.json(body, { status });
const text = (status: number, body: string) => () => new Response(body, { status });
const lost = () => {
  throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:7071') });
};

/** Answers in turn; the last one stays. */
function client(...answers: readonly (() => Response)[]) {
  const requests: { readonly method: string; readonly url: string; readonly key: string | null }[] = [];
  const fetchAnswer = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const answer = answers[Math.min(requests.length, answers.length - 1)] ?? lost;
    const key = new Headers(init?.headers).get('idempotency-key');
    requests.push({ method: init?.method ?? '', url: String(url), key });
    return answer();
  };
  const waits: number[] = [];
  const sleep = async (ms: number) => void waits.push(ms);
  return { ...createClient({ baseUrl: 'http://api/', fetch: fetchAnswer, sleep }), requests, waits };
}

describe('the client of the API', () => {
  it('repeats a command that may have been lost, with the same key', async () => {
    const { apply, requests } = client(lost, text(503, ''), json(202, { id: '1' }));
    expect(await apply('shop', {}, 'key-1')).toEqual({ ok: true, value: { id: '1' } });
    expect(requests).toEqual(Array(3).fill({ method: 'PUT', url: 'http://api/api/v1/apps/shop', key: 'key-1' }));
  });

  it('gives up after a while and says what happened beneath', async () => {
    const { app, requests, waits } = client(lost);
    const message = 'http://api/api/v1/apps/shop: connect ECONNREFUSED 127.0.0.1:7071';
    expect(await app('shop')).toEqual({ ok: false, error: { kind: 'unreachable', message } });
    expect(requests.length).toBe(4);
    expect(waits).toEqual([400, 800, 1600]);
  });

  it('takes a refusal as an answer', async () => {
    const problem = { type: 't', title: 'No such resource', status: 404, detail: 'There is no app «shop».' };
    const { app, requests } = client(json(404, problem));
    expect(await app('shop')).toEqual({ ok: false, error: { kind: 'refused', problem } });
    expect(requests.length).toBe(1);
  });

  it.each([
    { name: 'a page', answer: text(404, '<html>Not Found</html>') },
    { name: 'a page with status 200', answer: text(200, '<html>Welcome</html>') },
    { name: 'JSON of another service', answer: json(200, { name: 'grafana' }) },
    { name: 'JSON that is no object', answer: json(200, null) },
    { name: 'an error of another service', answer: json(404, { message: 'no route' }) },
  ])('knows that $name is not from Flotilla', async ({ answer }) => {
    expect(await client(answer).info()).toMatchObject({ ok: false, error: { kind: 'foreign' } });
  });

  it('tells a key that is missing or wrong from everything else', async () => {
    const { info: ask, requests } = client(text(401, ''));
    expect(await ask()).toMatchObject({ ok: false, error: { kind: 'unauthorized' } });
    expect(requests.length).toBe(1);
  });

  it('sends its key with each request, and none where it has none', async () => {
    const sent: (string | null)[] = [];
    const fetchAnswer = async (_: unknown, init?: RequestInit) => {
      sent.push(new Headers(init?.headers).get('x-functions-key'));
      return Response.json(info);
    };
    const shared = { baseUrl: 'http://api', fetch: fetchAnswer, sleep: async () => undefined };
    await createClient({ ...shared, key: 'secret' }).info();
    await createClient(shared).info();
    expect(sent).toEqual(['secret', null]);
  });

  it('recognises the API', async () => {
    expect(await client(json(200, info)).info()).toEqual({ ok: true, value: info });
  });
});
