/** Where Azurite 3.37.0 answers otherwise than the contract of the Tables service. */
import type { Difference } from './tables.contract.ts';

export const azuriteDifferences: readonly Difference[] = [
  {
    reason: 'the refusal (400) carries an empty error code',
    tests: [
      'a table name with other characters than letters and digits is refused',
      'a table name shorter than 3 or longer than 63 characters is refused',
    ],
  },
  {
    reason: 'a large whole number sent as Edm.Double comes back without a point, as an integer',
    tests: ['a double without fraction is written as a double, not as an integer'],
  },
  {
    reason: 'only an Int32 is checked; any text is taken for an Int64, a Guid, a DateTime or a Binary',
    tests: ['a value that does not fit its type is refused'],
  },
  { reason: 'the refusal (400) has no body, hence no code', tests: ['a delete without If-Match is refused'] },
  {
    reason: 'the refusal has the code InvalidInput',
    tests: [
      'keys with a slash, backslash, hash, question mark or control character are refused',
      'a key has at most 1 KiB',
    ],
  },
  {
    reason: 'accepted: properties are not counted',
    tests: ['an entity has at most 252 properties, also after a merge'],
  },
  { reason: 'accepted: an insert is not measured', tests: ['an entity has at most 1 MiB'] },
  { reason: 'accepted: names are not checked', tests: ['property names are identifiers of at most 255 characters'] },
  {
    reason: 'an array is taken for an entity without keys (PropertiesNeedValue)',
    tests: ['a body that is no JSON object is refused'],
  },
  { reason: 'accepted and applied', tests: ['a transaction stays in one partition'] },
  { reason: 'a text in double quotes is taken for a literal', tests: ['a filter with bad syntax is refused'] },
  { reason: 'accepted: comparisons are not counted', tests: ['a filter has at most 15 comparisons'] },
  { reason: '400 InvalidInput', tests: ['a function in a filter is 501'] },
  { reason: 'accepted, as 1000', tests: ['a page of more than 1000 is refused'] },
];
