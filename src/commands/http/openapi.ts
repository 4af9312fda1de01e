/**
 * The API as an OpenAPI 3.1 document: what it takes and answers follows from the schemas that commands are read with and that resources are held against.
 * Served at /api/v1/openapi.json and kept in docs/openapi.json.
 */
import { z } from 'zod';
import { resourceSchemas } from '../../model/api-schemas.ts';
import { namePattern } from '../../model/limits.ts';
import { poolCommands } from '../../model/state.ts';
import { version } from '../../model/version.ts';
import { idempotencyKeyPattern, imperative } from '../messages.ts';
import { execRequest } from './exec.ts';
import { type Operation, operations } from './operations.ts';

type Json = Readonly<Record<string, unknown>>;

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

export function openApiDocument(): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: operationObject(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Flotilla',
      version,
      description:
        'Container orchestration for Azure Container Instances. Commands are accepted with 202 and take effect in the order of acceptance; their operation says what became of them.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ functionKey: [] }],
    paths,
    components: {
      securitySchemes: { functionKey: { type: 'apiKey', in: 'header', name: 'x-functions-key' } },
      schemas: {
        ...Object.fromEntries(Object.entries(resourceSchemas).map(([name, schema]) => [name, schemaOf(schema)])),
        Command: schemaOf(imperative),
        ExecRequest: schemaOf(execRequest),
      },
    },
  };
}

function operationObject({ id, summary, path, query, body, key, answers, refusals }: Operation): Json {
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => pathParameter(name)),
    ...(query ?? []).map(({ name, description, schema }) => ({ name, in: 'query', description, schema })),
    ...(key ? [idempotencyKey] : []),
  ];
  return {
    operationId: id,
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: bodies[body] } }),
    responses: {
      ...Object.fromEntries(answers.map(({ status, text, resource, many }) => [status, answer(text, resource, many)])),
      ...Object.fromEntries([...refusals, 401, 405, 500, 503].map((status) => [status, refusal(status)])),
    },
  };
}

const bodies = {
  document: {
    'application/json': {
      schema: { type: 'object', description: 'A Compose document with x-flotilla, everything resolved.' },
    },
  },
  command: { 'application/json': { schema: ref('Command') } },
  poolCommand: {
    'application/json': {
      schema: { type: 'object', properties: { command: { enum: poolCommands } }, required: ['command'] },
    },
  },
  exec: { 'application/json': { schema: ref('ExecRequest') } },
  bytes: { 'application/octet-stream': {} },
} as const;

function answer(description: string, resource: Operation['answers'][number]['resource'], many = false): Json {
  if (resource === null) return { description, content: { 'application/json': { schema: { type: 'object' } } } };
  const schema = typeof resource === 'string' ? ref(resource) : { oneOf: resource.map(ref) };
  return { description, content: { 'application/json': { schema: many ? { type: 'array', items: schema } : schema } } };
}

const refusals: Readonly<Record<number, string>> = {
  400: 'A query parameter or the Idempotency-Key is malformed.',
  401: 'No function key, or a wrong one. The host answers without a body.',
  404: 'There is no such resource.',
  405: 'The method is not possible here; `Allow` says which are.',
  409: 'The app is protected and the deletion not confirmed, the secret is in use, the plan is outdated, or the container does not run.',
  413: 'The body is too large.',
  415: 'The body has another media type.',
  422: 'The document or command is refused; `problems` names every fault.',
  500: 'A fault of Flotilla itself.',
  503: 'Not available at the moment; `Retry-After` says when to ask again.',
};

const refusal = (status: number): Json => ({
  description: refusals[status] ?? '',
  ...(status !== 401 && { content: { 'application/problem+json': { schema: ref('Problem') } } }),
});

const pathParameter = (name: string): Json => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string', ...(name === 'app' && { pattern: namePattern.source }) },
});

const idempotencyKey: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'The same key and command have one effect, however often they are sent. Without one, a new key is drawn and answered.',
  schema: { type: 'string', pattern: idempotencyKeyPattern.source },
};

/** As input: fields may be added to what is answered, so that their list is not closed; commands are strict by themselves. */
function schemaOf(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
  return rest;
}
