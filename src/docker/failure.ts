/** What went wrong with a request to the engine. */

/** The engine's own words, without what the client puts around them. */
export function engineMessage(error: unknown): string {
  const { json, message } = error as { json?: { message?: string } | null; message?: string };
  return json?.message ?? (message ?? String(error)).replace(/^\(HTTP code \d+\) [^-]*- /, '').trim();
}

/** HTTP status of a refusal; undefined = the engine was not reached. */
export const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode;

/** Resolves also when the engine answers with one of `statuses`: what was wanted is so already. */
export async function unless<T>(statuses: readonly number[], work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (statuses.includes(statusOf(error) ?? 0)) return undefined;
    throw error;
  }
}
