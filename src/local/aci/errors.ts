/**
 * Refusals of the ARM stand-in with the status, code and words of the service where they are known. Codes marked "ours" in
 * `DIFFERENCES.md` have no published spelling. A refusal is a value until `toResponse` makes it an answer.
 */
import type { CoreResponse } from '../core.ts';

export interface ArmError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export function armError(status: number, code: string, message: string, retryAfterSeconds?: number): ArmError {
  return { status, code, message, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
}

export const badRequest = (code: string, message: string): ArmError => armError(400, code, message);

export function notModelled(operation: string): ArmError {
  return armError(501, 'NotImplemented', `The embedded platform does not model ${operation}.`);
}

export function groupNotFound(resourceGroup: string, name: string): ArmError {
  const resource = `Microsoft.ContainerInstance/containerGroups/${name}`;
  return armError(
    404,
    'ResourceNotFound',
    `The Resource '${resource}' under resource group '${resourceGroup}' was not found.`,
  );
}

export function transitioning(name: string): ArmError {
  return armError(
    409,
    'ContainerGroupTransitioning',
    `The container group '${name}' is still transitioning, please retry later.`,
  );
}

export function quotaReached(kind: string, region: string, limit: number, usage: number, requested: number): ArmError {
  return badRequest(
    'ContainerGroupQuotaReached',
    `Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota '${kind}' exceeded in region '${region}'. ` +
      `Limit: '${limit}', Usage: '${usage}' Requested: '${requested}'.`,
  );
}

export function noCapacity(region: string, cores: number, memoryGiB: number): ArmError {
  return armError(
    409,
    'ServiceUnavailable',
    `The requested resource is not available in the location '${region}' at this moment. Please retry with a different resource ` +
      `request or in another location. Resource requested: '${cores}' CPU '${memoryGiB}' GB memory 'Linux' OS`,
  );
}

export function inaccessibleImage(image: string, group: string): { readonly code: string; readonly message: string } {
  return {
    code: 'InaccessibleImage',
    message: `The image '${image}' in container group '${group}' is not accessible. Please check the image and registry credential.`,
  };
}

export function tooManyRequests(message: string, retryAfterSeconds: number): ArmError {
  return armError(429, 'TooManyRequests', message, retryAfterSeconds);
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): CoreResponse {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  };
}

export function empty(status: number, headers: Readonly<Record<string, string>> = {}): CoreResponse {
  return { status, headers, body: '' };
}

export function toResponse(error: ArmError): CoreResponse {
  return json(
    error.status,
    { error: { code: error.code, message: error.message } },
    {
      ...error.headers,
      ...(error.retryAfterSeconds !== undefined && { 'retry-after': String(error.retryAfterSeconds) }),
    },
  );
}
