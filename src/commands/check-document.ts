/** Everything that must hold before a document may change an app: checked when it is accepted, and again when it is applied. */
import type { Problem } from '../model/problem.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { PoolRow } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import type { StateStore } from '../ports/state-store.ts';
import { type ParsedApp, parseApp } from '../spec/parse-app.ts';

export type DocumentFault =
  | {
      readonly kind: 'invalid';
      readonly reason: 'InvalidDocument' | 'UnknownPool';
      readonly problems: readonly Problem[];
    }
  | { readonly kind: 'port'; readonly error: PortError };

export async function checkDocument(
  store: Pick<StateStore, 'readPools'>,
  app: string,
  document: unknown,
): Promise<Result<ParsedApp, DocumentFault>> {
  const parsed = parseApp(document);
  if (!parsed.ok) return err({ kind: 'invalid', reason: 'InvalidDocument', problems: parsed.error });
  if (parsed.value.app.name !== app) {
    const problem = `the document names the app ${parsed.value.app.name}, but was sent for ${app}.`;
    const remedy = `Write \`name: ${app}\`, or send it for ${parsed.value.app.name}.`;
    const problems: Problem[] = [{ severity: 'error', path: 'name', problem, remedy }];
    return err({ kind: 'invalid', reason: 'InvalidDocument', problems });
  }
  if (parsed.value.app.pools.length === 0) return parsed;
  const pools = await knownPools(store);
  if (!pools.ok) return err({ kind: 'port', error: pools.error });
  const unknown = unknownPools(parsed.value.app.pools, pools.value);
  return unknown.length === 0 ? parsed : err({ kind: 'invalid', reason: 'UnknownPool', problems: unknown });
}

/** No pool at all means that this installation has not recorded its configuration yet: nothing can be said of a name. */
async function knownPools(store: Pick<StateStore, 'readPools'>): Promise<Result<readonly PoolRow[], PortError>> {
  const rows = await store.readPools();
  if (!rows.ok) return rows;
  const pools = rows.value.filter((pool) => !pool.retired);
  if (pools.length > 0) return ok(pools);
  const message = 'the pools of this installation are not recorded yet';
  return err({ kind: 'Unavailable', code: null, message, retryAfterMs: 5_000 });
}

function unknownPools(wanted: readonly string[], pools: readonly PoolRow[]): readonly Problem[] {
  const known = pools.toSorted((a, b) => a.order - b.order).map(({ pool }) => pool);
  return wanted.flatMap((pool, index): Problem[] =>
    known.includes(pool)
      ? []
      : [
          {
            severity: 'error',
            path: `x-flotilla.pools[${index}]`,
            problem: `there is no pool ${pool}.`,
            remedy: `Name one of: ${known.join(', ')}.`,
          },
        ],
  );
}
