import { describe, expect, it } from 'vitest';
import { webOf, webProblems } from '../../support/compose.ts';

const sizeOf = (service: string) => {
  const { cpuCores, memoryGiB } = webOf(service).template;
  return [cpuCores, memoryGiB];
};
const limits = (inner: string) => `deploy: {resources: {limits: {${inner}}}}`;
const reservations = (inner: string) => `deploy: {resources: {reservations: {${inner}}}}`;

describe('CPU and memory', () => {
  it.each([
    ['nothing stated: the least of Azure Container Instances', '{}', [1, 1]],
    ['limits', limits('cpus: "2", memory: 4G'), [2, 4]],
    ['limits as numbers', limits('cpus: 2.5, memory: "2147483648"'), [2.5, 2]],
    ['reservations alone', reservations('cpus: "2", memory: 4G'), [2, 4]],
    ['keys of the service itself', 'cpus: 1.5\nmem_limit: 1536m', [1.5, 1.5]],
    ['mem_reservation', 'mem_reservation: 2g', [1, 2]],
    ['both ways, in agreement', `cpus: 2\n${limits('cpus: "2.0"')}`, [2, 1]],
    ['0 is no limit, as in Docker', 'cpus: 0\nmem_limit: 0', [1, 1]],
    ['the most there is', limits('cpus: "31", memory: 240G'), [31, 240]],
  ])('%s', (_, service, expected) => {
    expect(sizeOf(service)).toEqual(expected);
    expect(webProblems(service)).toEqual([]);
  });

  it.each([
    ['1k', false],
    ['1024m', true],
    ['1G', true],
    ['1gb', true],
    ['1GiB', true],
    ['1073741824', true],
    ['1073741824b', true],
    ['1048576k', true],
    ['1 g', true],
    ['1.5g', true],
    ['0.5t', false],
  ])('memory may be written %s', (memory, isExact) => {
    const [, memoryGiB] = memory === '0.5t' ? [0, 0] : sizeOf(limits(`memory: "${memory}"`));
    if (isExact) expect(memoryGiB).toBe(memory.startsWith('1.5') ? 1.5 : 1);
    else expect(webProblems(limits(`memory: "${memory}"`)).length).toBe(1);
  });

  it.each([
    ['less than a core', limits('cpus: "0.25"'), [1, 1], 'cpus', '0.25 cores becomes 1 core'],
    ['thousandths of a core', limits('cpus: "1.255"'), [1.26, 1], 'cpus', '1.255 cores becomes 1.26 cores'],
    ['less than a GiB', limits('memory: 512m'), [1, 1], 'memory', '512 MiB becomes 1 GiB'],
    ['hundredths of a GiB', limits('memory: 1100m'), [1, 1.1], 'memory', '1.07 GiB becomes 1.1 GiB'],
    ['a byte too many', limits('memory: "1073741825"'), [1, 1.1], 'memory', 'becomes 1.1 GiB'],
  ])('%s is rounded up aloud', (_, service, expected, key, problem) => {
    expect(sizeOf(service)).toEqual(expected);
    expect(webProblems(service)).toMatchObject([
      {
        severity: 'warning',
        path: `services.web.deploy.resources.limits.${key}`,
        problem: expect.stringContaining(problem),
      },
    ]);
  });

  it('a reservation below the limit is not what is allocated, aloud', () => {
    const service = 'deploy: {resources: {limits: {cpus: "2"}, reservations: {cpus: "1"}}}';
    expect(sizeOf(service)).toEqual([2, 1]);
    expect(webProblems(service)).toMatchObject([
      { severity: 'warning', path: 'services.web.deploy.resources.reservations.cpus' },
    ]);
  });

  it.each([
    [
      limits('cpus: "31.01"'),
      'deploy.resources.limits.cpus',
      'asks for 31.01 cores, but a container group has at most 31 cores',
    ],
    [
      limits('memory: 241G'),
      'deploy.resources.limits.memory',
      'asks for 241 GiB, but a container group has at most 240 GiB',
    ],
    ['mem_limit: 1t', 'mem_limit', 'at most 240 GiB'],
    [limits('cpus: many'), 'deploy.resources.limits.cpus', '`many` is not an amount of CPU'],
    [limits('cpus: "-1"'), 'deploy.resources.limits.cpus', 'not an amount of CPU'],
    [limits('cpus: "1e3"'), 'deploy.resources.limits.cpus', 'not an amount of CPU'],
    [limits('memory: 1 potato'), 'deploy.resources.limits.memory', 'not an amount of memory'],
    [limits('memory: -1G'), 'deploy.resources.limits.memory', 'not an amount of memory'],
    [
      'cpus: 2\ndeploy: {resources: {limits: {cpus: "3"}}}',
      'cpus',
      'says 2 cores, but `services.web.deploy.resources.limits.cpus` says 3 cores',
    ],
    [
      'deploy: {resources: {limits: {cpus: "1"}, reservations: {cpus: "2"}}}',
      'deploy.resources.reservations.cpus',
      'reserves 2 cores, more than the limit of 1 core',
    ],
    ['mem_limit: 1g\nmem_reservation: 2g', 'mem_reservation', 'more than the limit'],
    ['deploy: {resources: {limits: {cpu: "1"}}}', 'deploy.resources.limits.cpu', 'not a key'],
    [
      'deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}',
      'deploy.resources.reservations.devices',
      'no GPUs',
    ],
    ['deploy: {resources: {limits: {cpus: [1]}}}', 'deploy.resources.limits.cpus', 'must be'],
  ])('%s is refused', (service, path, problem) => {
    const errors = webProblems(service).filter(({ severity }) => severity === 'error');
    expect(errors).toMatchObject([{ path: `services.web.${path}`, problem: expect.stringContaining(problem) }]);
  });
});
