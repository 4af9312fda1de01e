/** Everything that must hold before a document may change an app: checked when it is accepted, and again when it is applied. */
import { impossibleRules } from '../decide/placement/impossible.ts';
import type { AppSpec, ServiceSpec } from '../model/app-spec.ts';
import type { Problem } from '../model/problem.ts';
import { err, ok, type Result } from '../model/result.ts';
import type { PoolRow } from '../model/state.ts';
import type { PortError } from '../ports/errors.ts';
import { bindSecrets } from '../spec/bind-secrets.ts';
import { type ParsedApp, parseApp } from '../spec/parse-app.ts';
import { referencesOf } from '../spec/references.ts';
import type { CommandPorts } from './ports.ts';

export type DocumentFault =
  | {
      readonly kind: 'invalid';
      readonly reason: 'InvalidDocument' | 'UnknownPool' | 'NoFeasiblePool';
      readonly problems: readonly Problem[];
    }
  | { readonly kind: 'port'; readonly error: PortError };

/**
 * The value has the versions of its secrets. @param purpose for a preview a version need not be stored yet: it is sent once people have seen what it
 * would change
 */
export async function checkDocument(
  ports: Pick<CommandPorts, 'pools' | 'secrets'>,
  app: string,
  document: unknown,
  purpose: 'apply' | 'preview' = 'apply',
): Promise<Result<ParsedApp, DocumentFault>> {
  const parsed = parseApp(document);
  if (!parsed.ok) return err({ kind: 'invalid', reason: 'InvalidDocument', problems: parsed.error });
  if (parsed.value.app.name !== app) {
    const problem = `the document names the app ${parsed.value.app.name}, but was sent for ${app}.`;
    const remedy = `Write \`name: ${app}\`, or send it for ${parsed.value.app.name}.`;
    const problems: Problem[] = [{ severity: 'error', path: 'name', problem, remedy }];
    return err({ kind: 'invalid', reason: 'InvalidDocument', problems });
  }
  const placed = await checkPools(ports, parsed.value.app);
  if (!placed.ok) return placed;
  const bound = await lookUpSecrets(ports, app, parsed.value.app, purpose);
  return bound.ok ? ok({ ...parsed.value, app: bound.value }) : bound;
}

async function checkPools(ports: Pick<CommandPorts, 'pools'>, spec: AppSpec): Promise<Result<void, DocumentFault>> {
  if (spec.pools.length === 0 && spec.services.every(({ placement }) => placement === undefined)) return ok(undefined);
  const pools = await knownPools(ports);
  if (!pools.ok) return err({ kind: 'port', error: pools.error });
  const unknown = unknownPools(spec.pools, pools.value);
  if (unknown.length > 0) return err({ kind: 'invalid', reason: 'UnknownPool', problems: unknown });
  const unmet = spec.services.flatMap((service) => unmetRules(service, spec.pools, pools.value));
  return unmet.length === 0 ? ok(undefined) : err({ kind: 'invalid', reason: 'NoFeasiblePool', problems: unmet });
}

async function lookUpSecrets(
  { secrets }: Pick<CommandPorts, 'secrets'>,
  app: string,
  spec: AppSpec,
  purpose: 'apply' | 'preview',
): Promise<Result<AppSpec, DocumentFault>> {
  if (referencesOf(spec).length === 0) return ok(spec);
  const facts = await secrets.list(app);
  if (!facts.ok) return err({ kind: 'port', error: facts.error });
  const bound = bindSecrets(spec, facts.value, purpose === 'preview');
  return bound.ok ? bound : err({ kind: 'invalid', reason: 'InvalidDocument', problems: bound.error });
}

/** Without any pool nothing can be said of a name: that is for the operator to mend, not for the writer of the document. */
async function knownPools(ports: Pick<CommandPorts, 'pools'>): Promise<Result<readonly PoolRow[], PortError>> {
  const rows = await ports.pools();
  if (!rows.ok) return rows;
  const pools = rows.value.filter((pool) => !pool.retired);
  if (pools.length > 0) return ok(pools);
  const message = 'this installation has no pools: its pools file names none';
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

/** Rules that no pool of this installation meets, whatever room there is: better said now than waited for. */
function unmetRules(
  { name, placement }: ServiceSpec,
  allowed: readonly string[],
  pools: readonly PoolRow[],
): readonly Problem[] {
  if (placement === undefined) return [];
  return impossibleRules(placement, allowed, pools).map(({ rule, problem, remedy }) => ({
    severity: 'error',
    path: `services.${name}.${rule}`,
    problem,
    remedy,
  }));
}
