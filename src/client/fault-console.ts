/**
 * Typed client of the fault console of an embedded platform: part of no Azure service and not of our own API. The platform says itself what it can do, so
 * that the CLI knows no fault by name.
 */
import { z } from 'zod';
import { err, ok, type Result } from '../model/result.ts';

const argumentSchema = z.object({
  name: z.string(),
  /** What to give, for people. */
  form: z.string(),
  help: z.string(),
  /** What it is without; absent = it must be given. Empty: it is left out. */
  fallback: z.string().optional(),
  /** What there is to choose from now. */
  choices: z.array(z.string()),
});

const viewSchema = z.object({
  catalogue: z.array(
    z.object({
      name: z.string(),
      about: z.string(),
      does: z.string(),
      lasts: z.string(),
      example: z.string(),
      arguments: z.array(argumentSchema),
    }),
  ),
  active: z.array(z.object({ id: z.string(), what: z.string() })),
});

export type ConsoleView = z.output<typeof viewSchema>;
export type CataloguedFault = ConsoleView['catalogue'][number];
export type ConsoleArgument = CataloguedFault['arguments'][number];

/** `unreachable`: no fault console answers there. `refused`: it said why. */
export interface ConsoleError {
  readonly kind: 'unreachable' | 'refused';
  readonly message: string;
}

export interface FaultConsole {
  view(): Promise<Result<ConsoleView, ConsoleError>>;
  /** The name of a fault and its arguments; the result is a sentence. */
  inject(words: readonly string[]): Promise<Result<string, ConsoleError>>;
  /** One, or all for `null`. */
  clear(id: string | null): Promise<Result<string, ConsoleError>>;
}

const doneSchema = z.object({ done: z.string() });
const refusalSchema = z.object({ error: z.string() });

/** @param options.baseUrl without `/control`. */
export function createFaultConsole(options: { readonly baseUrl: string; readonly fetch: typeof fetch }): FaultConsole {
  const call = async <T>(method: string, path: string, schema: z.ZodType<T>, body?: unknown) => {
    try {
      const answer = await options.fetch(`${options.baseUrl}/control/console${path}`, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(10_000),
      });
      return read(await answer.json(), schema);
    } catch (error) {
      return err<ConsoleError>({ kind: 'unreachable', message: causeOf(error) });
    }
  };
  const say = async (
    result: Promise<Result<{ done: string }, ConsoleError>>,
  ): Promise<Result<string, ConsoleError>> => {
    const told = await result;
    return told.ok ? ok(told.value.done) : told;
  };
  return {
    view: () => call('GET', '', viewSchema),
    inject: (words) => say(call('POST', '', doneSchema, { words })),
    clear: (id) => say(call('DELETE', id === null ? '' : `/${encodeURIComponent(id)}`, doneSchema)),
  };
}

function read<T>(body: unknown, schema: z.ZodType<T>): Result<T, ConsoleError> {
  const wanted = schema.safeParse(body);
  if (wanted.success) return ok(wanted.data);
  const refusal = refusalSchema.safeParse(body);
  if (refusal.success) return err({ kind: 'refused', message: refusal.data.error });
  return err({ kind: 'unreachable', message: 'something else answers there' });
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
