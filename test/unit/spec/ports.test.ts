import { describe, expect, it } from 'vitest';
import { brief, webOf, webProblems } from '../../support/compose.ts';

const portsOf = (ports: string) => webOf(ports).template.ports.map(({ port, protocol }) => `${port}/${protocol}`);
const said = (ports: string) =>
  webProblems(ports).map(({ severity, path, problem }) => `${severity} ${path} ${problem}`);

describe('ports and expose', () => {
  it.each([
    ['ports: ["80"]', ['80/TCP']],
    ['ports: [80]', ['80/TCP']],
    ['ports: ["80:80"]', ['80/TCP']],
    ['ports: ["80:80/tcp"]', ['80/TCP']],
    ['ports: ["53:53/udp"]', ['53/UDP']],
    ['ports: ["53/UDP"]', ['53/UDP']],
    ['ports: ["0.0.0.0:80:80"]', ['80/TCP']],
    ['ports: [":80"]', ['80/TCP']],
    ['ports: ["8000-8002"]', ['8000/TCP', '8001/TCP', '8002/TCP']],
    ['ports: ["8000-8002:8000-8002"]', ['8000/TCP', '8001/TCP', '8002/TCP']],
    ['ports: ["8000-8001/udp"]', ['8000/UDP', '8001/UDP']],
    ['ports: [{target: 80}]', ['80/TCP']],
    ['ports: [{target: "80"}]', ['80/TCP']],
    ['ports: [{target: 80, published: 80, protocol: tcp, mode: host}]', ['80/TCP']],
    ['ports: [{target: 80, published: "80", protocol: udp, mode: ingress}]', ['80/UDP']],
    ['expose: ["80"]', ['80/TCP']],
    ['expose: [80, "81/udp", "90-91"]', ['80/TCP', '81/UDP', '90/TCP', '91/TCP']],
    ['ports: ["80"]\nexpose: ["80", "81"]', ['80/TCP', '81/TCP']],
    ['ports: ["81", "80", "80/udp", "80:80"]', ['80/TCP', '80/UDP', '81/TCP']],
    ['ports: []', []],
    ['{}', []],
  ])('%s → %j, in silence', (ports, expected) => {
    expect(portsOf(ports)).toEqual(expected);
    expect(said(ports)).toEqual([]);
  });

  it.each([
    ['ports: ["8080:80"]', ['80/TCP'], 'ports[0]', 'the address answers on 80, not on 8080'],
    ['ports: ["127.0.0.1:80:80"]', ['80/TCP'], 'ports[0]', 'the host address `127.0.0.1` is ignored'],
    ['ports: ["[::1]:80:80"]', ['80/TCP'], 'ports[0]', 'the host address `[::1]` is ignored'],
    ['ports: ["127.0.0.1::80"]', ['80/TCP'], 'ports[0]', 'the host address `127.0.0.1` is ignored'],
    ['ports: ["9000-9001:80-81"]', ['80/TCP', '81/TCP'], 'ports[0]', 'answers on 80-81, not on 9000-9001'],
    ['ports: ["8000-9000:80"]', ['80/TCP'], 'ports[0]', 'answers on 80, not on 8000-9000'],
    ['ports: [{target: 80, published: 8080}]', ['80/TCP'], 'ports[0].published', 'answers on 80, not on 8080'],
    ['ports: [{target: 80, host_ip: 10.0.0.1}]', ['80/TCP'], 'ports[0].host_ip', '`10.0.0.1` is ignored'],
    ['ports: [{target: 80, name: web}]', ['80/TCP'], 'ports[0].name', 'documents the port only'],
    ['ports: [{target: 80, mode: bridge}]', ['80/TCP'], 'ports[0].mode', 'listens at an address of its own'],
    ['ports: ["22"]', ['22/TCP'], 'ports[0]', 'reserves for itself (22)'],
    ['ports: ["25565"]', ['25565/TCP'], 'ports[0]', 'reserves for itself (20000-30000)'],
    ['expose: ["50000"]', ['50000/TCP'], 'expose[0]', 'reserves for itself (49152-65534)'],
  ])('%s → %j with a warning', (ports, expected, path, problem) => {
    expect(portsOf(ports)).toEqual(expected);
    expect(webProblems(ports)).toMatchObject([
      { severity: 'warning', path: `services.web.${path}`, problem: expect.stringContaining(problem) },
    ]);
  });

  it.each([
    ['ports: ["0"]', 'ports[0]'],
    ['ports: ["65536"]', 'ports[0]'],
    ['ports: ["99999:80", "80:99999"]', 'ports[1]'],
    ['ports: ["web"]', 'ports[0]'],
    ['ports: [""]', 'ports[0]'],
    ['ports: ["80:"]', 'ports[0]'],
    ['ports: ["80:80:80:80"]', 'ports[0]'],
    ['ports: ["a:80"]', 'ports[0]'],
    ['ports: ["80/sctp"]', 'ports[0]'],
    ['ports: ["81-80"]', 'ports[0]'],
    ['ports: ["-80"]', 'ports[0]'],
    ['ports: ["80.5"]', 'ports[0]'],
    ['ports: ["80-86"]', 'ports[0]'],
    ['ports: ["1-65535"]', 'ports[0]'],
    ['ports: [{published: 80}]', 'ports[0]'],
    ['ports: [{target: 0}]', 'ports[0].target'],
    ['ports: [{target: 80.5}]', 'ports[0].target'],
    ['ports: [{target: 80, protocol: sctp}]', 'ports[0].protocol'],
    ['ports: [{target: 80, published: web}]', 'ports[0].published'],
    ['ports: ["localhost:80:80"]', 'ports[0]'],
    ['ports: [{target: 80, host_ip: localhost}]', 'ports[0].host_ip'],
    ['ports: [{target: 80, publishd: 1}]', 'ports[0].publishd'],
    ['ports: [true]', 'ports[0]'],
    ['ports: "80"', 'ports'],
    ['expose: ["80:80"]', 'expose[0]'],
    ['expose: [{target: 80}]', 'expose[0]'],
    ['ports: ["1","2","3","4","5","6"]', 'ports'],
    ['expose: ["1-5", "6"]', 'expose'],
  ])('%s is refused', (ports, path) => {
    const problems = webProblems(ports).filter(({ severity }) => severity === 'error');
    expect(problems.map(({ path: at }) => at)).toEqual([`services.web.${path}`]);
    expect(problems[0]?.remedy).toMatch(/[.?]$/);
  });

  it('a port is warned about once, however often it is declared', () => {
    expect(webProblems('ports: ["22:22"]\nexpose: ["22"]').map(brief).length).toBe(1);
  });
});
