/**
 * The refusals of the Tables service as values, and their odata JSON form.
 * Codes, statuses and texts: learn.microsoft.com/rest/api/storageservices/table-service-error-codes and common-rest-api-error-codes.
 */

const catalogue = {
  AtomFormatNotSupported: [415, 'Atom format is not supported.'],
  CommandsInBatchActOnDifferentPartitions: [400, 'All commands in a batch must operate on same entity group.'],
  EntityAlreadyExists: [409, 'The specified entity already exists.'],
  EntityTooLarge: [400, 'The entity is larger than the maximum allowed size (1MB).'],
  InternalError: [500, 'Server encountered an internal error. Please try again after some time.'],
  InvalidAuthenticationInfo: [
    401,
    'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.',
  ],
  InvalidDuplicateRow: [
    400,
    'The batch request contains multiple changes with same row key. An entity can appear only once in a batch request.',
  ],
  InvalidInput: [400, 'One of the request inputs is not valid.'],
  InvalidResourceName: [400, 'The specifed resource name contains invalid characters.'],
  InvalidUri: [400, 'The requested URI does not represent any resource on the server.'],
  KeyValueTooLarge: [400, 'Specified value for the key is too large: a key may have 1 KiB, 512 UTF-16 characters.'],
  MethodNotAllowed: [405, 'The requested method is not allowed on the specified resource.'],
  MissingRequiredHeader: [400, 'An HTTP header that is mandatory for this request is not specified.'],
  NotImplemented: [501, 'The requested operation is not implemented on the specified resource.'],
  OutOfRangeInput: [400, 'One of the request inputs is out of range.'],
  PropertiesNeedValue: [400, 'The values are not specified for all properties in the entity.'],
  PropertyNameInvalid: [400, 'The property name is invalid.'],
  PropertyNameTooLong: [400, 'The property name exceeds the maximum allowed length (255).'],
  PropertyValueTooLarge: [
    400,
    'The property value exceeds the maximum allowed size (64KB). If the property value is a string, it is UTF-16 encoded and the maximum number of characters should be 32K or less.',
  ],
  RequestBodyTooLarge: [413, 'The request body is too large and exceeds the maximum permissible limit.'],
  ResourceNotFound: [404, 'The specified resource does not exist.'],
  ServerBusy: [503, 'The server is busy.'],
  TableAlreadyExists: [409, 'The table specified already exists.'],
  TableNotFound: [404, 'The table specified does not exist.'],
  TooManyProperties: [
    400,
    'The entity contains more properties than allowed. Each entity can include up to 252 properties to store data. Each entity also has 3 system properties that specify a partition key, a row key, and a timestamp.',
  ],
  UpdateConditionNotSatisfied: [412, 'The update condition specified in the request was not satisfied.'],
} as const satisfies Record<string, readonly [number, string]>;

export type FailureCode = keyof typeof catalogue;

/** A refusal: returned, never thrown. */
export class TableFailure {
  readonly code: FailureCode;
  readonly status: number;
  readonly message: string;

  /** `message` replaces the service's standing text of the code. */
  constructor(code: FailureCode, message?: string) {
    this.code = code;
    this.status = catalogue[code][0];
    this.message = message ?? catalogue[code][1];
  }

  /** The same refusal of the operation at `index` of an entity group transaction. */
  at(index: number): TableFailure {
    return new TableFailure(this.code, `${index}:${this.message}`);
  }

  /** The body of the error answer: one line, because clients search transactions' parts line by line. */
  toJson(requestId: string, nowMs: number): string {
    const value = `${this.message}\nRequestId:${requestId}\nTime:${new Date(nowMs).toISOString()}`;
    return JSON.stringify({ 'odata.error': { code: this.code, message: { lang: 'en-US', value } } });
  }
}

/** A construct or operation the stand-in does not model: 501 that names it. */
export const notImplemented = (what: string): TableFailure =>
  new TableFailure('NotImplemented', `${what} is not implemented by the local Tables service.`);
