import { describe, expect, it } from 'vitest';
import { splitWords } from '../../../src/spec/command.ts';
import { brief, webOf, webProblems } from '../../support/compose.ts';

describe('a command written as one text is split into words as Compose does it', () => {
  it.each([
    ['npm start', ['npm', 'start']],
    ['  a   b\tc\nd ', ['a', 'b', 'c', 'd']],
    ['a "b c" d', ['a', 'b c', 'd']],
    ["a 'b c' d", ['a', 'b c', 'd']],
    ['a b\\ c', ['a', 'b c']],
    ['a "b \\"c\\" d"', ['a', 'b "c" d']],
    ['a \'b "c" d\'', ['a', 'b "c" d']],
    ['--x="y z" --w=\'v u\'', ['--x=y z', '--w=v u']],
    ['a"b"c\'d\'e', ['abcde']],
    ['a "" b', ['a', '', 'b']],
    ["''", ['']],
    ['"a\\nb"', ['a\\nb']],
    ['"a\\$b\\`c\\\\d"', ['a$b`c\\d']],
    ["'a\\b'", ['a\\b']],
    ['a && b | c > d', ['a', '&&', 'b', '|', 'c', '>', 'd']],
    ['echo $HOME *', ['echo', '$HOME', '*']],
    ['bash -c "while true; do sleep 1; done"', ['bash', '-c', 'while true; do sleep 1; done']],
    ['grüße "日本 語"', ['grüße', '日本 語']],
    ['', []],
    ['   ', []],
  ])('%j', (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });

  it.each(['"a', "'a", 'a "b\' c', 'a\\', '"a\\"'])('%j is left open', (text) => {
    expect(splitWords(text)).toBeUndefined();
  });

  it('any length is split in short time', () => {
    expect(splitWords('a '.repeat(100_000))?.length).toBe(100_000);
    expect(splitWords(`"${'\\'.repeat(100_001)}`)).toBeUndefined();
  });
});

describe('entrypoint and command become the one command of Azure Container Instances', () => {
  it.each([
    ['neither: what the image says', '{}', [], []],
    ['entrypoint alone', 'entrypoint: [/bin/app, -v]', ['/bin/app', '-v'], []],
    ['both as lists', 'entrypoint: [/bin/app]\ncommand: [serve, --port=80]', ['/bin/app', 'serve', '--port=80'], []],
    ['both as texts', 'entrypoint: /bin/app -v\ncommand: serve "a b"', ['/bin/app', '-v', 'serve', 'a b'], []],
    ['a list is never split', 'entrypoint: ["/bin/app -v"]', ['/bin/app -v'], []],
    ['an empty entrypoint', 'entrypoint: []\ncommand: [serve]', ['serve'], []],
    ['nothing as a value', 'entrypoint: \ncommand: ', [], []],
    [
      'command alone replaces the entrypoint of the image too, aloud',
      'command: npm start',
      ['npm', 'start'],
      [
        'warning services.web.command: replaces the image’s ENTRYPOINT too, because Azure Container Instances has one command for both.',
      ],
    ],
    [
      'an empty command cannot be said, aloud',
      'command: []',
      [],
      [
        'warning services.web.command: is empty, which Azure Container Instances cannot say: the image’s own command is run.',
      ],
    ],
  ])('%s', (_, service, command, warnings) => {
    expect(webOf(service).template.command).toEqual(command);
    expect(webProblems(service).map(brief)).toEqual(warnings);
  });

  it.each([
    ['command: "a \\"b"', 'command'],
    ['entrypoint: "it\'s"', 'entrypoint'],
    ['command: {a: b}', 'command'],
    ['command: [1]', 'command[0]'],
    ['entrypoint: [1]', 'entrypoint[0]'],
    ['command: 5', 'command'],
    ['entrypoint: []', 'entrypoint'],
    ['entrypoint: ""', 'entrypoint'],
    ['entrypoint: []\ncommand: []', 'entrypoint'],
  ])('%s is refused', (service, path) => {
    expect(webProblems(service).map(({ severity, path: at }) => `${severity} ${at}`)).toEqual([
      `error services.web.${path}`,
    ]);
  });
});
