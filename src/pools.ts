/** Reads the pools file: where container groups may be placed, in order of preference. Every fault is reported at once, with its path and remedy. */
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { isSamePlace } from './activities/pool-sync.ts';
import type { PoolConfig } from './activities/ports.ts';
import { namePattern } from './model/limits.ts';
import { err, ok, type Result } from './model/result.ts';

const name = z.string().regex(namePattern, 'must be 1-40 of a-z, 0-9 and -');
const poolSchema = z.strictObject({
  name,
  kind: z.literal('aci', 'must be aci, the only kind of pool there is so far'),
  subscriptionId: z.guid('must be the id of a subscription'),
  resourceGroup: z.string().regex(/^[-\w.()]{1,90}$/, 'must be the name of a resource group'),
  region: z.string().regex(/^[a-z0-9]+$/, 'must be a region as in eastus'),
  quota: z.strictObject({
    groups: z.int().positive('must be the quota of container groups, above 0'),
    cores: z.number().positive('must be the quota of cores, above 0'),
  }),
  labels: z
    .record(
      z.string().regex(/^[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/, 'must be a name of 1-63 letters, digits, -, _ and .'),
      z
        .string('must be text; put numbers in quotes')
        .min(1, 'must not be empty')
        .max(256, 'must have at most 256 characters'),
    )
    .default({}),
  price: z
    .strictObject({
      coreHour: z.number('must be what a core costs for an hour').nonnegative('must not be below 0'),
      gibHour: z.number('must be what a GiB of memory costs for an hour').nonnegative('must not be below 0'),
    })
    .nullable()
    .default(null),
});
const fileSchema = z.strictObject({ pools: z.array(poolSchema).min(1, 'must name at least one pool') });

/** Problems name the file and the path in it. */
export function parsePools(text: string, file: string): Result<readonly PoolConfig[], readonly string[]> {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    if (error instanceof YAMLParseError) return err([`${file}: ${error.message}`]);
    throw error;
  }
  const parsed = fileSchema.safeParse(document);
  if (!parsed.success) {
    return err(parsed.error.issues.map((issue) => `${file}: ${placeOf(issue.path)}: ${issue.message}`));
  }
  const pools = parsed.data.pools.map(({ name: pool, kind: type, ...rest }) => ({ pool, type, ...rest }));
  const twice = pools.filter(({ pool }, index) => pools.findIndex((other) => other.pool === pool) !== index);
  const problems = [
    ...twice.map(({ pool }) => `${pool} is named twice; give each pool a name of its own`),
    ...pools.flatMap((pool, index) => {
      const other = pools.slice(0, index).find((earlier) => earlier.pool !== pool.pool && isSamePlace(earlier, pool));
      return other === undefined
        ? []
        : [
            `${pool.pool} has the subscription, resource group and region of ${other.pool}: each would count and judge the container groups of both; give one of them another`,
          ];
    }),
  ];
  return problems.length === 0 ? ok(pools) : err(problems.map((problem) => `${file}: pools: ${problem}`));
}

const placeOf = (path: readonly PropertyKey[]): string =>
  path.length === 0
    ? 'the file'
    : path
        .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
        .join('')
        .replace(/^\./, '');
