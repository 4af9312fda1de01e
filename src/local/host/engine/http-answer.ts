/** What callHttp's polling looks at in an answer. Pure. */

export interface PollableAnswer {
  readonly statusCode: number;
  readonly location: string | undefined;
  readonly retryAfterMs: number | undefined;
}

/** `result` is the JSON text of the built-in HTTP activity. */
export function pollableAnswer(result: string | null): PollableAnswer | undefined {
  if (result === null) return undefined;
  const { statusCode, headers } = JSON.parse(result) as { statusCode: number; headers: Record<string, string> };
  const header = (name: string) => Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  const seconds = header('retry-after');
  return {
    statusCode,
    location: header('location'),
    retryAfterMs: seconds !== undefined && /^\d+$/.test(seconds) ? Number(seconds) * 1000 : undefined,
  };
}
