import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeText, interpolate } from '../../../../src/spec/files/interpolate.ts';
import { check, environmentOf } from '../../../support/compose.ts';

const variables: Readonly<Record<string, string>> = {
  SET: 'value',
  EMPTY: '',
  OTHER: 'other',
  _low1: 'low',
  BRACE: '}',
  RAW: '$SET',
};
const lookup = (name: string) => (Object.hasOwn(variables, name) ? variables[name] : undefined);

describe('interpolation', () => {
  it.each([
    ['$SET', 'value'],
    ['${SET}', 'value'],
    ['$SET-x', 'value-x'],
    ['${SET}x', 'valuex'],
    ['a $SET b ${OTHER} c', 'a value b other c'],
    ['$_low1', 'low'],
    ['$EMPTY', ''],

    ['${SET:-x}', 'value'],
    ['${EMPTY:-x}', 'x'],
    ['${NONE:-x}', 'x'],
    ['${SET-x}', 'value'],
    ['${EMPTY-x}', ''],
    ['${NONE-x}', 'x'],
    ['${NONE:-}', ''],
    ['${NONE-}', ''],

    ['${SET:+x}', 'x'],
    ['${EMPTY:+x}', ''],
    ['${NONE:+x}', ''],
    ['${SET+x}', 'x'],
    ['${EMPTY+x}', 'x'],
    ['${NONE+x}', ''],

    ['${SET:?e}', 'value'],
    ['${SET?e}', 'value'],
    ['${EMPTY?e}', ''],

    ['${NONE:-${SET}}', 'value'],
    ['${NONE:-$SET}', 'value'],
    ['${NONE:-${ALSO:-${OTHER}}}', 'other'],
    ['${NONE-${EMPTY:-deep}}', 'deep'],
    ['${SET:+${OTHER}}', 'other'],
    ['${NONE:-a b/c:d?e}', 'a b/c:d?e'],
    ['${NONE:-{}}', '{}'],
    ['${NONE:-{"a": {"b": 1}}}', '{"a": {"b": 1}}'],
    ['${NONE:-x}y}', 'xy}'],
    ['${NONE:-1:-2}', '1:-2'],
    ['${NONE:-a\nb}', 'a\nb'],

    ['$$', '$'],
    ['$$SET', '$SET'],
    ['$${SET}', '${SET}'],
    ['$$$SET', '$value'],
    ['$$$$', '$$'],
    ['${NONE:-$$5}', '$5'],
    ['cost: $5', 'cost: $5'],
    ['^a$', '^a$'],
    ['$(date)', '$(date)'],
    ['$ SET', '$ SET'],

    ['$RAW', '$SET'],
    ['$BRACE', '}'],
    ['', ''],
    ['nothing', 'nothing'],
  ])('%s → %s', (text, expected) => {
    expect(interpolate(text, lookup)).toEqual({ text: expected, failures: [] });
  });

  it.each([
    ['$NONE', 'the variable `NONE` is not set and has no default.'],
    ['${NONE}', 'the variable `NONE` is not set and has no default.'],
    ['${NONE:?}', '`NONE` is not set.'],
    ['${NONE?needed for x}', '`NONE` is not set: needed for x.'],
    ['${EMPTY:?say it}', '`EMPTY` is empty: say it.'],
    ['${NONE:?${SET} too}', '`NONE` is not set: value too.'],
    ['${EMPTY:-$NONE}', 'the variable `NONE` is not set and has no default.'],
    ['${SET', '`${` is never closed.'],
    ['${}', '`${}` is not a variable.'],
    ['${1}', '`${1}` is not a variable.'],
    ['${SET.x}', '`${SET.x}` is not a variable.'],
    ['${SET:x}', '`${SET:x}` is not a variable.'],
    ['${ SET }', '`${ SET }` is not a variable.'],
    ['${toString}', 'the variable `toString` is not set and has no default.'],
  ])('%s is refused: %s', (text, problem) => {
    const { failures } = interpolate(text, lookup);
    expect(failures).toMatchObject([{ problem }]);
    expect(failures[0]?.remedy).toMatch(/\.$/);
  });

  it('reports every variable that is missing, not only the first', () => {
    expect(interpolate('$A ${B} ${C:?no c}', lookup).failures.length).toBe(3);
  });

  it('does not look at a default that is not needed', () => {
    expect(interpolate('${SET:-$NONE}${NONE+$ALSO}', lookup)).toEqual({ text: 'value', failures: [] });
  });

  it('gives back any text that was escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-', '"', ' ') }), (text) => {
        expect(interpolate(escapeText(text), lookup)).toEqual({ text, failures: [] });
      }),
    );
  });

  it('ends for any text, also a hostile one', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('${', '$', '}', '{', 'A', ':-', '?', '+', 'SET') }), (text) => {
        expect(typeof interpolate(text, lookup).text).toBe('string');
      }),
    );
    expect(interpolate('${A:-'.repeat(2_000) + '}'.repeat(2_000), lookup).failures.length).toBeGreaterThan(0);
    expect(interpolate('${'.repeat(100_000), lookup).failures.length).toBeGreaterThan(0);
  });
});

