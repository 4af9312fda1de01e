/** Reads what arrives on the command queue: our own hints, and whole commands from other systems. Strict: what is not understood is refused. */
import { z } from 'zod';
import { namePattern } from '../model/limits.ts';
import { err, ok, type Result } from '../model/result.ts';

const app = z.string().regex(namePattern, 'must be an app name');
/** Printable ASCII without blanks, as for the HTTP header. */
export const idempotencyKeyPattern = /^[\x21-\x7e]{1,128}$/;
const idempotencyKey = z.string().regex(idempotencyKeyPattern, 'must be 1-128 printable ASCII characters');

const hint = z.strictObject({ app, operationId: z.string().regex(/^[0-9a-f]{32}$/, 'must be an operation id') });
const wholeCommand = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('apply'), app, idempotencyKey, document: z.unknown() }),
  z.strictObject({ command: z.literal('delete'), app, idempotencyKey, confirm: z.string().max(64).optional() }),
]);
/** Enough of a malformed command to record it in an operation that its sender can ask for. */
const addressed = z.object({ app, idempotencyKey });

type Hint = z.infer<typeof hint>;
export type WholeCommand = z.infer<typeof wholeCommand>;

export type Message =
  | { readonly kind: 'hint'; readonly hint: Hint }
  | { readonly kind: 'command'; readonly command: WholeCommand };

export interface Poison {
  /** What is wrong with it, without its values: they may be secret. */
  readonly faults: readonly { readonly path: string; readonly problem: string }[];
  readonly addressed: { readonly app: string; readonly idempotencyKey: string } | null;
}

/** `body` as the trigger hands it over: an object, or text that was not JSON. */
export function readMessage(body: unknown): Result<Message, Poison> {
  const isCommand = typeof body === 'object' && body !== null && !('operationId' in body);
  const parsed = isCommand ? wholeCommand.safeParse(body) : hint.safeParse(body);
  if (!parsed.success) {
    const address = addressed.safeParse(body);
    return err({ faults: parsed.error.issues.map(faultOf), addressed: address.success ? address.data : null });
  }
  return ok(
    'operationId' in parsed.data ? { kind: 'hint', hint: parsed.data } : { kind: 'command', command: parsed.data },
  );
}

const faultOf = ({ path, message }: z.core.$ZodIssue) => ({ path: path.map(String).join('.'), problem: message });
