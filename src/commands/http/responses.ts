/** Answers of the HTTP API: JSON, and `application/problem+json` (RFC 9457) for every refusal. */
import type { HttpResponseInit } from '@azure/functions';
import type { ApiProblem } from '../../model/api.ts';
import type { Problem } from '../../model/problem.ts';
import type { PortError } from '../../ports/errors.ts';

const titles = {
  badQuery: [400, 'Unknown or malformed query parameter'],
  badKey: [400, 'Malformed Idempotency-Key'],
  malformedJson: [400, 'Malformed JSON'],
  notFound: [404, 'No such resource'],
  protected: [409, 'The app is protected'],
  notRunning: [409, 'The container does not run'],
  inUse: [409, 'The secret is in use'],
  planOutdated: [409, 'The plan is outdated'],
  methodNotAllowed: [405, 'Method not allowed'],
  tooLarge: [413, 'Document too large'],
  wrongMediaType: [415, 'Unsupported media type'],
  invalidDocument: [422, 'The document was refused'],
  keyReused: [422, 'Idempotency-Key used for another command'],
  internal: [500, 'Internal error'],
  unavailable: [503, 'Not available at the moment'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemType = keyof typeof titles;

export const json = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponseInit => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  body: JSON.stringify(body),
});

export interface ProblemFacts {
  readonly problems?: readonly Problem[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** `type` is a URN, because there is no page to point at yet. */
export function problem(type: ProblemType, detail: string, { problems, headers }: ProblemFacts = {}): HttpResponseInit {
  const [status, title] = titles[type];
  const body: ApiProblem = {
    type: `urn:flotilla:problem:${type}`,
    title,
    status,
    detail,
    ...(problems && { problems }),
  };
  return json(status, body, { 'content-type': 'application/problem+json', ...headers });
}

export const noSuchApp = (app: string): HttpResponseInit => problem('notFound', `There is no app «${app}».`);

/** A store or bus that does not answer. The message names rows and tables, never their content. */
export function unavailable({ message, retryAfterMs, kind }: PortError): HttpResponseInit {
  if (kind === 'Invalid') return problem('internal', message);
  const seconds = Math.max(1, Math.ceil((retryAfterMs ?? 0) / 1000));
  return problem('unavailable', message, { headers: { 'retry-after': String(seconds) } });
}