describe('variables of a Compose file', () => {
  const web = (value: string) => `services:\n  web:\n    image: a\n    environment:\n      A: ${value}\n`;

  it('come from the shell, then from `.env` beside the file', async () => {
    const files = { 'compose.yaml': web('$ONE $TWO'), '.env': 'ONE=file\nTWO=file\n' };
    expect(await environmentOf(files, { environment: { ONE: 'shell' } })).toEqual({ A: 'shell file' });
  });

  it('an empty variable of the shell hides that of `.env`', async () => {
    const files = { 'compose.yaml': web('"<$ONE>"'), '.env': 'ONE=file' };
    expect(await environmentOf(files, { environment: { ONE: '' } })).toEqual({ A: '<>' });
  });

  it('a line of `.env` may use the shell and the lines above it', async () => {
    const files = { 'compose.yaml': web('$C'), '.env': 'A=1\nB=${A}2${FROM_SHELL}\nC="$B!"\n' };
    expect(await environmentOf(files, { environment: { FROM_SHELL: 's' } })).toEqual({ A: '12s!' });
  });

  it('a missing one is refused at its line, all at once', async () => {
    const result = await check(
      'services:\n  web:\n    image: a:$TAG\n    command: ${CMD:?say what to run}\n  db: {image: "$DB"}\n',
    );
    expect(result.ok ? [] : result.error).toMatchObject([
      { path: 'services.db.image', line: 5, column: 8, problem: expect.stringContaining('`DB`') },
      { path: 'services.web.command', line: 4, problem: '`CMD` is not set: say what to run.' },
      { path: 'services.web.image', line: 3, problem: expect.stringContaining('`TAG`') },
    ]);
  });

  it('are not looked for in keys, comments and the extensions of others', async () => {
    const text = 'x-note: $NOPE\nservices:\n  web:\n    image: a # $NOPE\n    environment: {$KEY: "1"}\n';
    const result = await check(text);
    expect(result.ok ? [] : result.error.map(({ path }) => path)).toEqual(['services.web.environment["$KEY"]']);
  });

  it('numbers may come from variables: ports, replicas, limits', async () => {
    const text =
      'services:\n  web:\n    image: a\n    ports: ["$PORT:$PORT"]\n    deploy: {replicas: "${N}", resources: {limits: {cpus: "$CPU", memory: $MEM}}}\n    healthcheck: {test: x, retries: "$N", disable: "$OFF"}\n';
    const result = await check(text, { environment: { PORT: '8080', N: '3', CPU: '2', MEM: '2G', OFF: 'true' } });
    expect(result.ok && result.value.app.services[0]).toMatchObject({
      replicas: 3,
      template: { cpuCores: 2, memoryGiB: 2, ports: [{ port: 8080 }], readiness: { kind: 'running' } },
    });
    expect(result.ok && result.value.app.services[0]?.template.liveness).toBeUndefined();
  });
});
