/** Lock tokens are uuids: text in the broker, RFC byte order on `$management`, and the byte order of a .NET Guid as a delivery tag. */

/** @param bytes 16 bytes in RFC order. */
export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A uuid as 16 bytes in RFC order. */
export const uuidBytes = (token: string): Buffer => Buffer.from(token.replaceAll('-', ''), 'hex');

/** The delivery tag of a lock token: the first three groups of the uuid are little-endian in a .NET Guid. */
export function deliveryTag(token: string): Buffer {
  const tag = uuidBytes(token);
  tag.subarray(0, 4).reverse();
  tag.subarray(4, 6).reverse();
  tag.subarray(6, 8).reverse();
  return tag;
}
