/** What the control API takes and refuses. */
import { describe, expect, it } from 'vitest';
import { parseFault, parseRegion } from '../../../src/local/world/control-input.ts';

describe('faults', () => {
  it('get their defaults', () => {
    expect(parseFault({ effect: { kind: 'error', status: 503 } })).toEqual({
      times: 1,
      effect: {
        kind: 'error',
        status: 503,
        code: 'InjectedFault',
        message: 'Injected by the control API.',
        after: false,
      },
    });
    expect(parseFault({ times: null, effect: { kind: 'drop', after: true } })).toEqual({
      times: null,
      effect: { kind: 'drop', after: true },
    });
    expect(parseFault({ effect: { kind: 'mishap', mishap: { afterMs: 5 } } })).toMatchObject({
      effect: { mishap: { code: 'InsufficientCapacity.', afterMs: 5 } },
    });
  });

  it.each<[unknown, string]>([
    [[], 'the body: give an object'],
    [{}, 'effect: give an object'],
    [{ effect: { kind: 'earthquake' } }, 'effect.kind: give one of latency, error, drop, mishap, stuck'],
    [{ effect: { kind: 'toString' } }, 'effect.kind: give one of latency, error, drop, mishap, stuck'],
    [{ effect: { kind: 'latency' } }, 'effect.ms: missing'],
    [{ effect: { kind: 'latency', ms: -1 } }, 'effect.ms: give a whole number from 0 on'],
    [{ effect: { kind: 'error', status: 200 } }, 'effect.status: give a status from 400 to 599'],
    [
      { effect: { kind: 'mishap', mishap: { when: 1 } } },
      'effect.mishap.when: unknown; there are code, message, afterMs, runsAfterMs',
    ],
    [
      { act: 'dance', times: 0, effect: { kind: 'drop' } },
      'act: give one of create, get, list, update, delete, start, stop, restart, logs, exec, poll, usage, dns, metrics; times: give a whole number from 1 on',
    ],
  ])('%j is refused: %s', (body, problem) => {
    expect(parseFault(body)).toBe(problem);
  });
});

describe('regions', () => {
  it('are taken as given', () => {
    const region = { arm: 'noCapacity', containersDown: true, quotas: { standardCores: 1.5 } };
    expect(parseRegion(region)).toEqual(region);
    expect(parseRegion({})).toEqual({});
  });

  it.each<[unknown, string]>([
    [null, 'the body: give an object'],
    [{ arm: 'gone' }, 'arm: give one of unavailable, noCapacity'],
    [{ quotas: { containerGroups: 1.5 } }, 'quotas.containerGroups: give a whole number from 0 on'],
    [{ quotas: 3 }, 'quotas: give an object'],
    [{ zones: { '1': { cores: -1 } } }, 'zones.1.cores: give a number from 0 on'],
    [{ zones: { '1': true } }, 'zones.1: give an object'],
    [{ down: true }, 'down: unknown; there are arm, containersDown, quotas, cores, zones'],
  ])('%j is refused: %s', (body, problem) => {
    expect(parseRegion(body)).toBe(problem);
  });
});
