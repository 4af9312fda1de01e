/** Env files as Docker Compose reads them: the cases are those of its documentation ("env file syntax") and of its reader. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEnvFile } from '../../../../src/spec/files/env-file.ts';

const shell: Readonly<Record<string, string>> = { USER: 'me', A: 'shell' };
const lookup = (name: string) => (Object.hasOwn(shell, name) ? shell[name] : undefined);
const read = (text: string, format?: 'compose' | 'raw') => {
  const { entries, failures } = parseEnvFile(text, lookup, format);
  return failures.length > 0 ? failures : Object.fromEntries(entries.map(({ name, value }) => [name, value]));
};

describe('a line of an env file', () => {
  it.each([
    ['VAR=VAL', 'VAL'],
    ['VAR="VAL"', 'VAL'],
    ["VAR='VAL'", 'VAL'],
    ['VAR=', ''],
    ['VAR=""', ''],
    ["VAR=''", ''],
    ['VAR = VAL ', 'VAL'],
    ['  VAR=VAL', 'VAL'],
    ['\tVAR=VAL', 'VAL'],
    ['export VAR=VAL', 'VAL'],
    ['VAR: VAL', 'VAL'],
    ['VAR:VAL', 'VAL'],
    ['VAR=a:b', 'a:b'],
    ['VAR=a=b', 'a=b'],
    ['VAR=a b', 'a b'],
    ['VAR=postgres://u:p@h/db?x=1', 'postgres://u:p@h/db?x=1'],

    ['VAR=VAL # comment', 'VAL'],
    ['VAR=VAL #comment', 'VAL'],
    ['VAR=VAL# not a comment', 'VAL# not a comment'],
    ['VAR=#fff', '#fff'],
    ['VAR="VAL # not a comment"', 'VAL # not a comment'],
    ['VAR="VAL" # comment', 'VAL'],
    ["VAR='VAL # not' # comment", 'VAL # not'],

    ['VAR=$USER', 'me'],
    ['VAR="$USER"', 'me'],
    ["VAR='$USER'", '$USER'],
    ["VAR='${USER}'", '${USER}'],
    ['VAR=${NONE:-x}', 'x'],
    ['VAR=$$USER', '$USER'],
    ['VAR="\\$USER"', '$USER'],

    ['VAR="a\\nb"', 'a\nb'],
    ['VAR="a\\tb\\rc"', 'a\tb\rc'],
    ['VAR="a\\\\b"', 'a\\b'],
    ['VAR="say \\"hi\\""', 'say "hi"'],
    ['VAR="\\a\\b\\f\\v"', '\x07\b\f\v'],
    ['VAR="\\0101"', 'A'],
    ['VAR="a\\qb"', 'a\\qb'],
    ["VAR='it\\'s'", "it's"],
    ["VAR='a\\nb'", 'a\\nb'],
    ['VAR=a\\nb', 'a\\nb'],
    ["VAR=it's", "it's"],
    ['VAR=say "hi"', 'say "hi"'],

    ['VAR="line 1\nline 2"', 'line 1\nline 2'],
    ["VAR='line 1\n\n  line 3'", 'line 1\n\n  line 3'],
    ['VAR="line 1\r\nline 2"\r\n', 'line 1\nline 2'],
    ['\uFEFFVAR=VAL\r\n', 'VAL'],
  ])('%j means %j', (line, value) => {
    expect(read(line)).toEqual({ VAR: value });
  });

  it.each([
    ['', {}],
    ['\n\n  \n', {}],
    ['# only\n   # comments\n', {}],
    ['A=1\nA=2', { A: '2' }],
    ['VAR', { VAR: undefined }],
    ['VAR # taken from the shell', { VAR: undefined }],
    ['A.B-c=1', { 'A.B-c': '1' }],
    ['A="1" \n\n#x\nexport B=2', { A: '1', B: '2' }],
  ])('%j means %j', (text, entries) => {
    expect(read(text)).toEqual(entries);
  });

  it('sees the lines above it, but the shell first', () => {
    expect(read('B=1\nC=$B\nA=file\nD=$A')).toEqual({ B: '1', C: '1', A: 'file', D: 'shell' });
  });

  it.each([
    ['1A=x', 1, 'is not `NAME=value`'],
    ['OK=1\nnot a line', 2, 'is not `NAME=value`'],
    ['=x', 1, 'is not `NAME=value`'],
    ['A B=x', 1, 'is not `NAME=value`'],
    ['X=1\nA="never closed\nB=2', 2, 'is never closed'],
    ["A='never closed", 1, 'is never closed'],
    ['A="x"y', 1, 'follows the closing quote'],
    ['\nA=$MISSING', 2, '`MISSING` is not set'],
    ['A="${MISSING:?say it}"', 1, 'say it'],
    ['A=${', 1, 'never closed'],
  ])('%j is refused at line %d', (text, line, problem) => {
    expect(read(text)).toMatchObject([
      { line, problem: expect.stringContaining(problem), remedy: expect.stringMatching(/\.$/) },
    ]);
  });

  it('is taken as it stands in the raw format', () => {
    expect(read('A="$X" # y\nB=\'z\'\nC=\nD = 1', 'raw')).toEqual({ A: '"$X" # y', B: "'z'", C: '', D: '1' });
  });

  it('is read in any text without failing, in short time', () => {
    const unit = fc.constantFrom('A', '=', '"', "'", '\\', '\n', '$', '{', '}', '#', ' ', ':', '-', '\r', '\t', 'é');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 200 }), (text) => {
        for (const { line } of parseEnvFile(text, lookup).failures) expect(line).toBeGreaterThan(0);
      }),
    );
    expect(read(`A="${'\\'.repeat(100_001)}`)).toMatchObject([{ line: 1 }]);
    expect(read('A="\n'.repeat(2_000))).not.toEqual({});
  });
});
