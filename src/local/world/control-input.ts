/** Bodies of the control API: checked and typed, or refused with the path of the problem. */
import { z } from 'zod';
import type { Fault, RegionState } from '../aci/faults.ts';

const count = z.number().int().min(0);

const effect = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('latency'), ms: count }),
  z.strictObject({
    kind: z.literal('error'),
    status: z.number().int().min(400).max(599),
    code: z.string().default('InjectedFault'),
    message: z.string().default('Injected by the control API.'),
    retryAfterSeconds: count.optional(),
    after: z.boolean().default(false),
  }),
  z.strictObject({ kind: z.literal('drop'), after: z.boolean().default(false) }),
  z.strictObject({
    kind: z.literal('mishap'),
    mishap: z.strictObject({
      code: z.string().default('InsufficientCapacity.'),
      message: z.string().default('There is not enough capacity in the location.'),
      afterMs: count.optional(),
      runsAfterMs: count.optional(),
    }),
  }),
]);

const fault = z.strictObject({
  act: z.enum(['create', 'get', 'list', 'delete', 'logs', 'poll', 'usage']).optional(),
  name: z.string().min(1).optional(),
  location: z.string().min(1).optional(),
  times: count.min(1).nullable().default(1),
  effect,
});

const region = z.strictObject({
  arm: z.enum(['unavailable', 'noCapacity']).optional(),
  containersDown: z.boolean().optional(),
  quotas: z
    .strictObject({
      containerGroups: count.optional(),
      standardCores: z.number().min(0).optional(),
      standardSpotCores: z.number().min(0).optional(),
    })
    .optional(),
});

export function parseFault(body: unknown): Omit<Fault, 'id'> | string {
  return parse(fault, body) as Omit<Fault, 'id'> | string;
}

export function parseRegion(body: unknown): RegionState | string {
  return parse(region, body) as RegionState | string;
}

function parse(schema: z.ZodType, body: unknown): unknown {
  const result = schema.safeParse(body);
  return result.success ? result.data : z.prettifyError(result.error);
}
