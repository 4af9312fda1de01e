import rhea from 'rhea';
import { describe, expect, it } from 'vitest';
import { deliveryTag, uuidText } from '../../../../src/local/servicebus/lock-token.ts';

const token = '00112233-4455-6677-8899-aabbccddeeff';

describe('a lock token', () => {
  it('is a delivery tag in the byte order of a .NET Guid', () => {
    expect(deliveryTag(token).toString('hex')).toBe('33221100554477668899aabbccddeeff');
  });

  it('is on $management what rhea makes of its text', () => {
    const bytes = rhea.string_to_uuid(token);
    expect(uuidText(Buffer.from(bytes))).toBe(token);
  });
});
