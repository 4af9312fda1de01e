/**
 * Where a text stops being JSON. V8 names the place in some of its messages only, and quotes an excerpt in others, which may hold a secret; whether a
 * *prefix* can still become JSON is all that is asked of it.
 */

export interface JsonFault {
  /** 1-based. */
  readonly line: number;
  readonly column: number;
  /** What stands there; null = the text ends too early. */
  readonly character: string | null;
}

/** For a text that `JSON.parse` refuses. About 18 parses of a text of 256 KiB. */
export function findJsonFault(text: string): JsonFault {
  let hopeful = 0;
  let hopeless = text.length + 1;
  while (hopeless - hopeful > 1) {
    const middle = (hopeful + hopeless) >>> 1;
    if (mayBecomeJson(text.slice(0, middle))) hopeful = middle;
    else hopeless = middle;
  }
  const lines = text.slice(0, hopeful).split('\n');
  const column = [...(lines.at(-1) ?? '')].length + 1;
  return { line: lines.length, column, character: hopeful === text.length ? null : (text[hopeful] ?? null) };
}

/** True for complete texts and for those of which only the end is missing. */
function mayBecomeJson(prefix: string): boolean {
  try {
    JSON.parse(prefix);
    return true;
  } catch (error) {
    const { message } = error as SyntaxError;
    return /^(Unexpected end|Unterminated)/.test(message) || message.includes(`at position ${prefix.length} `);
  }
}
